//! A test with the crate dhat. It must be alone in its binary.

use moving::{lines, TEXT};

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

#[test]
fn each_line_is_copied_once() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let copies = lines(TEXT);
    let stats = dhat::HeapStats::get();
    dhat::assert_eq!(stats.total_blocks, 7);
    dhat::assert!(stats.max_bytes <= 206);
    drop(copies);
    let stats = dhat::HeapStats::get();
    dhat::assert_eq!(stats.curr_blocks, 0);
}
