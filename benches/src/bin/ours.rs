//! mod-alloc, installed; and what its scopes and budgets cost.

use std::hint::black_box;

use mod_alloc::{AllocScope, Budget, ModAlloc};
use workloads::Workload;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    workloads::main(&[
        Workload::new("nested", nested),
        Workload::new("scope", scope),
        Workload::new("check", check),
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
fn check(iterations: u64) {
    for _ in 0..iterations {
        Budget::new().max(0).check(|| black_box(())).expect("nothing is allocated");
    }
}
