//! The tests of the other files with mod-alloc, and what it counts. They run in parallel.

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, measure, uncounted, ModAlloc};
use moving::{lines, TEXT};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

// In place of dhat, and of an allocator of one's own.
#[alloc_budget(exact = 7, max_peak_bytes = 206, max_retained = 0)]
#[test]
fn each_line_is_copied_once() {
    let copies = lines(TEXT);
    drop(copies);
}

// In place of allocation-counter.
#[test]
fn each_line_is_copied_once_and_printed() {
    let ((), stats) = measure(|| {
        let copies = lines(TEXT);
        uncounted(|| println!("{copies:?}"));
    });
    assert_eq!(stats.alloc_count, 7);
    assert!(stats.peak_bytes <= 206);
    assert_eq!(stats.live_count, 0);
}

// In place of assert_no_alloc.
#[test]
fn mixing_does_not_allocate() {
    let mut buffer = [0.5_f32; 256];
    assert_no_alloc!({
        buffer.iter_mut().for_each(|sample| *sample *= 0.5);
        mod_alloc::permit("the level is logged", || println!("{}", buffer[0]));
    });
}

#[test]
fn mixing_does_not_allocate_nor_free() {
    let mut buffer = [0.5_f32; 256];
    assert_allocs!(max = 0, max_deallocs = 0, {
        buffer.iter_mut().for_each(|sample| *sample *= 0.5);
    });
}

// In place of stats_alloc.
#[test]
fn each_line_is_copied_once_and_freed() {
    let (copies, stats) = measure(|| lines(TEXT));
    assert_eq!(stats.alloc_count, 7); // 6 allocations and a reallocation
    assert_eq!(stats.current_bytes, 206);
    let ((), stats) = measure(|| drop(copies));
    assert_eq!(stats.dealloc_count, 6);
}

// In place of Go's `AllocsPerRun`.
#[alloc_budget(exact = 7, warmup = 1, runs = 100)]
#[test]
fn each_line_is_copied_once_in_each_run() {
    lines(TEXT);
}

// In place of pytest-memray, where a megabyte has 1024 * 1024 bytes.
#[alloc_budget(max_peak_bytes = 24 << 20)]
#[test]
fn copies_are_small() {
    lines(TEXT);
}

#[alloc_budget(max_retained_bytes = 1 << 20, warmup = 3)]
#[test]
fn nothing_is_left() {
    lines(TEXT);
}

#[test]
fn a_reallocation_is_one_event_and_adds_its_new_size() {
    let ((), stats) = measure(|| drop(lines(TEXT)));
    assert_eq!((stats.alloc_count, stats.total_bytes, stats.peak_bytes), (7, 302, 206));

    for program in moving::programs() {
        let (events, stats) = measure(|| program.run());
        assert_eq!(stats.alloc_count, events.allocs + events.reallocs, "{program:?}");
        assert_eq!(stats.realloc_count, events.reallocs, "{program:?}");
        assert_eq!(stats.dealloc_count, events.deallocs, "{program:?}");
        assert_eq!(stats.total_bytes, events.requested_bytes, "{program:?}");
        assert_eq!(stats.peak_bytes as u64, events.peak_bytes, "{program:?}");
        assert_eq!(stats.live_count as u64, events.retained_blocks, "{program:?}");
        assert_eq!(stats.current_bytes as u64, events.retained_bytes, "{program:?}");
    }
}
