//! mod-alloc, installed. Measures what it costs when a scope counts several threads, and when it
//! tracks which blocks are live.

use std::hint::black_box;
use std::thread;

use mod_alloc::{AllocScope, Budget, ModAlloc};
use workloads::{pair, sites, Way, Workload};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    workloads::main(&[
        Workload::new("own", |n| own(COUNTED, &|| pair(n))),
        Workload::new("attached", |n| attached(COUNTED, &|| pair(n))),
        Workload::new("own-peak", |n| own(COUNTED.max_peak_bytes(u64::MAX), &|| pair(n))),
        Workload::new("attached-peak", |n| attached(COUNTED.max_peak_bytes(u64::MAX), &|| pair(n))),
        Workload::new("own-sites", |n| own(RECORDED, &|| sites(Way::Stay, 15, n))),
        Workload::new("attached-sites", |n| attached(RECORDED, &|| sites(Way::Stay, 15, n))),
        Workload::new("tracked", |n| own(TRACKED, &|| pair(n))),
        Workload::new("kept", |n| kept(COUNTED, n)),
        Workload::new("tracked-kept", |n| kept(TRACKED, n)),
        Workload::new("tracked-check", |n| (0..n).for_each(|_| hold(TRACKED, || ()))),
    ]);
}

const COUNTED: Budget = Budget::new().max(u64::MAX).call_sites(false);
const RECORDED: Budget = COUNTED.call_sites(true);
const TRACKED: Budget = COUNTED.max_retained(u64::MAX).max_retained_bytes(u64::MAX);

fn hold<R>(budget: Budget, work: impl FnOnce() -> R) -> R {
    budget.check(work).expect("the limits are out of reach")
}

fn on_a_thread(work: impl FnOnce() + Send) {
    thread::scope(|threads| threads.spawn(work).join()).expect("it ends well");
}

/// On a thread that has a budget of its own.
fn own(budget: Budget, work: &(dyn Fn() + Sync)) {
    on_a_thread(|| hold(budget, work));
}

/// On a thread that is attached to the budget of this one.
fn attached(budget: Budget, work: &(dyn Fn() + Sync)) {
    hold(budget, || {
        let scope = AllocScope::current().expect("the budget");
        on_a_thread(scope.wrap(work));
    });
}

/// Allocates blocks that are all live at the end of the budget, and then frees them.
fn kept(budget: Budget, iterations: u64) {
    let mut blocks = Vec::with_capacity(iterations as usize);
    hold(budget, || (0..iterations).for_each(|i| blocks.push(Box::new([i; 5]))));
    drop(black_box(blocks));
}
