//! Threads that allocate at the same time, without an order.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use super::random;
use crate::dhat;

const THREADS: usize = 3;

pub(super) fn run() {
    all_within_a_profile();
    profiles_within_the_work();
}

/// What does not depend on the order is the same in each run.
fn all_within_a_profile() {
    let barrier = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for seed in 0..THREADS as u64 {
            let barrier = &barrier;
            scope.spawn(move || {
                let mut program = random::Program::new(seed);
                barrier.wait();
                barrier.wait();
                program.steps(150);
                barrier.wait();
                barrier.wait();
            });
        }
        barrier.wait();
        let profiler =
            dhat::Profiler::builder().file_name("all_within.json").trim_backtraces(None).build();
        barrier.wait();
        barrier.wait();
        let dhat::HeapStats { total_blocks, total_bytes, curr_blocks, curr_bytes, .. } =
            dhat::HeapStats::get();
        println!(
            "{total_blocks} blocks, {total_bytes} bytes, at the end {curr_blocks} and {curr_bytes}"
        );
        drop(profiler);
        barrier.wait();
    });
}

/// Nothing is the same in each run, but all of it is possible.
fn profiles_within_the_work() {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 0..THREADS as u64 {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut program = random::Program::new(seed);
                while !is_over.load(Ordering::Relaxed) {
                    program.steps(10);
                    thread::sleep(Duration::from_micros(300));
                }
            });
        }
        for number in 0..8 {
            let file = format!("within_the_work_{number}.json");
            let _profiler = dhat::Profiler::builder().file_name(file).build();
            thread::sleep(Duration::from_millis(1));
            black_box(dhat::HeapStats::get());
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
