//! Cold: the environment variables that budgets read, each once in a process.
//!
//! - `MOD_ALLOC_BACKTRACE`: how much of the call sites a broken budget shows;
//! - `MOD_ALLOC_BREAK`: whether to stop in a debugger at the first allocation past a budget;
//! - `MOD_ALLOC_REPORT`: whether to say what other threads have allocated, or the file to which a
//!   line is appended for each budget that is checked;
//! - `MOD_ALLOC_ON_BREAK`: whether a broken budget panics;
//! - `MOD_ALLOC_COLOR`: whether reports are coloured;
//! - `MOD_ALLOC_DHAT`: where to write a DHAT profile of a broken budget;
//! - `MOD_ALLOC_UPDATE`: whether to accept what is measured; `CI`: whether that is allowed;
//! - `MOD_ALLOC_RECORDS`: where records are.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
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

/// What the variables ask of every budget: a bit each, so that one word tells it all.
#[derive(Clone, Copy)]
pub(super) struct Settings(u8);

impl Settings {
    const READ: u8 = 1;
    const CALL_SITES: u8 = 2;
    const BREAK: u8 = 4;
    const REPORT: u8 = 8;
    const DHAT: u8 = 16;
    const UPDATE: u8 = 32;
    const LOWER: u8 = 64;
    const LOG: u8 = 128;

    /// # Panics
    /// If a variable has no valid value.
    #[track_caller]
    #[inline]
    pub(super) fn get() -> Self {
        match SETTINGS.load(Relaxed) {
            0 => Self::read(),
            bits => Self(bits),
        }
    }

    /// All are read, so that a wrong value is reported here, and not in the middle of a report.
    #[cold]
    #[track_caller]
    fn read() -> Self {
        static BREAK: Variable = Variable::new("MOD_ALLOC_BREAK", &["0", "1"]);
        static UPDATE: Variable = Variable::new("MOD_ALLOC_UPDATE", &["0", "1", "lower"]);
        let are_walked = walk::UNAVAILABLE.is_none();
        let mut bits = Self::READ;
        if mode() != Mode::Off && cfg!(feature = "backtraces") && are_walked {
            bits |= Self::CALL_SITES;
        }
        if BREAK.get() == 1 {
            stacks::set_breakpoint();
            bits |= Self::BREAK;
        }
        if cfg!(feature = "dhat-compat") && are_walked && DHAT.get() == 1 {
            bits |= Self::DHAT;
        }
        match REPORT.get() {
            0 => {}
            1 => bits |= Self::REPORT,
            _ => bits |= Self::LOG,
        }
        bits |= [0, Self::UPDATE, Self::LOWER][UPDATE.get()];
        assert!(
            bits & (Self::UPDATE | Self::LOWER) == 0 || !is_ci(),
            "`MOD_ALLOC_UPDATE` is set where `CI` is, and nothing is written there: update on a \
             machine of your own, and commit what has changed (`CI=false` says that this is one)"
        );
        ON_BREAK.get();
        COLOUR.get();
        SETTINGS.store(bits, Relaxed);
        Self(bits)
    }

    /// Whether budgets record call sites, unless they say that they do not.
    pub(super) const fn call_sites(self) -> bool {
        self.0 & Self::CALL_SITES != 0
    }

    /// Whether all budgets record, to stop at the first allocation past one or to write a DHAT
    /// profile.
    pub(super) const fn are_all_recorded(self) -> bool {
        self.0 & (Self::BREAK | Self::DHAT) != 0
    }

    /// Whether budgets keep what a DHAT profile needs.
    pub(super) const fn dhat(self) -> bool {
        self.0 & Self::DHAT != 0
    }

    /// Whether numbers are updated, those of budgets that hold as well.
    pub(super) const fn updates(self) -> bool {
        self.0 & (Self::UPDATE | Self::LOWER) != 0
    }

    /// Whether anything is done about budgets that hold.
    pub(super) const fn is_told(self) -> bool {
        self.0 & (Self::REPORT | Self::LOG | Self::UPDATE | Self::LOWER) != 0
    }

    /// Whether a line is written to a file for each budget.
    pub(super) const fn log(self) -> bool {
        self.0 & Self::LOG != 0
    }

    /// Whether to say what other threads have allocated, also for budgets that hold.
    pub(super) const fn report(self) -> bool {
        self.0 & Self::REPORT != 0
    }
}

/// Whether the environment and the target let call sites be recorded.
///
/// # Panics
/// If a variable has no valid value.
#[track_caller]
pub(crate) fn are_call_sites_recorded() -> bool {
    Settings::get().call_sites()
}

