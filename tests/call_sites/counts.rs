//! The sites of a scope add up to its numbers, whatever happens inside. What it takes to make
//! reports is in nobody's numbers.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;

use mod_alloc::{measure, uncounted, AllocScope, Budget, CallSites};

#[cfg(target_os = "linux")]
use crate::again;
use crate::lines::{assert_same_sum, at, noted, user_lines};
use crate::needs_call_sites::needs_call_sites;

/// Allocates so many blocks of different sizes, and then a list that grows.
fn some_blocks(count: usize) {
    for size in 1..=count {
        drop(black_box(vec![1_u8; black_box(size)]));
    }
    let mut grown = Vec::new();
    for n in 0..count * 10 {
        grown.push(n);
    }
    drop(black_box(grown));
}

/// The events whose innermost line is the one that was noted last.
fn events_at_noted(sites: &CallSites) -> u64 {
    let line = noted()[0];
    let is_there = |site: &&mod_alloc::Site| user_lines(site).first() == Some(&line);
    sites.sites().iter().filter(is_there).map(|site| site.alloc_count()).sum()
}

#[test]
fn nested_scopes_have_the_sites_of_their_own_stretches() {
    needs_call_sites!();
    let outer = AllocScope::with_call_sites();
    some_blocks(3);
    let middle = AllocScope::enter();
    some_blocks(4);
    let inner = AllocScope::with_call_sites();
    some_blocks(5);
    assert_same_sum(&inner.call_sites(), inner.stats());
    assert_same_sum(&outer.call_sites(), outer.stats());
    some_blocks(6);
    assert_same_sum(&inner.call_sites(), inner.exit());
    some_blocks(7);
    assert_eq!(middle.exit().alloc_count, 4 + 5 + 6 + 7 + 4 * 4 + growths(&[4, 5, 6, 7]));
    assert_same_sum(&outer.call_sites(), outer.exit());
}

/// How often the lists of `some_blocks` grow beyond room for 32 numbers. To get that far takes each
/// of them four allocations.
fn growths(counts: &[u64]) -> u64 {
    counts
        .iter()
        .filter(|count| **count * 10 > 32)
        .map(|count| if count * 10 > 64 { 2 } else { 1 })
        .sum()
}

#[test]
fn a_scope_that_opened_within_another_sees_nothing_of_it() {
    needs_call_sites!();
    let outer = AllocScope::with_call_sites();
    drop(black_box(Box::new(1)));
    let inner = AllocScope::with_call_sites();
    assert!(inner.call_sites().sites().is_empty());
    uncounted(|| assert_eq!(inner.call_sites().to_string(), "0 allocations at 0 sites\n"));
    drop(inner);
    assert_eq!(outer.call_sites().alloc_count(), 1);
}

#[test]
fn scopes_that_are_dropped_out_of_order() {
    needs_call_sites!();
    let first = AllocScope::with_call_sites();
    some_blocks(2);
    let second = AllocScope::with_call_sites();
    some_blocks(3);
    let third = AllocScope::with_call_sites();
    some_blocks(4);
    assert_same_sum(&first.call_sites(), first.exit());
    some_blocks(5);
    assert_same_sum(&third.call_sites(), third.stats());
    assert_same_sum(&second.call_sites(), second.exit());
    some_blocks(6);
    assert_same_sum(&third.call_sites(), third.exit());
}

#[test]
fn a_forgotten_scope_disturbs_no_other() {
    needs_call_sites!();
    let outer = AllocScope::with_call_sites();
    some_blocks(2);
    std::mem::forget(AllocScope::with_call_sites());
    some_blocks(3);
    assert_same_sum(&outer.call_sites(), outer.exit());
}

#[test]
fn what_is_uncounted_is_at_no_site() {
    needs_call_sites!();
    let outer = AllocScope::with_call_sites();
    some_blocks(2);
    let inner = uncounted(|| {
        some_blocks(30);
        let inner = AllocScope::with_call_sites();
        some_blocks(3);
        assert_same_sum(&outer.call_sites(), outer.stats());
        some_blocks(4);
        (inner.call_sites(), inner.exit())
    });
    assert_same_sum(&inner.0, inner.1);
    some_blocks(5);
    let (sites, stats) = (outer.call_sites(), outer.exit());
    assert_same_sum(&sites, stats);
    assert!(stats.alloc_count < 30);
}

