//! Cold: `MOD_ALLOC_BACKTRACE`, the environment variable that says how much of the call sites a broken budget shows. Read once in
//! a process.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::unseen::Unseen;
use crate::walk;

const VARIABLE: &str = "MOD_ALLOC_BACKTRACE";

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
/// If the variable has no valid value.
#[track_caller]
pub(crate) fn mode() -> Mode {
    // Not a `OnceLock`: one that another thread was filling at a fork would keep the child waiting for ever.
    static MODE: AtomicU8 = AtomicU8::new(UNREAD);
    const UNREAD: u8 = u8::MAX;
    const MODES: [Mode; 3] = [Mode::Short, Mode::Full, Mode::Off];

    if let Some(mode) = MODES.get(usize::from(MODE.load(Relaxed))) {
        return *mode;
    }
    let read = || match std::env::var_os(VARIABLE) {
        None => Ok(Mode::Short),
        Some(value) => parse(&value).ok_or_else(|| value.to_string_lossy().into_owned()),
    };
    let read = || read().map_err(|value| Unseen::new(|| value));
    match crate::count::ignored(read) {
        Ok(mode) => {
            MODE.store(mode as u8, Relaxed);
            mode
        }
        Err(value) => panic!(
            "is `{VARIABLE}` misspelt? It is `{}`; the values are `short` (the default), `full` and `off`",
            value.as_str()
        ),
    }
}

fn parse(value: &OsStr) -> Option<Mode> {
    match value.to_str()? {
        "short" => Some(Mode::Short),
        "full" => Some(Mode::Full),
        "off" => Some(Mode::Off),
        _ => None,
    }
}

/// Whether budgets record call sites.
///
/// # Panics
/// As [`mode`].
#[track_caller]
pub(crate) fn is_wanted() -> bool {
    cfg!(feature = "backtraces") && walk::UNAVAILABLE.is_none() && mode() != Mode::Off
}
