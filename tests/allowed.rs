//! `allow`: allocations that pass through a crate or a module are not charged.
//!
//! Here the modules are the test's own. Release builds with `debug = "line-tables-only"` have their
//! names without paths, so these tests are for debug builds; `tests/clients` has tests with other
//! packages, which are known by their files, too.
#![cfg(all(feature = "backtraces", debug_assertions))]

use std::hint::black_box;

use mod_alloc::{alloc_budget, assert_allocs, Budget, ModAlloc};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/panics.rs"]
mod panics;

use needs_call_sites::needs_call_sites;
use panics::panic_of;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Allocates once.
fn allocate(bytes: usize) {
    drop(black_box(Vec::<u8>::with_capacity(bytes)));
}

mod log {
    use std::fmt;
    use std::hint::black_box;

    use mod_alloc::{Budget, Exceeded};

    #[inline(never)]
    pub(crate) fn note(bytes: usize) {
        super::allocate(bytes);
        black_box(());
    }

    /// Calls what is not its own.
    #[inline(never)]
    pub(crate) fn call(work: impl FnOnce()) {
        work();
        black_box(());
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Line;

    impl fmt::Display for Line {
        #[inline(never)]
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            super::allocate(1);
            f.write_str("")
        }
    }

    /// Opens the budget of what is not its own.
    #[inline(never)]
    pub(crate) fn check(work: impl FnOnce()) -> Result<(), Exceeded> {
        Budget::new().max(0).allow(&["allowed::log"]).check(work)
    }

    pub(crate) mod sink {
        use std::hint::black_box;

        #[inline(never)]
        pub(crate) fn write(bytes: usize) {
            crate::allocate(bytes);
            black_box(());
        }
    }
}

mod logs {
    use std::hint::black_box;

    #[inline(never)]
    pub(crate) fn note(bytes: usize) {
        super::allocate(bytes);
        black_box(());
    }
}

/// The one call site of its caller that is charged.
#[inline(never)]
fn charged(times: usize) {
    (0..times).for_each(|_| allocate(10));
    black_box(());
}

#[alloc_budget(max = 1, max_bytes = 10, allow = ["allowed::log"])]
#[test]
fn what_passes_through_a_module_is_not_charged() {
    needs_call_sites!();
    charged(1);
    log::note(1_000);
    log::sink::write(1_000);
    log::call(|| charged(3));
    assert_eq!(format!("{}", log::Line), "");
}

#[test]
fn what_does_not_is() {
    needs_call_sites!();
    let work = || {
        charged(2);
        log::note(1);
    };
    let report = panic_of(|| Budget::new().max(1).allow(&["allowed::log"]).enforce(work));
    assert!(report.contains("allocations       1         2  +1"), "{report}");
}

#[alloc_budget(max = 0, allow = ["allowed::log"])]
#[test]
#[should_panic(expected = "allocations       0         1  +1")]
fn a_module_whose_name_begins_in_the_same_way_is_another_one() {
    logs::note(1);
}

#[alloc_budget(max = 0, allow = ["allowed"])]
#[test]
fn a_crate_is_allowed_as_a_whole() {
    needs_call_sites!();
    charged(3);
}

#[test]
fn each_allocation_is_listed_once() {
    needs_call_sites!();
    let allowed = &["allowed::log::sink", "allowed::log", "allowed::logs"];
    let exceeded = Budget::new().max(1).allow(allowed).check(|| {
        charged(2);
        log::note(1);
        log::note(2);
        log::sink::write(3);
    });
    let exceeded = exceeded.expect_err("two are charged");
    let report = exceeded.to_string();
    let list = "\n  allowed: 1 allocation through allowed::log::sink, 2 allocations through \
                allowed::log";
    assert!(report.contains(list), "{report}");
    assert_eq!(exceeded.stats().alloc_count, 2);
    assert_eq!(exceeded.stats().total_bytes, 20);
    assert_eq!(exceeded.call_sites().alloc_count(), 2);
}

#[test]
fn nothing_passes_through_the_function_that_opens_the_budget() {
    needs_call_sites!();
    log::check(|| log::note(1)).expect("nothing is charged");
    let exceeded = log::check(|| charged(1)).expect_err("one is charged");
    assert_eq!(exceeded.stats().alloc_count, 1);
}

#[test]
fn each_run_is_judged_without_it() {
    needs_call_sites!();
    let runs = Budget::new().max(1).allow(&["allowed::log"]).runs(3);
    let mut run = 0;
    runs.enforce(|| {
        run += 1;
        charged(1);
        (0..run).for_each(log::note);
    });
    assert_allocs!(max = 0, allow = ["allowed::log"], runs = 2, { log::note(1) });
}

#[test]
fn a_path_that_nothing_passes_through_is_seen() {
    needs_call_sites!();
    let exceeded = Budget::new().max(0).allow(&["allowed::lug"]).check(|| log::note(1));
    let report = exceeded.expect_err("one is charged").to_string();
    assert!(report.contains("\n  allowed: nothing passes through what `allow` names"), "{report}");
}

#[test]
fn too_few_may_be_left() {
    needs_call_sites!();
    let exceeded = Budget::new().exact(2).allow(&["allowed::log"]).check(|| {
        charged(1);
        log::note(1);
        log::note(1);
    });
    let report = exceeded.expect_err("one is charged").to_string();
    assert!(report.starts_with("allocation budget not reached"), "{report}");
}

#[test]
fn what_is_not_known_by_stack_cannot_be_allowed() {
    let allow = || Budget::new().max(1).allow(&["allowed::log"]);
    let peak = panic_of(|| allow().max_peak_bytes(1).enforce(|| ()));
    assert!(peak.starts_with("can `max_peak_bytes` go without `allow`?"), "{peak}");
    let retained = panic_of(|| allow().max_retained(1).enforce(|| ()));
    assert!(retained.starts_with("can `max_retained` go without `allow`?"), "{retained}");
    let unrecorded = panic_of(|| allow().call_sites(false).enforce(|| ()));
    assert!(unrecorded.starts_with("can `call_sites(false)` go?"), "{unrecorded}");
}
