//! [`pair`](crate::pair) from twenty places in turn, below a chosen number of functions: what it costs to note where an allocation
//! was made.

use std::hint::black_box;

use crate::work::one_pair;

/// How many places there are.
const SITES: usize = 20;

/// How the work gets from one place to the next. A stack walker may profit from what two walks have in common.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// A loop calls the places; only the innermost of the functions differs from one time to the next.
    Stay,
    /// The whole way is gone again, and every function on it is another one than the last time.
    Anew,
}

/// So many pairs, each below `frames` functions, of which this is the first and the place of the allocation the last.
///
/// # Panics
/// With fewer than three frames.
#[inline(never)]
pub fn sites(way: Way, frames: usize, iterations: u64) {
    match way {
        Way::Stay => below(0, frames - 3, iterations, stay),
        Way::Anew => {
            for i in 0..iterations {
                let site = i as usize % SITES;
                below(site, frames - 2, i, SITE[site]);
            }
        }
    }
    black_box(frames);
}

/// How many functions there are to go through.
const LEVELS: usize = 24;

/// What is at the end of the way.
struct Goal {
    first: usize,
    argument: u64,
    call: fn(u64),
}

#[rustfmt::skip]
static LEVEL: [fn(usize, &Goal); LEVELS] = [
    level::<0>, level::<1>, level::<2>, level::<3>, level::<4>, level::<5>, level::<6>, level::<7>,
    level::<8>, level::<9>, level::<10>, level::<11>, level::<12>, level::<13>, level::<14>, level::<15>,
    level::<16>, level::<17>, level::<18>, level::<19>, level::<20>, level::<21>, level::<22>, level::<23>,
];

#[rustfmt::skip]
static SITE: [fn(u64); SITES] = [
    site::<0>, site::<1>, site::<2>, site::<3>, site::<4>, site::<5>, site::<6>, site::<7>, site::<8>, site::<9>,
    site::<10>, site::<11>, site::<12>, site::<13>, site::<14>, site::<15>, site::<16>, site::<17>, site::<18>, site::<19>,
];

/// `call(argument)` below so many functions, all different up to 24; `first` says with which of them the way ends.
#[inline(always)]
pub fn below(first: usize, levels: usize, argument: u64, call: fn(u64)) {
    step(levels, &Goal { first, argument, call });
}

#[inline(always)]
fn step(levels: usize, goal: &Goal) {
    match levels.checked_sub(1) {
        Some(levels) => LEVEL[(levels + goal.first) % LEVELS](levels, goal),
        None => (goal.call)(goal.argument),
    }
}

/// `N` keeps the functions apart, and what follows the call keeps it from being a jump.
#[inline(never)]
fn level<const N: usize>(levels: usize, goal: &Goal) {
    step(levels, goal);
    black_box(N);
}

#[inline(never)]
fn site<const N: usize>(_: u64) {
    one_pair();
    black_box(N);
}

#[inline(never)]
fn stay(iterations: u64) {
    for i in 0..iterations {
        SITE[i as usize % SITES](i);
    }
}
