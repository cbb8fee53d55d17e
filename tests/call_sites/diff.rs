//! What changed between two recordings of the same program.

use std::hint::black_box;

use mod_alloc::{measure, AllocScope, CallSites, Change};

use crate::needs_call_sites::needs_call_sites;

#[inline(never)]
fn copies(count: usize) {
    for _ in 0..count {
        drop(black_box(vec![1_u8; black_box(3)]));
    }
    black_box(()); // The loop is no tail call.
}

#[inline(never)]
fn by_way_of_another(count: usize) {
    copies(count);
    black_box(count);
}

fn sites_of(work: impl FnOnce()) -> CallSites {
    let scope = AllocScope::with_call_sites();
    work();
    scope.call_sites()
}

#[test]
fn sites_are_compared_by_function_and_callers() {
    needs_call_sites!();
    let two = sites_of(|| copies(2));
    let (diff, stats) = measure(|| sites_of(|| copies(5)).diff(&two));
    assert_eq!(stats.alloc_count, 5, "the comparison counts nowhere");
    let [grown] = diff.changes() else { panic!("{diff}") };
    assert_eq!(grown.change(), Change::Grown);
    assert_eq!(grown.function(), "tests/call_sites/diff.rs copies");
    assert_eq!((grown.count_before(), grown.count_after()), (2, 5));

    let diff = sites_of(|| by_way_of_another(2)).diff(&two);
    let [moved] = diff.changes() else { panic!("{diff}") };
    assert_eq!((moved.change(), moved.count_after()), (Change::Moved, 2));
    assert!(diff.to_string().contains("called from tests/call_sites/diff.rs by_way_of_another"));

    assert!(two.diff(&sites_of(|| copies(2))).is_empty(), "lines do not matter");
}
