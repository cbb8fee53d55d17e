//! A benchmark of divan that also holds a budget. `cargo test` runs it once, without timing it.

use divan::{black_box, AllocProfiler, Bencher};
use mod_alloc::{assert_allocs, ModAlloc};
use moving::{lines, TEXT};

#[global_allocator]
static GLOBAL: ModAlloc<AllocProfiler> = ModAlloc::with(AllocProfiler::system());

fn main() {
    divan::main();
}

#[divan::bench]
fn copies(bencher: Bencher<'_, '_>) {
    // Held once, before it is timed.
    assert_allocs!(exact = 7, { lines(black_box(TEXT)) });
    bencher.bench(|| lines(black_box(TEXT)));
}
