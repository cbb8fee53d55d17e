//! Tests with the crate assert_no_alloc, and what it counts. By default it checks nothing in
//! release builds, and has no allocator there.
#![cfg(debug_assertions)]

use assert_no_alloc::{assert_no_alloc, permit_alloc, violation_count, AllocDisabler};
use moving::programs;

#[global_allocator]
static ALLOC: AllocDisabler = AllocDisabler;

#[test]
fn mixing_does_not_allocate() {
    let mut buffer = [0.5_f32; 256];
    assert_no_alloc(|| {
        buffer.iter_mut().for_each(|sample| *sample *= 0.5);
        permit_alloc(|| println!("{}", buffer[0]));
    });
}

/// With its feature `warn_debug` it counts in place of aborting.
#[test]
fn frees_are_forbidden_too() {
    for program in programs() {
        let before = violation_count();
        let events = assert_no_alloc(|| program.run());
        let allocs_and_frees = events.allocs + events.deallocs + 2 * events.reallocs;
        assert_eq!(u64::from(violation_count() - before), allocs_and_frees, "{program:?}");
    }
}
