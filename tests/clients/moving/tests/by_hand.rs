//! A test with a counting allocator of one's own. It must be alone in its binary.

mod counting;

use std::sync::atomic::Ordering::Relaxed;

use counting::ALLOCATIONS;
use moving::{lines, TEXT};

#[test]
fn each_line_is_copied_once() {
    let before = ALLOCATIONS.load(Relaxed);
    let copies = lines(TEXT);
    assert_eq!(ALLOCATIONS.load(Relaxed) - before, 7);
    drop(copies);
}
