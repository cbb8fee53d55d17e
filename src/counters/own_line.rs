//! Hot: how a thread reads and writes its own line, word by word.
//!
//! On x86_64 what an event adds is one instruction each. So a signal handler that allocates in the
//! midst of an event neither spoils what the event adds, nor is what the handler adds spoilt. It
//! also spares a register for the sum.
//!
//! The two halves of the gate are written apart, its owner's and that of others (`thread_counters`
//! tells why), and read together.
//!
//! Relies on: whoever calls these functions hands in the line of a thread's counters or, to read,
//! of a dummy; to write it, a line that the current thread owns.
#![allow(unsafe_code)]

use std::sync::atomic::AtomicU32;

use super::thread_counters::{GateHalf, Line, Word};
use crate::sys::{AtomicI64, RelaxedWord};

/// The net bytes as they stand in the line, that is, above its [`LOWEST`](super::LOWEST).
///
/// # Safety
/// `line` is the line of a [`ThreadCounters`](super::ThreadCounters) that the current thread owns,
/// or of a dummy.
#[inline(always)]
pub(super) unsafe fn net(line: *const Line) -> i64 {
    // SAFETY: in bounds, aligned and alive by the contract; no other thread writes it.
    unsafe { *Word::Net.of(line) }
}

/// The highest net bytes, likewise.
///
/// # Safety
/// As for [`net`].
#[inline(always)]
pub(super) unsafe fn high(line: *const Line) -> i64 {
    // SAFETY: as in `net`.
    unsafe { *Word::High.of(line) }
}

// The thresholds, which other threads may store meanwhile.
macro_rules! threshold {
    ($name:ident, $word:ident) => {
        /// # Safety
        /// `line` is the line of a [`ThreadCounters`](super::ThreadCounters) or of a dummy.
        #[inline(always)]
        pub(crate) unsafe fn $name(line: *const Line) -> i64 {
            // SAFETY: in bounds, aligned and alive by the contract; other threads store it
            // atomically. A dummy is in read-only memory, which a relaxed load may read.
            unsafe { AtomicI64::from_ptr(Word::$word.of(line)) }.glance()
        }
    };
}
threshold!(floor, Floor);
threshold!(ceiling, Ceiling);

/// Both halves of the gate.
///
/// # Safety
/// As for [`floor`].
#[inline(always)]
pub(crate) unsafe fn gate(line: *const Line) -> i64 {
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    {
        const _: () = assert!(Word::Gate as usize * 8 == 48);
        let gate;
        // SAFETY: in bounds, aligned and alive by the contract; others store their half of it by
        // one instruction. What is read is what two loads might have read.
        unsafe {
            std::arch::asm!(
                "mov {}, [{} + 48]",
                out(reg) gate,
                in(reg) line,
                options(readonly, nostack, preserves_flags),
            );
        }
        gate
    }
    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
    {
        // SAFETY: in bounds, aligned and alive by the contract; written atomically only.
        let owners = unsafe { AtomicU32::from_ptr(GateHalf::Owners.of(line)) }.get();
        // SAFETY: as above.
        let others = unsafe { AtomicU32::from_ptr(GateHalf::Others.of(line)) }.get();
        i64::from(others) << 32 | i64::from(owners)
    }
}

/// Stores one word of the current thread's own line.
///
/// # Safety
/// `line` is the line of a [`ThreadCounters`](super::ThreadCounters) (not of a dummy) that the
/// current thread owns.
#[inline(always)]
pub(crate) unsafe fn store(line: *const Line, word: Word, value: i64) {
    // SAFETY: in bounds, aligned and alive by the contract; other threads read it atomically.
    unsafe { &*word.of(line).cast::<AtomicI64>() }.set(value);
}

/// Stores one that other threads never store: all but the thresholds.
///
/// # Safety
/// As for [`store`].
#[inline(always)]
pub(crate) unsafe fn store_own(line: *const Line, word: Word, value: i64) {
    // SAFETY: as in `store`.
    unsafe { &*word.of(line).cast::<AtomicI64>() }.set_own(value);
}

