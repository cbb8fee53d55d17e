//! Deep stacks: below the limit of a walk, at it and past it.

use std::hint::black_box;

use super::allocate;
use crate::walk::MAX_FRAMES;

pub(crate) fn work() {
    for depth in [10, 100, 160, 250, 300, MAX_FRAMES, 600, 700] {
        small(depth);
        for _ in 0..4 {
            mixed(depth); // It is remembered from the second time on, unless it is too deep.
        }
        through_closures(depth, &mut |depth| allocate(depth + 1));
    }
    // This makes every number of frames about the limit. The debug build has more of them a level.
    for depth in MAX_FRAMES - 40..MAX_FRAMES + 8 {
        plain(depth);
    }
}

fn small(depth: usize) {
    if depth % 16 == 0 {
        allocate(16);
    }
    if depth > 0 {
        small(depth - 1);
    }
    if depth % 32 == 0 {
        allocate(17);
    }
}

#[inline(never)]
fn plain(depth: usize) {
    match black_box(depth) {
        0 => allocate(8),
        depth => plain(depth - 1),
    }
    black_box(depth);
}

fn mixed(depth: usize) {
    let Some(next) = depth.checked_sub(1) else { return allocate(1) };
    match depth % 5 {
        0 => with_array::<24>(next),
        1 => with_array::<1_000>(next),
        2 => with_array::<9_000>(next),
        3 => (0..1).for_each(|_| mixed(next)),
        _ => drop(black_box(Some(next)).map(mixed)),
    }
}

#[inline(never)]
fn with_array<const N: usize>(next: usize) {
    let array = black_box([1_u8; N]);
    if next % 8 == 0 {
        allocate(array[N / 2].into());
    }
    mixed(next);
    black_box(&array);
}

fn through_closures(depth: usize, end: &mut dyn FnMut(usize)) {
    if depth == 0 {
        return end(depth);
    }
    through_closures(depth - 1, &mut |inner| {
        if inner % 32 == 0 {
            allocate(inner + 1);
        }
        end(inner + 1);
    });
}
