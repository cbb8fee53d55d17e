//! Hot: what may be read of the stack that a stack pointer is on, from there upwards.
//!
//! Windows keeps the bounds of the stack that a thread runs on in a place of the thread's own (its
//! `NT_TIB`), since it looks at them itself: whoever changes stacks changes them, too. Between them
//! all is mapped. Elsewhere nothing is read.
//!
//! Relies on: x86_64 Windows, whose `gs` segment begins with the `NT_TIB` of the thread.
#![allow(unsafe_code)]

use std::arch::asm;

/// What may be read from a stack pointer upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readable {
    pub(crate) end: usize,
    /// It is the thread's own stack, and all of it.
    pub(crate) is_own: bool,
}

/// `None` where there is no stack.
#[inline]
pub(crate) fn readable(sp: usize) -> Option<Readable> {
    let (low, high) = bounds();
    let is_on_it = sp % 8 == 0 && low <= sp && sp < high;
    is_on_it.then_some(Readable { end: high & !7, is_own: true })
}

/// There is no more of it.
pub(crate) fn extended(_: Readable, _end: usize) -> Option<Readable> {
    None
}

/// Whether an address lies in the stack that the thread is on. Which it began with, nobody tells.
#[inline]
pub(crate) fn is_on_first_stack(address: usize) -> bool {
    let (low, high) = bounds();
    low <= address && address < high
}

/// Where the mapped part of the stack begins, and where it ends.
#[inline]
fn bounds() -> (usize, usize) {
    let (low, high);
    // SAFETY: reads two words of the thread's own.
    unsafe {
        asm!(
            "mov {low}, gs:[16]",
            "mov {high}, gs:[8]",
            low = out(reg) low,
            high = out(reg) high,
            options(nostack, preserves_flags, readonly),
        );
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::{bounds, is_on_first_stack, readable};
    use std::thread;

    fn address_here() -> usize {
        let here = 0_u64;
        std::hint::black_box(&here) as *const u64 as usize
    }

    #[test]
    fn the_stack_of_a_thread_is_its_own() {
        let (low, high) = bounds();
        let here = address_here();
        assert!(low <= here && here < high && readable(here).is_some());
        let there = thread::spawn(|| (address_here(), bounds())).join().unwrap();
        assert_ne!(there.1, (low, high));
        assert!(!is_on_first_stack(there.0) && readable(there.0).is_none());
    }

    #[test]
    fn all_of_it_can_be_read() {
        let here = address_here();
        let end = readable(here).unwrap().end;
        // SAFETY: that is what is tested.
        let word = |at: usize| unsafe { *(at as *const usize) };
        let sum = (here..end).step_by(8).fold(0, |sum: usize, at| sum.wrapping_add(word(at)));
        std::hint::black_box(sum);
    }

    #[test]
    fn addresses_elsewhere_and_odd_ones_are_not_in_the_stack() {
        let here = address_here();
        let heap: *const u64 = &*Box::new(1);
        for elsewhere in [here + 1, here + 4, 0, 8, usize::MAX, usize::MAX - 7, heap as usize] {
            assert_eq!(readable(elsewhere), None, "{elsewhere:x}");
        }
    }
}
