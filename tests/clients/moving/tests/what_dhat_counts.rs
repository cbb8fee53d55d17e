//! What the crate dhat counts: a reallocation is one allocation, and adds its new size. Runs
//! without the harness, for it counts the whole process.

use moving::{lines, programs, TEXT};

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

fn main() {
    let profiler = dhat::Profiler::builder().testing().build();
    drop(lines(TEXT));
    let stats = dhat::HeapStats::get();
    drop(profiler);
    assert_eq!((stats.total_blocks, stats.total_bytes, stats.max_bytes), (7, 302, 206));

    for program in programs() {
        let profiler = dhat::Profiler::builder().testing().build();
        let events = program.run();
        let stats = dhat::HeapStats::get();
        drop(profiler);
        assert_eq!(stats.total_blocks, events.allocs + events.reallocs, "{program:?}");
        assert_eq!(stats.total_bytes, events.requested_bytes, "{program:?}");
        assert_eq!(stats.max_bytes as u64, events.peak_bytes, "{program:?}");
        assert_eq!(stats.curr_blocks as u64, events.retained_blocks, "{program:?}");
        assert_eq!(stats.curr_bytes as u64, events.retained_bytes, "{program:?}");
    }
}
