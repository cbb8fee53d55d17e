//! regex: a search allocates its cache the first time and nothing after that, so it is warmed up
//! first.
//!
//! Each test compiles a `Regex` of its own. One that threads share keeps a cache for each of them,
//! so the count would depend on which tests run at the same time.

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, uncounted, Budget, ModAlloc};
use regex::Regex;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &str = include_str!("../fixtures/packages.json");

fn versions() -> Regex {
    Regex::new(r#""version": "(\d+)\.(\d+)\.(\d+)""#).unwrap()
}

#[test]
fn the_first_search_allocates_and_the_next_ones_do_not() {
    let versions = versions();
    let first = Budget::new().max(0).check(|| versions.find_iter(TEXT).count()).unwrap_err();
    assert!(first.stats().alloc_count > 0);
    assert_no_alloc!(assert_eq!(versions.find_iter(TEXT).count(), 16));
}

#[test]
fn a_warm_up_run_is_not_charged() {
    let versions = versions();
    let found = assert_allocs!(max = 0, warmup = 1, runs = 3, { versions.find_iter(TEXT).count() });
    assert_eq!(found, 16);
}

#[test]
#[alloc_budget(max = 0)]
fn compiling_and_warming_up_uncounted_is_not_charged() {
    let versions = uncounted(|| {
        let versions = versions();
        versions.is_match(TEXT);
        versions
    });
    assert!(versions.is_match(TEXT));
    uncounted(|| drop(versions));
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn without_a_warm_up_the_budget_breaks() {
    let versions = versions();
    assert_no_alloc!(versions.find_iter(TEXT).count());
}

/// `captures` allocates a new set of slots each time. `captures_read` fills those of the caller.
#[test]
fn captures_allocate_unless_their_slots_are_given() {
    let versions = versions();
    let mut slots = versions.capture_locations();
    Budget::new().max(0).warmup(1).enforce(|| versions.captures_read(&mut slots, TEXT).is_some());
    assert_eq!(slots.get(1).map(|(start, end)| &TEXT[start..end]), Some("0"));

    let exceeded =
        Budget::new().max(0).warmup(1).runs(2).check(|| versions.captures(TEXT).is_some());
    assert_eq!(exceeded.unwrap_err().stats().live_count, 0);
}
