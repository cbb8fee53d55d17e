//! mod-alloc, installed. Measures what its scopes and budgets cost, too.

use std::hint::black_box;

use mod_alloc::{AllocScope, Budget, ModAlloc, Profiler};
use workloads::{on_two_threads, sites, Way, Workload};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    workloads::main(&[
        Workload::new("nested", nested),
        Workload::new("scope", scope),
        Workload::new("check", |n| check(true, n)),
        Workload::new("check-without", |n| check(false, n)),
        Workload::new("recording-scope", recording_scope),
        Workload::new("recorded-stay-15", |n| recorded(Way::Stay, 15, n)),
        Workload::new("recorded-stay-35", |n| recorded(Way::Stay, 35, n)),
        Workload::new("recorded-stay-95", |n| recorded(Way::Stay, 95, n)),
        Workload::new("recorded-anew-15", |n| recorded(Way::Anew, 15, n)),
        Workload::new("recorded-anew-35", |n| recorded(Way::Anew, 35, n)),
        Workload::new("recorded-anew-95", |n| recorded(Way::Anew, 95, n)),
        Workload::new("followed-stay-15", followed),
        Workload::new("profiled-stay-15", |n| profiled(&|| sites(Way::Stay, 15, n))),
        Workload {
            name: "profiled-stay-15-2-threads",
            threads: 2,
            run: |n| profiled(&|| on_two_threads(&|| sites(Way::Stay, 15, n))),
        },
        Workload::new("budget-1000", |n| budget(true, n)),
        Workload::new("budget-1000-without", |n| budget(false, n)),
    ]);
}

fn nested(iterations: u64) {
    workloads::nested(iterations, |work| {
        let scope = AllocScope::enter();
        work();
        black_box(scope.exit());
    });
}

/// Enters a scope, leaves it, and looks at its numbers.
fn scope(iterations: u64) {
    for _ in 0..iterations {
        black_box(AllocScope::enter().exit());
    }
}

/// Checks a budget over a closure that does nothing.
fn check(call_sites: bool, iterations: u64) {
    let budget = Budget::new().max(0).call_sites(call_sites);
    for _ in 0..iterations {
        budget.check(|| black_box(())).expect("nothing is allocated");
    }
}

/// Enters a scope that records call sites, leaves it, and looks at its numbers.
fn recording_scope(iterations: u64) {
    for _ in 0..iterations {
        black_box(AllocScope::with_call_sites().exit());
    }
}

/// [`sites`] in a scope that records.
fn recorded(way: Way, frames: usize, iterations: u64) {
    let scope = AllocScope::with_call_sites();
    sites(way, frames, iterations);
    black_box(scope.exit());
}

/// [`sites`] in a scope that records, and follows each block until it is freed.
fn followed(iterations: u64) {
    let scope = AllocScope::with_heap_profile();
    sites(Way::Stay, 15, iterations);
    black_box(scope.exit());
}

/// Some work while a profiler records.
fn profiled(work: &dyn Fn()) {
    let profiler = Profiler::with_call_sites();
    work();
    black_box(profiler.stop());
}

/// Checks a budget over 1,000 allocations at twenty places.
fn budget(call_sites: bool, iterations: u64) {
    let budget = Budget::new().max(1_000).call_sites(call_sites);
    for _ in 0..iterations {
        budget.check(|| sites(Way::Anew, 15, 1_000)).expect("there are 1,000");
    }
}