#[test]
fn a_budget_of_several_runs_has_the_sites_of_the_first_that_broke_it() {
    needs_call_sites!();
    let mut run = 0;
    let budget = Budget::new().max(6).warmup(1).runs(5);
    let exceeded = budget.check(|| {
        some_blocks(run);
        run += 1;
    });
    let exceeded = exceeded.expect_err("the later runs allocate more");
    assert_eq!(exceeded.stats().alloc_count, 7);
    assert_same_sum(&exceeded.call_sites(), exceeded.stats());
}

#[test]
fn threads_that_record_at_once_do_not_mix() {
    needs_call_sites!();
    const ROUNDS: u64 = 500;
    let both = Barrier::new(2);
    let record = |work: fn()| {
        let scope = AllocScope::with_call_sites();
        both.wait();
        for _ in 0..ROUNDS {
            at!(work());
        }
        let sites = scope.call_sites();
        assert_same_sum(&sites, scope.exit());
        assert_eq!(sites.alloc_count(), ROUNDS);
        assert_eq!(events_at_noted(&sites), ROUNDS);
    };
    thread::scope(|scope| {
        scope.spawn(|| record(|| drop(black_box(at!(vec![1_u8; black_box(3)])))));
        scope.spawn(|| record(|| drop(black_box(at!(black_box("text").to_owned())))));
    });
}

#[test]
fn reports_are_in_nobodys_numbers() {
    needs_call_sites!();
    let outer = AllocScope::with_call_sites();
    let scope = AllocScope::with_call_sites();
    some_blocks(5);
    let before = (scope.stats(), outer.stats());
    let sites = scope.call_sites();
    let clone = sites.clone();
    let mut text = uncounted(|| String::with_capacity(1 << 20));
    use std::fmt::Write;
    let texts = write!(text, "{sites} {sites:#} {sites:?}");
    assert!(texts.is_ok() && !text.is_empty());
    let mut read = 0;
    for site in clone.sites() {
        read += site.frames().len() + site.user_frames().count();
    }
    assert!(read > 0 && sites.alloc_count() == clone.alloc_count());
    drop((sites, clone));
    assert_eq!((scope.stats(), outer.stats()), before);
    assert_same_sum(&scope.call_sites(), scope.exit());
    assert_eq!(outer.stats(), before.1);
    assert_same_sum(&outer.call_sites(), before.1);
    uncounted(|| drop(text));
}

#[test]
fn the_folded_text_is_the_users_own() {
    needs_call_sites!();
    let scope = AllocScope::with_call_sites();
    some_blocks(5);
    let sites = scope.call_sites();
    let (folded, stats) = measure(|| sites.to_folded());
    assert_eq!((stats.alloc_count, stats.total_bytes), (1, folded.len() as u64));
    let count = |line: &str| line.rsplit_once(' ')?.1.parse::<u64>().ok();
    let sum: Option<u64> = folded.lines().map(count).sum();
    assert_eq!(sum, Some(sites.alloc_count()));
    assert_eq!(folded.lines().count(), sites.sites().len());
}

#[test]
fn the_reports_of_a_budget_are_in_nobodys_numbers() {
    needs_call_sites!();
    let outer = AllocScope::with_call_sites();
    let exceeded = Budget::new().max(1).check(|| some_blocks(2)).expect_err("it allocates more");
    let before = outer.stats();
    let mut text = uncounted(|| String::with_capacity(1 << 20));
    use std::fmt::Write;
    assert!(write!(text, "{exceeded}").is_ok());
    drop(exceeded.call_sites());
    drop(exceeded);
    assert_eq!(outer.stats(), before);
    uncounted(|| drop(text));
}

/// std maps the program's file into memory when it looks for names. Other tests do so, too, so this
/// one runs in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_budget_that_holds_looks_for_no_names() {
    if std::env::var_os("LOOKS_FOR_NAMES").is_none() {
        needs_call_sites!();
        let alone = ["--exact", "counts::a_budget_that_holds_looks_for_no_names"];
        let mut again = again::this_binary();
        let (status, text) = again::run(again.args(alone).env("LOOKS_FOR_NAMES", "1"));
        assert!(status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let this = std::env::current_exe().expect("a test knows its binary");
    let this = this.to_str().expect("no odd letters");
    let mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
        maps.lines().filter(|line| line.ends_with(this)).count()
    };
    let before = mapped();
    Budget::new().max(1_000).enforce(|| some_blocks(5));
    assert_eq!(mapped(), before);
    // Whether a budget is broken may depend on whether some allocations are the test harness's. To
    // find out, names are looked for.
    let exceeded = Budget::new().max(1).check(|| some_blocks(5)).expect_err("it allocates more");
    assert!(exceeded.to_string().contains("call sites"));
    assert!(mapped() > before, "is this still the way to see it?");
}
