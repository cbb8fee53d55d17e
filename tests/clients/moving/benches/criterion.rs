//! A benchmark of criterion that also holds a budget. `cargo test` runs it once, without timing it.

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use mod_alloc::{assert_allocs, ModAlloc};
use moving::{lines, TEXT};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn copies(criterion: &mut Criterion) {
    // Held once, before it is timed.
    assert_allocs!(exact = 7, { lines(black_box(TEXT)) });
    criterion.bench_function("copies", |bencher| bencher.iter(|| lines(black_box(TEXT))));
}

criterion_group!(benches, copies);
criterion_main!(benches);