/// Stores the owner's half of `gate`.
///
/// # Safety
/// As for [`store`].
#[inline(always)]
pub(crate) unsafe fn store_owners_half(line: *const Line, gate: i64) {
    // SAFETY: as in `store`.
    unsafe { &*GateHalf::Owners.of(line).cast::<AtomicU32>() }.set(gate as u32);
}

/// Stores the half of `gate` that others store, too.
///
/// # Safety
/// As for [`store`].
#[inline(always)]
pub(crate) unsafe fn store_others_half(line: *const Line, gate: i64) {
    // SAFETY: as in `store`.
    unsafe { &*GateHalf::Others.of(line).cast::<AtomicU32>() }.set((gate >> 32) as u32);
}

// What an event adds or takes off: an amount, or one.
macro_rules! add {
    (
        $name:ident($($amount:ident)?),
        $word:ident,
        $offset:literal,
        $instruction:literal,
        $sum:ident
    ) => {
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
                // SAFETY: as above; no other thread writes it.
                let before = unsafe { *Word::$word.of(line) };
                // SAFETY: the contract.
                unsafe { store_own(line, Word::$word, before.$sum(1 $(* $amount)?)) };
            }
        }
    };
}
add!(add_net(amount), Net, 0, "add", wrapping_add);
add!(sub_net(amount), Net, 0, "sub", wrapping_sub);
add!(add_got(amount), Got, 8, "add", wrapping_add);
add!(count_alloc(), Allocs, 16, "inc", wrapping_add);
add!(count_dealloc(), Deallocs, 24, "inc", wrapping_add);
add!(count_realloc(), Reallocs, 32, "inc", wrapping_add);

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::{add_got, add_net, count_alloc, count_dealloc, count_realloc, sub_net};
    use super::{
        ceiling, floor, gate, high, net, store, store_others_half, store_owners_half, Word,
    };
    use crate::counters::ThreadCounters;

    #[test]
    fn words_are_where_they_are_said_to_be() {
        let thread = ThreadCounters::NEW;
        let line = thread.line();
        use Word::{Allocs, Ceiling, Deallocs, Floor, Got, High, Net, Reallocs};
        let words = [Net, Got, Allocs, Deallocs, Reallocs, High, Floor, Ceiling];
        for (word, value) in words.into_iter().zip(100..) {
            // SAFETY: this thread owns the counters that it has just made; likewise below.
            unsafe { store(line, word, value) };
        }
        let read = [net, high, floor, ceiling].map(|read| {
            // SAFETY: as above.
            unsafe { read(line) }
        });
        assert_eq!(read, [100, 105, 106, 107]);
        for (change, amount) in [(add_net as unsafe fn(_, _), 9), (sub_net, 2), (add_got, 7)] {
            // SAFETY: as above.
            unsafe { change(line, amount) };
        }
        for count in [count_alloc, count_dealloc, count_realloc] {
            // SAFETY: as above.
            unsafe { count(line) };
        }
        let words = words.map(|word| thread.word(word).load(Relaxed));
        assert_eq!(words, [107, 108, 103, 104, 105, 105, 106, 107]);
    }

    #[test]
    fn the_halves_of_the_gate_are_written_apart_and_read_together() {
        let thread = ThreadCounters::NEW;
        let line = thread.line();
        let gate = || {
            // SAFETY: this thread owns the counters that it has just made; likewise below.
            unsafe { gate(line) }
        };
        // SAFETY: as above.
        unsafe { store_others_half(line, 0x0123_4567_89ab_cdef) };
        // SAFETY: as above.
        unsafe { store_owners_half(line, 0x0fed_cba9_8765_4321) };
        assert_eq!(gate(), 0x0123_4567_8765_4321);
        thread.watch_allocs();
        assert_eq!(gate(), 0x8765_4321);
    }
}
