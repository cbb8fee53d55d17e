//! Tests with the crate allocation-counter, and what it counts.

use moving::{lines, programs, TEXT};

#[test]
fn each_line_is_copied_once() {
    let info = allocation_counter::measure(|| {
        let copies = lines(TEXT);
        allocation_counter::opt_out(|| println!("{copies:?}"));
    });
    assert_eq!(info.count_total, 7);
    assert!(info.bytes_max <= 302);
    assert_eq!(info.count_current, 0);
}

#[test]
fn a_reallocation_is_an_allocation_and_a_free() {
    let info = allocation_counter::measure(|| drop(lines(TEXT)));
    assert_eq!((info.count_total, info.bytes_total, info.bytes_max), (7, 302, 302));

    for program in programs() {
        let mut events = None;
        let info = allocation_counter::measure(|| events = Some(program.run()));
        let events = events.expect("it ran");
        assert_eq!(info.count_total, events.allocs + events.reallocs, "{program:?}");
        assert_eq!(info.bytes_total, events.requested_bytes, "{program:?}");
        assert_eq!(info.bytes_max, events.peak_bytes_with_both, "{program:?}");
        assert_eq!(info.count_current as u64, events.retained_blocks, "{program:?}");
        assert_eq!(info.bytes_current as u64, events.retained_bytes, "{program:?}");
    }
}
