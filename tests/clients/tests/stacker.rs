//! Code that grows its stack by switching to another one, as parsers of deep nesting do, and
//! coroutines. Their allocations have lines. If the crate that switches has unwind tables, the
//! stack leads back to where the scope was opened.
#![cfg(target_os = "linux")]

use std::hint::black_box;

use mod_alloc::{AllocScope, Budget, CallSites, ModAlloc};

#[path = "../../common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "../../common/needs_call_sites.rs"]
mod needs_call_sites;

use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Allocates once at each depth, each time on a stack of its own.
#[inline(never)]
fn nested(depth: u32) -> usize {
    let block = black_box(vec![1_u8; 10 + depth as usize]);
    match depth {
        0 => block.len(),
        _ => block.len() + stacker::grow(64 << 10, || nested(black_box(depth - 1))),
    }
}

/// The functions of this file on the way to each site, innermost first.
fn chains(sites: &CallSites) -> Vec<Vec<String>> {
    let own = |site: &mod_alloc::Site| {
        let name = |frame: &mod_alloc::Frame| frame.function().unwrap_or("?").to_owned();
        site.user_frames().map(name).collect()
    };
    sites.sites().iter().map(own).collect()
}

#[test]
fn stacks_that_grow_lead_back_to_where_the_scope_was_opened() {
    needs_call_sites!();
    let scope = AllocScope::with_call_sites();
    // The stacks themselves are mapped, not allocated.
    assert_eq!(nested(black_box(3)), 10 + 11 + 12 + 13);
    let sites = scope.call_sites();
    let stats = scope.exit();
    assert_eq!((sites.alloc_count(), sites.unattributed_count()), (stats.alloc_count, 0));
    assert_eq!(stats.alloc_count, 4, "{sites:#}");
    let text = format!("{sites:#}");
    assert!(!text.contains("not complete"), "{text}");
    let opener = "stacks_that_grow_lead_back_to_where_the_scope_was_opened";
    for chain in chains(&sites) {
        let nested = chain.iter().filter(|name| name.contains("nested")).count();
        assert!((1..=8).contains(&nested), "{text}");
        assert!(chain.last().is_some_and(|name| name.contains(opener)), "{text}");
    }
}

#[test]
fn the_row_of_a_broken_budget_is_the_line_that_allocates() {
    needs_call_sites!();
    let exceeded = Budget::new().max(1).check(|| nested(black_box(1))).unwrap_err();
    let report = exceeded.to_string();
    assert!(report.contains("tests/stacker.rs:23:27  nested"), "{report}");
}

#[test]
fn what_a_coroutine_allocates_has_its_line() {
    needs_call_sites!();
    let scope = AllocScope::with_call_sites();
    let mut coroutine = corosensei::Coroutine::new(|yielder, ()| {
        for _ in 0..2 {
            black_box(nested(black_box(0)));
            yielder.suspend(());
        }
    });
    let before = scope.stats().alloc_count;
    while coroutine.resume(()).as_yield().is_some() {}
    let sites = scope.call_sites();
    assert_eq!(scope.exit().alloc_count - before, 2);
    assert_eq!(sites.unattributed_count(), 0, "{sites:#}");
    let own: Vec<_> = chains(&sites).into_iter().filter(|c| c[0].contains("nested")).collect();
    // An optimised build may have no line for the coroutine's closure, which is inlined into std's
    // `__rust_try`.
    let least = if cfg!(debug_assertions) { 2 } else { 1 };
    assert!(!own.is_empty() && own.iter().all(|chain| chain.len() >= least), "{sites:#}");
    // On x86_64, corosensei finds the resumer by an expression that the walker does not know.
    let is_complete = !format!("{sites:#}").contains(".. the stack is not complete: ");
    assert!(!is_complete || cfg!(not(target_arch = "x86_64")), "{sites:#}");
}