/// What is to be done about numbers that are not as they are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// They break their budgets.
    Nothing,
    /// All are accepted.
    All,
    /// Those that are lower are.
    Lower,
}

/// What `MOD_ALLOC_UPDATE` asks for.
///
/// # Panics
/// If a variable has no valid value.
#[track_caller]
pub(super) fn update() -> Update {
    match Settings::get().0 & (Settings::UPDATE | Settings::LOWER) {
        0 => Update::Nothing,
        Settings::UPDATE => Update::All,
        _ => Update::Lower,
    }
}

/// Whether this runs where nobody would see what is written.
fn is_ci() -> bool {
    counters::ignored(|_| means_ci(env::var_os("CI")))
}

/// Whether that is what this value of `CI` says.
pub(super) fn means_ci(ci: Option<OsString>) -> bool {
    ci.is_some_and(|ci| !ci.is_empty() && ci != "false" && ci != "0")
}

/// The folder of all records, if it is not in the package.
pub(super) fn records_folder() -> Option<PathBuf> {
    env::var_os("MOD_ALLOC_RECORDS").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// 0 until they are read.
static SETTINGS: AtomicU8 = AtomicU8::new(0);

/// The folder to write DHAT profiles of broken budgets to, if they are to be written.
pub(crate) fn dhat_folder() -> Option<PathBuf> {
    let is_set = DHAT.get() == 1;
    is_set.then(|| env::var_os(DHAT.name).unwrap_or_default().into())
}

/// The file to which a line is appended for each budget, if one is set.
pub(super) fn report_file() -> Option<io::Result<File>> {
    let is_file = REPORT.get() == REPORT.values.len();
    is_file.then(|| append_to(&env::var_os(REPORT.name).unwrap_or_default()))
}

fn append_to(path: &OsStr) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// What becomes of a broken budget that nobody handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnBreak {
    Panic,
    /// The report is printed, and the program goes on.
    Warn,
}

/// # Panics
/// If `MOD_ALLOC_ON_BREAK` has no valid value.
#[track_caller]
pub(super) fn on_break() -> OnBreak {
    [OnBreak::Panic, OnBreak::Warn][ON_BREAK.get()]
}

/// Whether reports are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// In a terminal.
    Auto,
    Always,
    Never,
}

/// # Panics
/// If `MOD_ALLOC_COLOR` has no valid value.
#[track_caller]
pub(super) fn colour() -> Colour {
    [Colour::Auto, Colour::Always, Colour::Never][COLOUR.get()]
}

/// Whether this runs in GitHub Actions.
pub(super) fn is_on_github() -> bool {
    counters::ignored(|_| env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"))
}

/// Any text is the name of a folder.
static DHAT: Variable = Variable::new("MOD_ALLOC_DHAT", &[]);

static REPORT: Variable = Variable::or_file("MOD_ALLOC_REPORT", &["0", "1"]);

static ON_BREAK: Variable = Variable::new("MOD_ALLOC_ON_BREAK", &["panic", "warn"]);

static COLOUR: Variable = Variable::new("MOD_ALLOC_COLOR", &["auto", "always", "never"]);

struct Variable {
    name: &'static str,
    /// The first is the default. Empty if any text is a value.
    values: &'static [&'static str],
    /// Whether it may also be the path of a file: a text with a `.` or a `/` in it, so that a
    /// misspelt value is none.
    may_be_file: bool,
    /// Not a `OnceLock`: one that another thread was filling at a fork would keep the child waiting
    /// for ever.
    read: AtomicU8,
}

const UNREAD: u8 = u8::MAX;

impl Variable {
    const fn new(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values, may_be_file: false, read: AtomicU8::new(UNREAD) }
    }

    const fn or_file(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values, may_be_file: true, read: AtomicU8::new(UNREAD) }
    }

    /// Which of the values it has, as an index: 0 for the default, also where it is unset or empty;
    /// 1 for any text; how many values there are for a file.
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
        if let Some(known) = self.values.iter().position(|known| value == *known) {
            return Ok(known);
        }
        let (name, text) = (self.name, value.to_string_lossy());
        if self.may_be_file && text.contains(['.', '/', '\\']) {
            let file = append_to(&value)
                .map_err(|error| format!("can `{name}` be written? It is `{text}`: {error}"));
            return file.map(|_| self.values.len());
        }
        let between = &self.values[1..self.values.len() - 1];
        let between: String = between.iter().map(|value| format!(", `{value}`")).collect();
        let file = if self.may_be_file { ", or a file, with a `.` or a `/` in it" } else { "" };
        Err(format!(
            "is `{name}` misspelt? It is `{text}`; the values are `{default}` (the \
             default){between} and `{last}`{file}"
        ))
    }
}
