//! Compares random programs with a plain model: allocations, reallocations and frees of every kind,
//! scopes that are nested, dropped out of order and forgotten, uncounted stretches, futures, panics
//! that are caught, and blocks that other threads free. The model (`reference.rs`) updates every
//! scope at every event. The library must agree to the last digit.
//!
//! There is no test harness, so nothing else allocates, and the totals of the process are compared
//! as well. A second allocator (`truth.rs`), which wraps `ModAlloc`, counts them in the plainest
//! way.
//!
//! `cargo test --test model -- PROGRAMS SEED` runs other programs, or one again.

#[path = "../common/block.rs"]
mod block;
mod execute;
#[path = "../common/part_of.rs"]
mod part_of;
mod program;
#[path = "../common/random.rs"]
mod random;
mod reference;
mod truth;
#[path = "../common/waker.rs"]
mod waker;

use execute::Machine;
use part_of::part_of;
use program::{Generator, Op};
use truth::Truth;

#[global_allocator]
static GLOBAL: Truth = Truth::new();

/// One thread's part of a program: what it does first, and then what it does with the blocks of its
/// neighbour.
struct Part {
    first: Vec<Op>,
    second: Vec<Op>,
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let programs = numbers.next().unwrap_or_else(|| part_of(12_000));
    let seed = numbers.next().unwrap_or(1);
    let thrown = execute::cost_of_a_panic();
    let mut checked = 0;
    for seed in seed..seed + programs {
        // A program has a thread of its own, with which the scopes go that it forgets.
        let program = std::thread::spawn(move || run_program(seed, thrown));
        checked += program.join().expect("a program ends");
    }
    assert!(checked > programs, "only {checked} scopes were compared: the programs are too thin");
    println!("model: {programs} random programs, {checked} scopes and futures agree");
}

/// Runs the program of a seed. Returns how many scopes were compared.
fn run_program(seed: u64, thrown: usize) -> u64 {
    let mut random = Generator::new(seed);
    let threads = random.below(3) + 1;
    let parts: Vec<Part> = (0..threads)
        .map(|_| Part { first: program::random(&mut random), second: program::random(&mut random) })
        .collect();

    let start = GLOBAL.start(seed % 2 == 1);
    // The neighbour of each thread goes on with the blocks that the thread has after its first
    // part.
    let first = on_threads(&parts, |_, part| Machine::new(execute::no_blocks()).run(&part.first));
    let (mut blocks, mut results): (Vec<_>, Vec<_>) = first.into_iter().unzip();
    blocks.rotate_left(1);
    let second = on_threads(&parts, |i, part| Machine::new(blocks[i]).run(&part.second));
    for (measured, (left, more)) in results.iter_mut().zip(second) {
        measured.extend(more);
        execute::free(left);
    }
    // The measured futures end in errors. Their memory is not in the library's totals, but in those
    // of the truth.
    if !random.futures {
        GLOBAL.compare(start, threads, seed);
    }

    // What the model says to the same program.
    let mut sizes: Vec<_> = Vec::new();
    let mut expected = Vec::new();
    for part in &parts {
        let (left, measured) = reference::run(&part.first, reference::no_sizes(), thrown);
        sizes.push(left);
        expected.push(measured);
    }
    sizes.rotate_left(1);
    for (i, part) in parts.iter().enumerate() {
        expected[i].extend(reference::run(&part.second, sizes[i], thrown).1);
    }
    for (thread, (got, expected)) in results.iter().zip(&expected).enumerate() {
        assert_eq!(got.len(), expected.len(), "seed {seed}, thread {thread}");
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert_eq!(got, expected, "seed {seed}, thread {thread}, reading {i}");
        }
    }
    results.iter().map(|measured| measured.len() as u64).sum()
}

/// Runs each part on a thread of its own, all at once. A single part runs on this thread.
fn on_threads<R: Send>(parts: &[Part], run: impl Fn(usize, &Part) -> R + Sync) -> Vec<R> {
    if let [part] = parts {
        return vec![run(0, part)];
    }
    let run = &run;
    std::thread::scope(|scope| {
        let running: Vec<_> =
            parts.iter().enumerate().map(|(i, part)| scope.spawn(move || run(i, part))).collect();
        running.into_iter().map(|thread| thread.join().expect("a program ends")).collect()
    })
}
