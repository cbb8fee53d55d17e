//! A program without a `ModAlloc` loads a library that has one: scopes work in the library, and in
//! the program they refuse to.

mod plugin;

use std::panic::{catch_unwind, UnwindSafe};

use mod_alloc::{assert_allocs, assert_no_alloc, measure, uncounted, AllocScope, Budget, Profiler};
use plugin::{Counted, Plugin};

#[test]
fn scopes_and_budgets_work_in_the_library() {
    let plugin = Plugin::load();
    assert_eq!((plugin.allocate)(5), Counted { events: 5, bytes: 40, live_bytes: 0 });
    assert!((plugin.holds)(5, 5));
    assert!(!(plugin.holds)(4, 5));
}

#[test]
fn everything_that_counts_refuses_to_in_the_program() {
    fn check<R>(work: impl FnOnce() -> R + UnwindSafe) {
        let panic = catch_unwind(|| drop(work())).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains("mod-alloc has nothing to count"), "{message}");
        assert!(message.contains("static GLOBAL: mod_alloc::ModAlloc"), "{message}");
    }
    let refuse = || {
        check(AllocScope::enter);
        check(Profiler::start);
        check(|| measure(|| 1));
        check(|| uncounted(|| 1));
        check(|| Budget::new().max(0).check(|| 1));
        check(|| Budget::new().max(0).warmup(1).check(|| 1));
        check(|| Budget::new().max(0).check_future(std::future::ready(1)));
        check(|| assert_no_alloc!(1));
        check(|| assert_allocs!(max = 0, runs = 2, { 1 }, "a message"));
    };
    refuse();
    let plugin = Plugin::load();
    (plugin.allocate)(5);
    refuse();
    plugin.close();
    refuse();
}
