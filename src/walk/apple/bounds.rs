//! Hot: what may be read of the stack that a stack pointer is on, from there upwards, on Apple's
//! systems: of the thread's own stack, all. Of other stacks, those of coroutines and of signal
//! handlers, nobody knows where they end, so nothing of them is read, and walks do not begin there.
//!
//! The bounds are asked for once for each thread, and kept.
//!
//! Relies on: the C library, for the bounds of the thread's stack.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::mem::needs_drop;

use crate::sys::apple::{pthread_get_stackaddr_np, pthread_get_stacksize_np};
use crate::sys::threads::pthread_self;

/// Addresses from `low` up to `high`, which is a multiple of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    low: usize,
    high: usize,
}

/// Not known yet.
const UNASKED: Bounds = Bounds { low: 0, high: 0 };
/// Holds no stack pointer.
const NOWHERE: Bounds = Bounds { low: usize::MAX, high: usize::MAX };

thread_local! {
    // Without a destructor, so that it can be read at any time of a thread's life.
    static OWN: Cell<Bounds> = const { Cell::new(UNASKED) };
}

const _: () = assert!(!needs_drop::<Cell<Bounds>>());

/// What may be read from a stack pointer upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readable {
    pub(crate) end: usize,
    /// It is the thread's own stack, and all of it.
    pub(crate) is_own: bool,
}

/// `None` where there is no stack, or another than the thread's own.
#[inline]
pub(crate) fn readable(sp: usize) -> Option<Readable> {
    let own = own();
    let is_own = sp % 8 == 0 && own.low <= sp && sp < own.high;
    is_own.then_some(Readable { end: own.high, is_own })
}

/// There is never more of it than was said at first.
pub(crate) fn extended(_readable: Readable, _end: usize) -> Option<Readable> {
    None
}

/// Whether an address lies in the stack that the thread began with, rather than in that of a
/// coroutine or a signal handler.
#[inline]
pub(crate) fn is_on_first_stack(address: usize) -> bool {
    let own = own();
    own.low <= address && address < own.high
}

#[inline]
fn own() -> Bounds {
    let mut bounds = OWN.with(Cell::get);
    if bounds.high == 0 {
        bounds = ask();
        OWN.with(|kept| kept.set(bounds));
    }
    bounds
}

#[cold]
fn ask() -> Bounds {
    // SAFETY: no arguments.
    let this = unsafe { pthread_self() };
    // SAFETY: the thread runs. A stack begins at its highest address.
    let high = unsafe { pthread_get_stackaddr_np(this) } & !7;
    // SAFETY: the thread runs.
    let size = unsafe { pthread_get_stacksize_np(this) };
    match high.checked_sub(size) {
        Some(low) if size > 0 => Bounds { low, high },
        _ => NOWHERE,
    }
}

#[cfg(test)]
mod tests {
    use super::{ask, extended, is_on_first_stack, readable, Readable};
    use std::thread;

    fn address_here() -> usize {
        let here = 0_u64;
        std::hint::black_box(&here) as *const u64 as usize
    }

    #[test]
    fn the_stack_of_a_thread_is_its_own() {
        for kib in [64, 2048] {
            let thread = thread::Builder::new().stack_size(kib << 10).spawn(|| {
                let (here, own) = (address_here(), ask());
                assert!(own.low <= here && here < own.high, "{own:x?} {here:x}");
                assert_eq!(readable(here), Some(Readable { end: own.high, is_own: true }));
                assert!(is_on_first_stack(here));
                here
            });
            let there = thread.unwrap().join().unwrap();
            assert_eq!(readable(there), None);
        }
    }

    #[test]
    fn addresses_elsewhere_and_odd_ones_are_not_in_the_stack() {
        let here = address_here();
        let own = readable(here).expect("this thread's own");
        assert_eq!(extended(own, own.end + 8), None);
        let heap: *const u64 = &*Box::new(1);
        for elsewhere in [here + 1, here + 4, 0, 8, own.end, usize::MAX, heap as usize] {
            assert_eq!(readable(elsewhere), None, "{elsewhere:x}");
        }
    }
}
