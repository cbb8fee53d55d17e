//! One heap profile with every case of the documentation: blocks from before it, within it and
//! after it, which are freed and reallocated.

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use super::print_stats;
use crate::dhat;

/// How long the blocks live at least that are live at the peak.
const MILLISECONDS: u64 = 2;

pub(super) fn run() {
    fs::write("address_of_blocks", format!("{:p}", blocks as fn(usize) -> [Vec<u8>; 2])).unwrap();
    let untouched = black_box(vec![1_u32, 2, 3, 4]);
    let freed_within = black_box(vec![1_u32, 2, 3, 4]);
    let mut grown_within = black_box(vec![1_u32, 2, 3, 4]);
    let mut grown_after = black_box(vec![1_u32, 2, 3, 4]);
    let profiler = dhat::Profiler::builder().trim_backtraces(Some(usize::MAX)).build();
    print_stats("at the start");

    drop(freed_within);
    print_stats("an older block is freed");
    grown_within.push(5);
    print_stats("an older block is reallocated");

    let [large, mut grown] = blocks(1000);
    thread::sleep(Duration::from_millis(MILLISECONDS));
    grown.reserve(200);
    print_stats("at the peak");
    drop(large);
    for byte in 0..black_box(10) {
        one_byte(byte);
    }
    print_stats("before the end");

    drop(grown);
    drop(profiler);
    drop(untouched);
    grown_after.push(5);
    drop(black_box(grown_within));
}

#[inline(never)]
fn blocks(length: usize) -> [Vec<u8>; 2] {
    let first = zeroed_bytes(length);
    let second = zeroed_bytes(length / 5);
    black_box([first, second])
}

#[inline(never)]
fn zeroed_bytes(length: usize) -> Vec<u8> {
    let bytes = vec![0; length];
    black_box(bytes)
}

#[inline(never)]
fn one_byte(byte: u8) {
    drop(black_box(vec![black_box(byte)]));
}
