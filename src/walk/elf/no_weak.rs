//! Hot: the interface of `weak_x86_64` for C libraries that never have what it looks for.

/// musl unlocks what it locks itself when it forks.
pub(crate) const FORK_LEAVES_LOCK: bool = false;

/// There is no `_dl_find_object`.
#[inline(always)]
pub(crate) fn dl_find_object() -> usize {
    0
}
