//! Hot: the flag that is up while anybody asks for live blocks.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{fence, AtomicUsize};

use crate::sys::RelaxedWord;

/// How many scopes and heap profiles are between `begin` and `end`.
static TRACKING: AtomicUsize = AtomicUsize::new(0);

/// Whether any scope or profile asks for its live blocks. Whoever frees a block of one that still
/// does is sure to see it: the block came to him from where it was allocated, and that was after
/// the beginning.
#[inline]
pub(crate) fn is_tracking() -> bool {
    TRACKING.get() > 0
}

/// Raises the flag; the caller goes on to change other threads' floors: see
/// `stacks::process_sites`.
pub(super) fn start_tracking() {
    TRACKING.fetch_add(1, SeqCst);
    fence(SeqCst);
}

pub(super) fn stop_tracking() {
    TRACKING.fetch_sub(1, SeqCst);
}

#[cfg(test)]
mod tests {
    use super::is_tracking;
    use crate::blocks::uses::Reused;
    use crate::blocks::{HeapProfile, LeakCounter};
    use crate::sys::Pooled;

    fn new() -> &'static LeakCounter {
        Box::leak(Box::new(LeakCounter::NEW))
    }

    #[test]
    fn tracking_lasts_from_the_first_beginning_to_the_last_end() {
        let this = std::env::current_exe().expect("a path");
        let alone = ["--exact", "blocks::tracking::tests::tracking", "--ignored"];
        let output = std::process::Command::new(this).args(alone).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed") && output.status.success(), "{text}");
    }

    #[test]
    #[ignore = "must be alone in its process: the test above runs it"]
    fn tracking() {
        let (one, two) = (new(), new());
        let points: &HeapProfile = Box::leak(Box::new(HeapProfile::NEW));
        assert!(!is_tracking());
        assert!(one.begin() && two.begin());
        one.end();
        one.end();
        assert!(is_tracking(), "an end too many is nobody else's");
        assert!(points.begin(usize::MAX));
        two.end();
        assert!(is_tracking());
        assert!(one.begin());
        points.end();
        points.end();
        assert!(is_tracking(), "likewise");
        one.end();
        assert!(!is_tracking());
    }
}
