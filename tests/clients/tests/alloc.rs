//! A binary with the name of one of std's crates. Its functions are the user's all the same.

use std::hint::black_box;

use mod_alloc::{AllocScope, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

#[inline(never)]
fn work() {
    drop(black_box(vec![1_u8; 100]));
}

#[test]
fn its_lines_are_in_the_report() {
    let exceeded = Budget::new().max(0).check(work).expect_err("it allocates");
    let report = exceeded.to_string();
    assert!(report.contains("tests/alloc.rs:12:20  work"), "{report}");
}

#[test]
fn its_functions_are_in_the_snapshot() {
    let scope = AllocScope::with_call_sites();
    work();
    let text = scope.call_sites().to_string();
    assert!(text.contains("tests/alloc.rs work < "), "{text}");
}
