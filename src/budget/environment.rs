//! Cold: the environment variables that budgets read, each once in a process.
//!
//! - `MOD_ALLOC_BACKTRACE`: how much of the call sites a broken budget shows;
//! - `MOD_ALLOC_BREAK`: whether to stop in a debugger at the first allocation past a budget;
//! - `MOD_ALLOC_REPORT`: whether to say what other threads have allocated;
//! - `MOD_ALLOC_DHAT`: where to write a DHAT profile of a broken budget.

use std::env;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::counters;
use crate::ignored::Ignored;
use crate::stacks;
use crate::walk;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The user's own lines, as many as fit on a screen. The default.
    Short,
    /// Every frame of every site.
    Full,
    /// None, and none are recorded.
    Off,
}

/// # Panics
/// If `MOD_ALLOC_BACKTRACE` has no valid value.
#[track_caller]
pub(crate) fn mode() -> Mode {
    static BACKTRACE: Variable = Variable::new("MOD_ALLOC_BACKTRACE", &["short", "full", "off"]);
    [Mode::Short, Mode::Full, Mode::Off][BACKTRACE.get()]
}

/// Whether budgets record call sites.
///
/// # Panics
/// As [`mode`].
#[track_caller]
pub(crate) fn wants_call_sites() -> bool {
    mode() != Mode::Off && cfg!(feature = "backtraces") && walk::UNAVAILABLE.is_none()
}

/// Whether to stop at the first allocation past a budget.
///
/// # Panics
/// If `MOD_ALLOC_BREAK` has no valid value.
#[track_caller]
pub(crate) fn wants_break() -> bool {
    static BREAK: Variable = Variable::new("MOD_ALLOC_BREAK", &["0", "1"]);
    let wants_break = BREAK.get() == 1;
    if wants_break {
        stacks::set_breakpoint();
    }
    wants_break
}

/// Whether to say what other threads have allocated, also for budgets that hold.
///
/// # Panics
/// If `MOD_ALLOC_REPORT` has no valid value.
#[track_caller]
pub(crate) fn wants_report() -> bool {
    static REPORT: Variable = Variable::new("MOD_ALLOC_REPORT", &["0", "1"]);
    REPORT.get() == 1
}

/// The folder to write DHAT profiles of broken budgets to, if they are to be written.
pub(crate) fn dhat_folder() -> Option<PathBuf> {
    let is_set = DHAT.get() == 1;
    is_set.then(|| env::var_os(DHAT.name).unwrap_or_default().into())
}

/// Whether budgets keep what such a profile needs.
pub(crate) fn wants_dhat() -> bool {
    cfg!(feature = "dhat-compat") && walk::UNAVAILABLE.is_none() && DHAT.get() == 1
}

/// Any text is the name of a folder.
static DHAT: Variable = Variable::new("MOD_ALLOC_DHAT", &[]);

struct Variable {
    name: &'static str,
    /// The first is the default. Empty if any text is a value.
    values: &'static [&'static str],
    /// Not a `OnceLock`: one that another thread was filling at a fork would keep the child waiting
    /// for ever.
    read: AtomicU8,
}

const UNREAD: u8 = u8::MAX;

impl Variable {
    const fn new(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values, read: AtomicU8::new(UNREAD) }
    }

    /// Which of the values it has, as an index: 0 for the default, also where it is unset or empty;
    /// 1 for any text.
    ///
    /// # Panics
    /// If it has none of them.
    #[track_caller]
    fn get(&self) -> usize {
        match self.read.load(Relaxed) {
            UNREAD => self.read(),
            at => at.into(),
        }
    }

    #[cold]
    #[track_caller]
    fn read(&self) -> usize {
        match counters::ignored(|at_work| self.ask().map_err(|text| Ignored::of(at_work, text))) {
            Ok(at) => {
                self.read.store(at as u8, Relaxed);
                at
            }
            Err(text) => panic!("{}", text.as_str()),
        }
    }

    /// # Errors
    /// What to say of a value that it cannot have.
    fn ask(&self) -> Result<usize, String> {
        let value = env::var_os(self.name).unwrap_or_default();
        if value.is_empty() {
            return Ok(0); // As good as unset.
        }
        let (Some(default), Some(last)) = (self.values.first(), self.values.last()) else {
            return Ok(1);
        };
        self.values.iter().position(|known| value == *known).ok_or_else(|| {
            let between = &self.values[1..self.values.len() - 1];
            let between: String = between.iter().map(|value| format!(", `{value}`")).collect();
            let (name, value) = (self.name, value.to_string_lossy());
            format!(
                "is `{name}` misspelt? It is `{value}`; the values are `{default}` (the \
                 default){between} and `{last}`"
            )
        })
    }
}
