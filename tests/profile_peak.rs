//! What was live at the peak of a whole process, by call site. There is one test, since nobody else
//! may allocate.
#![cfg(feature = "backtraces")]

use std::hint::black_box;
use std::thread;

use mod_alloc::{ModAlloc, Profiler, SortBy};

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

#[inline(never)]
fn short_lived() {
    for _ in 0..10 {
        drop(black_box(Vec::<u8>::with_capacity(50_000)));
    }
}

#[inline(never)]
fn held(bytes: usize) -> Vec<u8> {
    let mut held = black_box(Vec::<u8>::with_capacity(bytes / 10));
    held.reserve_exact(bytes);
    held
}

#[inline(never)]
fn after_the_peak() -> Vec<u8> {
    black_box(Vec::with_capacity(20_000))
}

/// Blocks and bytes at the peak of all sites with this function.
fn at_peak(sites: &mod_alloc::CallSites, function: &str) -> (u64, u64) {
    let is_it = |frame: &mod_alloc::Frame| {
        frame.function().is_some_and(|name| name.ends_with(function))
            && frame.file().is_some_and(|file| file.ends_with("profile_peak.rs"))
    };
    let of_it = sites.sites().iter().filter(|site| site.frames().iter().any(is_it));
    of_it.fold((0, 0), |(blocks, bytes), site| {
        (
            blocks + site.peak_blocks().expect("a profiler knows it"),
            bytes + site.peak_bytes().expect("a profiler knows it"),
        )
    })
}

#[test]
fn the_sites_of_a_profile_know_what_was_live_at_its_peak() {
    needs_call_sites!();
    let before = black_box(Vec::<u8>::with_capacity(1 << 20));
    let profiler = Profiler::with_call_sites();
    let second = Profiler::with_call_sites();
    short_lived();
    let on_another_thread = thread::spawn(|| held(30_000)).join().expect("it ends well");
    let here = held(80_000);
    drop(before);
    drop(on_another_thread);
    let later = after_the_peak();

    let sites = profiler.call_sites().sorted_by(SortBy::PeakBytes);
    let of_second = second.call_sites();
    assert_eq!(at_peak(&sites, "held"), (2, 110_000), "{sites:#}");
    assert_eq!(at_peak(&sites, "short_lived").0, 0, "{sites:#}");
    assert_eq!(at_peak(&sites, "after_the_peak"), (0, 0), "{sites:#}");
    let peaks: Vec<_> = sites.sites().iter().map(|site| site.peak_bytes()).collect();
    assert!(peaks.windows(2).all(|pair| pair[0] >= pair[1]) && peaks[0] == Some(80_000));
    assert!(format!("{sites:#}").contains(", 80,000 bytes at the peak"), "{sites:#}");
    let by_bytes = sites.sorted_by(SortBy::Bytes);
    assert_eq!(by_bytes.sites()[0].total_bytes(), 500_000, "{by_bytes:#}");
    assert_eq!(sites.to_string(), by_bytes.to_string(), "the snapshot has an order of its own");

    // Each of several profilers that overlap knows it, up to four.
    assert_eq!(at_peak(&of_second, "held"), (2, 110_000), "{of_second:#}");
    let more = [(); 3].map(|()| Profiler::with_call_sites());
    drop(black_box(Vec::<u8>::with_capacity(10)));
    let known: Vec<bool> =
        more.iter().map(|p| p.call_sites().sites()[0].peak_bytes().is_some()).collect();
    assert_eq!(known, [true, true, false]);
    let of_fifth = more[2].call_sites();
    std::panic::catch_unwind(|| of_fifth.sorted_by(SortBy::PeakBytes)).expect_err("not known");

    // A profiler that asks for it gets it, or is told that it cannot.
    let told = panic_of(|| drop(Profiler::with_heap_profile()));
    assert!(told.contains("fewer than four others recording? `Profiler::with_call_sites()`"));
    drop(second);
    let asked_for = Profiler::with_heap_profile();
    let last = held(50_000);
    assert_eq!(at_peak(&asked_for.call_sites(), "held"), (1, 50_000));
    drop((profiler, more, asked_for, last));

    // The next one starts anew.
    let profiler = Profiler::with_call_sites();
    drop((here, later));
    let again = held(10_000);
    let sites = profiler.call_sites();
    assert_eq!(at_peak(&sites, "held"), (1, 10_000), "{sites:#}");
    assert_eq!(at_peak(&sites, "after_the_peak"), (0, 0), "{sites:#}");
    drop(again);
}
