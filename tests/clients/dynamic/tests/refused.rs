//! `ModAlloc` is installed, and counts what is compiled into this binary; what the standard library
//! and the dynamic library allocate does not reach it. Every budget must refuse, whether mod-alloc
//! is optimised or not.

use std::hint::black_box;
use std::panic::{catch_unwind, UnwindSafe};

use mod_alloc::{alloc_budget, assert_no_alloc, AllocScope, ModAlloc, Profiler};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

#[track_caller]
fn check<R>(work: impl FnOnce() -> R + UnwindSafe) {
    let Err(panic) = catch_unwind(|| drop(work())) else { panic!("it must not pass") };
    let message = panic.downcast_ref::<String>().expect("a text");
    let std_library = message.contains("it is linked dynamically (`libstd-");
    assert!(std_library || !cfg!(target_os = "linux"), "{message}");
    assert!(message.contains("Remove `-C prefer-dynamic`"), "{message}");
    assert!(message.contains("crate-type = [\"dylib\"]"), "{message}");
    assert!(!message.contains("static GLOBAL"), "those lines are there: {message}");
}

#[test]
fn nothing_passes_where_only_a_part_is_counted() {
    #[alloc_budget(max = 0)]
    fn two_allocations() {
        black_box(format!("{}", black_box(7)));
        black_box(engine::spawn(black_box(7)));
    }
    check(two_allocations);
    check(|| assert_no_alloc!(engine::spawn(7)));
    check(AllocScope::enter);
    check(Profiler::start);
    check(|| GLOBAL.snapshot());
}
