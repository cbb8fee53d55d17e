//! Measures what counting costs on this machine, over the system allocator:
//! `cargo run --release --example bench_overhead`.
//!
//! Both are measured in turn, many times, and the medians are printed. The speed of a shared
//! machine changes from one moment to the next, but the ratio of neighbouring measurements hardly
//! does.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::Instant;

use mod_alloc::ModAlloc;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const ROUNDS: usize = 101;
const PAIRS_PER_ROUND: u32 = 50_000;

/// Nanoseconds for an allocation of 64 bytes and its deallocation.
fn pair_ns(allocator: &impl GlobalAlloc) -> f64 {
    let layout = Layout::new::<[u64; 8]>();
    let start = Instant::now();
    for _ in 0..PAIRS_PER_ROUND {
        // SAFETY: the layout is not zero-sized.
        let block = black_box(unsafe { allocator.alloc(black_box(layout)) });
        assert!(!block.is_null());
        // SAFETY: `block` came from `allocator` with `layout`.
        unsafe { allocator.dealloc(block, layout) };
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(PAIRS_PER_ROUND)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let rounds: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (pair_ns(&System), pair_ns(&GLOBAL))).collect();
    let system = median(rounds.iter().map(|(system, _)| *system).collect());
    let counted = median(rounds.iter().map(|(_, counted)| *counted).collect());
    let ratio = median(rounds.iter().map(|(system, counted)| counted / system).collect());

    println!("alloc + dealloc, medians of {ROUNDS} interleaved rounds");
    println!("System:   {system:6.2} ns");
    println!("ModAlloc: {counted:6.2} ns");
    println!("overhead: {:6.2} ns   ratio {ratio:.2}", counted - system);
    if cfg!(debug_assertions) {
        println!("(a debug build; add --release for the figures of an optimised one)");
    }
}
