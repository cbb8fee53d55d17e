//! Cold: the environment variables that budgets read, each once in a process:
//! `MOD_ALLOC_BACKTRACE`, how much of the call sites a broken budget shows, `MOD_ALLOC_BREAK`,
//! whether to stop in a debugger at the first allocation past a budget, `MOD_ALLOC_REPORT`, whether
//! to say what other threads have allocated, and `MOD_ALLOC_DHAT`, where to write a DHAT profile of
//! a broken one.

use std::ffi::OsStr;
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
    static BACKTRACE: Variable = Variable {
        name: "MOD_ALLOC_BACKTRACE",
        values: Values::OneOf(&["short", "full", "off"]),
        listed: "`short` (the default), `full` and `off`",
        read: AtomicU8::new(UNREAD),
    };
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
    static BREAK: Variable = Variable {
        name: "MOD_ALLOC_BREAK",
        values: Values::OneOf(&["0", "1"]),
        listed: "`0` (the default) and `1`",
        read: AtomicU8::new(UNREAD),
    };
    let wants_break = BREAK.get() == 1;
    if wants_break {
        stacks::set_breakpoint();
    }
    wants_break
}

/// Whether to say, for budgets that hold too, what other threads have allocated.
///
/// # Panics
/// If `MOD_ALLOC_REPORT` has no valid value.
#[track_caller]
pub(crate) fn wants_report() -> bool {
    static REPORT: Variable = Variable {
        name: "MOD_ALLOC_REPORT",
        values: Values::OneOf(&["0", "1"]),
        listed: "`0` (the default) and `1`",
        read: AtomicU8::new(UNREAD),
    };
    REPORT.get() == 1
}

/// The folder to write DHAT profiles of broken budgets to, if there is to be one.
pub(crate) fn dhat_folder() -> Option<PathBuf> {
    let is_set = DHAT.get() == 1;
    is_set.then(|| std::env::var_os(DHAT.name).unwrap_or_default().into())
}

/// Whether budgets keep what such a profile says.
pub(crate) fn wants_dhat() -> bool {
    cfg!(feature = "dhat-compat") && walk::UNAVAILABLE.is_none() && DHAT.get() == 1
}

static DHAT: Variable = Variable {
    name: "MOD_ALLOC_DHAT",
    values: Values::AnyText,
    listed: "names of folders",
    read: AtomicU8::new(UNREAD),
};

enum Values {
    /// The first is the default.
    OneOf(&'static [&'static str]),
    /// All are the same.
    AnyText,
}

struct Variable {
    name: &'static str,
    values: Values,
    listed: &'static str,
    /// Not a `OnceLock`: one that another thread was filling at a fork would keep the child waiting
    /// for ever.
    read: AtomicU8,
}

const UNREAD: u8 = u8::MAX;

impl Variable {
    /// Which of the values it has; 0 for the default, and where it is unset or empty.
    ///
    /// # Panics
    /// If it is none of them.
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
        let read = || match std::env::var_os(self.name) {
            None => Ok(0),
            Some(value) if value.is_empty() => Ok(0), // As good as unset.
            Some(value) => self.parse(&value).ok_or_else(|| value.to_string_lossy().into_owned()),
        };
        match counters::ignored(|at_work| read().map_err(|value| Ignored::of(at_work, value))) {
            Ok(at) => {
                self.read.store(at as u8, Relaxed);
                at
            }
            Err(value) => panic!(
                "is `{}` misspelt? It is `{}`; the values are {}",
                self.name,
                value.as_str(),
                self.listed
            ),
        }
    }

    fn parse(&self, value: &OsStr) -> Option<usize> {
        match self.values {
            Values::OneOf(values) => values.iter().position(|known| value == *known),
            Values::AnyText => Some(1),
        }
    }
}
