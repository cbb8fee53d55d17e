//! Each form of the assertions fails. The profile is saved as it was then, and the panic has the
//! line of the assertion.

use std::hint::black_box;

use super::print_panic_and_place;
use crate::dhat;

pub(super) fn run() {
    let one = black_box(1);
    fails("assert", || dhat::assert!(one == 2));
    fails("assert_with_text", || dhat::assert!(one == 2, "one is {} and not {two}", one, two = 2));
    fails("assert_eq", || dhat::assert_eq!(one, 2));
    fails("assert_eq_with_comma", || dhat::assert_eq!(one, 2,));
    fails("assert_eq_with_text", || dhat::assert_eq!(one, 2, "one is {one}"));
    fails("assert_ne", || dhat::assert_ne!(one, 1));
    fails("assert_ne_with_text", || dhat::assert_ne!(Some("text"), Some("text"), "{:?}", "both"));
    // This file has nothing that was allocated after the assertion.
    fails("of_stats", || {
        let stats = dhat::HeapStats::get();
        dhat::assert_eq!(stats.curr_bytes, 31);
    });
    unwinding();
}

fn fails(name: &str, assertion: impl FnOnce()) {
    let file = format!("{name}.json");
    let profiler = dhat::Profiler::builder().testing().file_name(&file).build();
    let kept = black_box(vec![1, 2, 3, 4]);
    drop(black_box(vec![5, 6]));
    print_panic_and_place(name, assertion);
    drop(black_box(vec![7, 8, 9]));
    drop(kept);
    drop(profiler);
}

/// As in a test, the panic of the assertion drops the profiler, and another one can follow.
fn unwinding() {
    for file in ["first.json", "second.json"] {
        print_panic_and_place(file, || {
            let _profiler = dhat::Profiler::builder().testing().file_name(file).build();
            let _kept = black_box(vec![1]);
            let stats = dhat::HeapStats::get();
            dhat::assert_eq!(stats.curr_blocks, 2);
        });
    }
}
