//! Does a [`pair`](crate::pair) at twenty places in turn, below a chosen number of functions. It
//! measures what it costs to note where an allocation was made.

use std::hint::black_box;

use crate::work::one_pair;

/// How many places there are.
const SITES: usize = 20;

/// How the work gets from one place to the next. A stack walker may profit from what two walks have
/// in common.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// A loop calls the places. Only the innermost function differs from one time to the next.
    Stay,
    /// Each time starts at the outermost function, and every function is another one than before.
    Anew,
}

/// Does so many pairs, each below `frames` functions. This is the first of them, and the last is
/// the place of the allocation.
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

/// How many different functions there are to call one another.
const LEVELS: usize = 24;

/// What the innermost function calls.
struct Goal {
    first: usize,
    argument: u64,
    call: fn(u64),
}

#[rustfmt::skip]
static LEVEL: [fn(usize, &Goal); LEVELS] = [
    level::<0>, level::<1>, level::<2>, level::<3>, level::<4>, level::<5>,
    level::<6>, level::<7>, level::<8>, level::<9>, level::<10>, level::<11>,
    level::<12>, level::<13>, level::<14>, level::<15>, level::<16>, level::<17>,
    level::<18>, level::<19>, level::<20>, level::<21>, level::<22>, level::<23>,
];

#[rustfmt::skip]
static SITE: [fn(u64); SITES] = [
    site::<0>, site::<1>, site::<2>, site::<3>, site::<4>,
    site::<5>, site::<6>, site::<7>, site::<8>, site::<9>,
    site::<10>, site::<11>, site::<12>, site::<13>, site::<14>,
    site::<15>, site::<16>, site::<17>, site::<18>, site::<19>,
];

/// Calls `call(argument)` below `levels` functions, of which up to 24 are different ones. `first`
/// is the number of the innermost.
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

/// `N` keeps the functions apart. What follows the call keeps it from being a jump.
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
