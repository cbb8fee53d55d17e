//! Hot: there is no `fork` on Windows.

pub(crate) fn watch_forks() {}

pub(crate) fn is_forked() -> bool {
    false
}
