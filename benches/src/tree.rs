//! Does a [`pair`](crate::pair) at the leaves of a tree of calls: as many different stacks as are
//! wanted, all of them of one depth.

use std::hint::black_box;

use crate::work::one_pair;

/// Does a pair below `depth` functions. The bits of `path` say which function each of them calls,
/// those of the outermost first.
#[inline(never)]
pub fn leaf(depth: u32, path: u64) {
    step(depth - 1, path);
    black_box(depth);
}

#[inline(always)]
fn step(depth: u32, path: u64) {
    match depth {
        0 => one_pair(),
        _ if path & 1 == 0 => left(depth - 1, path >> 1),
        _ => right(depth - 1, path >> 1),
    }
}

#[inline(never)]
fn left(depth: u32, path: u64) {
    step(depth, path);
    black_box(0); // Keeps the call from being a jump.
}

#[inline(never)]
fn right(depth: u32, path: u64) {
    step(depth, path);
    black_box(1);
}
