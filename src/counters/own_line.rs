//! Hot: how a thread reads the thresholds of its line, and how it writes its own line.
//!
//! On x86_64 what an event adds is one instruction each. So a signal handler that allocates in the
//! midst of an event neither spoils what the event adds, nor is what the handler adds spoilt. It
//! also spares a register for the sum.
//!
//! Unoptimised, the methods of `AtomicI64` are calls upon calls, of 30 instructions. There an
//! aligned `mov` does the same as a relaxed load or store.
//!
//! Relies on: whoever calls these functions hands in the line of a thread's counters or, to read
//! thresholds, of a dummy; to write it, a line that the current thread owns.
#![allow(unsafe_code)]

#[allow(unused_imports)] // Unoptimised, all of x86_64 is assembly.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::thread_counters::{Line, Word};

// The thresholds, which other threads may store meanwhile.
macro_rules! threshold {
    ($name:ident, $word:ident, $offset:literal) => {
        /// # Safety
        /// `line` is the line of a [`ThreadCounters`](super::ThreadCounters) or of a dummy.
        #[inline(always)]
        pub(crate) unsafe fn $name(line: *const Line) -> i64 {
            const _: () = assert!(Word::$word as usize * 8 == $offset);
            #[cfg(all(
                debug_assertions,
                target_arch = "x86_64",
                target_pointer_width = "64",
                not(miri)
            ))]
            {
                let threshold: i64;
                // SAFETY: in bounds, aligned and alive by the contract; other threads store it
                // atomically.
                unsafe {
                    std::arch::asm!(
                        concat!("mov {}, [{} + ", $offset, "]"),
                        out(reg) threshold,
                        in(reg) line,
                        options(nostack, preserves_flags, readonly),
                    );
                }
                threshold
            }
            #[cfg(not(all(
                debug_assertions,
                target_arch = "x86_64",
                target_pointer_width = "64",
                not(miri)
            )))]
            // SAFETY: as above; a dummy is in read-only memory, which a relaxed load may read.
            unsafe { AtomicI64::from_ptr(Word::$word.of(line)) }.load(Relaxed)
        }
    };
}
threshold!(floor, Floor, 48);
threshold!(ceiling, Ceiling, 56);

/// Stores one word of the current thread's own line.
///
/// # Safety
/// `line` is the line of a [`ThreadCounters`](super::ThreadCounters) (not of a dummy) that the
/// current thread owns.
#[inline(always)]
pub(crate) unsafe fn store(line: *const Line, word: Word, value: i64) {
    let at = word.of(line);
    #[cfg(all(debug_assertions, target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    // SAFETY: in bounds, aligned and alive by the contract; other threads read it atomically.
    unsafe {
        std::arch::asm!(
            "mov [{}], {}",
            in(reg) at,
            in(reg) value,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(all(
        debug_assertions,
        target_arch = "x86_64",
        target_pointer_width = "64",
        not(miri)
    )))]
    // SAFETY: as above.
    unsafe { AtomicI64::from_ptr(at) }.store(value, Relaxed);
}

// What an event adds: an amount, or one.
macro_rules! add {
    ($name:ident($($amount:ident)?), $word:ident, $offset:literal, $instruction:literal) => {
        /// # Safety
        /// As for [`store`].
        #[inline(always)]
        pub(crate) unsafe fn $name(line: *const Line $(, $amount: i64)?) {
            const _: () = assert!(Word::$word as usize * 8 == $offset);
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
            // SAFETY: in bounds, aligned and alive by the contract; other threads read it
            // atomically.
            unsafe {
                std::arch::asm!(
                    concat!(
                        $instruction, " qword ptr [{} + ", $offset, "]"
                        $(, ", {", stringify!($amount), "}")?
                    ),
                    in(reg) line,
                    $($amount = in(reg) $amount,)?
                    options(nostack),
                );
            }
            #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
            {
                // SAFETY: as above.
                let own = unsafe { AtomicI64::from_ptr(Word::$word.of(line)) };
                own.store(own.load(Relaxed).wrapping_add(1 $(* $amount)?), Relaxed);
            }
        }
    };
}
add!(add_got(amount), Got, 0, "add");
add!(add_freed(amount), Freed, 8, "add");
add!(count_alloc(), Allocs, 24, "inc");
add!(count_dealloc(), Deallocs, 32, "inc");
add!(count_realloc(), Reallocs, 40, "inc");

#[cfg(test)]
mod tests {
    use super::{add_freed, add_got, count_alloc, count_dealloc, count_realloc};
    use super::{ceiling, floor, store, Word};
    use crate::counters::ThreadCounters;

    #[test]
    fn words_are_the_fields_of_the_line() {
        let thread = ThreadCounters::NEW;
        use Word::{Allocs, Ceiling, Deallocs, Floor, Freed, Got, High, Reallocs};
        let words = [Got, Freed, High, Allocs, Deallocs, Reallocs, Floor, Ceiling];
        for (word, value) in words.into_iter().zip(100..) {
            // SAFETY: this thread owns the counters that it has just made.
            unsafe { store(thread.line(), word, value) };
        }
        // SAFETY: as above.
        let counters = unsafe { (*thread.line()).counters };
        assert_eq!((counters.got, counters.freed, counters.high), (100, 101, 102));
        assert_eq!((counters.allocs, counters.deallocs, counters.reallocs), (103, 104, 105));
        // SAFETY: as above.
        unsafe { add_got(thread.line(), 7) };
        // SAFETY: as above.
        unsafe { add_freed(thread.line(), -7) };
        for count in [count_alloc, count_dealloc, count_realloc] {
            // SAFETY: as above.
            unsafe { count(thread.line()) };
        }
        let counts = thread.counts();
        assert_eq!((counts.got, counts.freed), (107, 94));
        assert_eq!((counts.allocs, counts.deallocs, counts.reallocs), (104, 105, 106));
        // SAFETY: as above.
        assert_eq!(unsafe { floor(thread.line()) }, 106);
        // SAFETY: as above.
        assert_eq!(unsafe { ceiling(thread.line()) }, 107);
    }
}
