//! What was live at the peak of a scope. A scope that was asked to find out knows it, and no other
//! does, whatever features are on.

use std::hint::black_box;
use std::thread;

use mod_alloc::{AllocScope, CallSites, SortBy};

use crate::needs_call_sites::needs_call_sites;
use crate::panics::panic_of;

#[inline(never)]
fn short_lived() {
    for _ in 0..10 {
        drop(black_box(Vec::<u8>::with_capacity(700)));
    }
}

#[inline(never)]
fn held() -> Vec<u8> {
    let mut held = black_box(Vec::with_capacity(100));
    held.reserve_exact(1_000);
    held
}

#[inline(never)]
fn held_elsewhere() -> Vec<u8> {
    black_box(Vec::with_capacity(2_000))
}

/// Blocks and bytes at the peak of the sites with this function.
fn at_peak(sites: &CallSites, function: &str) -> (Option<u64>, Option<u64>) {
    let of_it = sites.sites().iter().filter(|site| {
        site.user_frames()
            .any(|frame| frame.function().is_some_and(|name| name.ends_with(function)))
    });
    let add = |sum: Option<u64>, number: Option<u64>| Some(sum? + number?);
    of_it.fold((Some(0), Some(0)), |(blocks, bytes), site| {
        (add(blocks, site.peak_blocks()), add(bytes, site.peak_bytes()))
    })
}

#[test]
fn a_scope_that_is_asked_knows_what_was_live_at_its_peak() {
    needs_call_sites!();
    let around = AllocScope::with_call_sites();
    let before = black_box(Vec::<u8>::with_capacity(1 << 20));
    let scope = AllocScope::with_heap_profile();
    let within = AllocScope::with_call_sites();
    short_lived();
    let here = held();
    let handle = scope.handle();
    let elsewhere = thread::spawn(move || handle.run(held_elsewhere)).join().expect("it ends well");
    drop((before, here));
    drop(elsewhere);
    short_lived();

    let sites = scope.call_sites().sorted_by(SortBy::PeakBytes);
    assert_eq!(at_peak(&sites, "held_elsewhere"), (Some(1), Some(2_000)), "{sites:#}");
    assert_eq!(at_peak(&sites, "held"), (Some(1), Some(1_000)), "{sites:#}");
    assert_eq!(at_peak(&sites, "short_lived"), (Some(0), Some(0)), "{sites:#}");
    assert_eq!(sites.sites()[0].total_bytes(), 2_000, "{sites:#}");
    assert!(format!("{sites:#}").contains("2,000 bytes at the peak"), "{sites:#}");

    for other in [around, within] {
        let sites = other.call_sites();
        assert_eq!(at_peak(&sites, "held"), (None, None), "{sites:#}");
        assert!(!format!("{sites:#}").contains("at the peak"), "{sites:#}");
        let told = panic_of(|| drop(sites.sorted_by(SortBy::PeakBytes)));
        assert!(told.contains("Open the scope by `AllocScope::with_heap_profile()`"), "{told}");
    }
}

#[test]
fn one_that_begins_anew_knows_nothing_of_an_earlier_one() {
    needs_call_sites!();
    let scope = AllocScope::with_heap_profile();
    let held = held();
    drop(scope);
    let scope = AllocScope::with_heap_profile();
    drop(held);
    short_lived();
    let sites = scope.call_sites();
    assert_eq!(at_peak(&sites, "short_lived"), (Some(1), Some(700)), "{sites:#}");
    assert_eq!(at_peak(&sites, "held"), (Some(0), Some(0)), "{sites:#}");
}
