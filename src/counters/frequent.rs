//! Hot: the frequent half of an event: it compares the net bytes with the thresholds, and adds to
//! the counters of the thread, if they hold. Else it calls the slow half. This is what it means; on
//! x86_64 Linux, the same in assembly (`frequent_asm.rs`) stands in its place.
//!
//! In plain words, what the net bytes come to is compared with
//! - the floor, where a block is freed or reallocated: below it, the event is for the slow half;
//! - the gate, where bytes are requested: above it, they are a new maximum or for the slow half,
//!   which the ceiling tells.
//!
//! The thresholds are chosen so that no comparison wraps, however large the block
//! ([`thread_counters`](crate::counters::thread_counters) lists the values). Each compare has the
//! word that the owner alone writes as its operand in memory: compilers do not do that with the
//! others.
//!
//! Relies on: what [`current`] returns is the line of the current thread's counters or of a dummy,
//! and every event crosses the thresholds of a dummy. So an event that crosses none may write.
#![allow(unsafe_code)]

use crate::counters::current::current;
use crate::counters::own_line::store_owners_half;
use crate::counters::own_line::{add_got, add_net, ceiling, count_alloc, count_dealloc};
use crate::counters::own_line::{count_realloc, floor, gate, high, net, store_own, sub_net};
use crate::counters::thread_counters::{Line, Word};

/// The slow half of each event. It returns the block that it is given.
pub(crate) trait SlowHalf {
    /// `block` was allocated, or a request was refused, if it is null.
    extern "C" fn alloc(block: *mut u8, size: i64) -> *mut u8;

    /// `block` is about to be freed.
    extern "C" fn dealloc(block: *mut u8, size: i64) -> *mut u8;

    /// A block was reallocated and is `block` now, or that was refused, if it is null.
    extern "C" fn realloc(block: *mut u8, old_size: i64, size: i64) -> *mut u8;
}

/// Counts that `block`, of `size` bytes, was allocated, and returns it. All that is not frequent
/// is left to `S`, as is a `block` that is null.
#[inline(always)]
pub(crate) fn alloc<S: SlowHalf>(block: *mut u8, size: i64) -> *mut u8 {
    if block as usize == 0 {
        return S::alloc(block, size);
    }
    let line = current().as_ptr();
    // SAFETY: `current` is readable, here and below.
    let gate = unsafe { gate(line) };
    // SAFETY: as above; no other thread writes it.
    let net = unsafe { net(line) };
    // SAFETY: as above.
    if gate.wrapping_sub(size) < net && !unsafe { raise_high(line, net.wrapping_add(size)) } {
        return S::alloc(block, size);
    }
    // SAFETY: the event has crossed no threshold, so the line is this thread's own; likewise below.
    unsafe { add_net(line, size) };
    // SAFETY: as above.
    unsafe { add_got(line, size) };
    // SAFETY: as above.
    unsafe { count_alloc(line) };
    block
}

/// Counts that `block`, of `size` bytes, is about to be freed, likewise.
#[inline(always)]
pub(crate) fn dealloc<S: SlowHalf>(block: *mut u8, size: i64) -> *mut u8 {
    let line = current().as_ptr();
    // SAFETY: as in `alloc`, here and below.
    let floor = unsafe { floor(line) };
    // SAFETY: as above.
    let net = unsafe { net(line) };
    if floor.wrapping_add(size) as u64 > net as u64 {
        return S::dealloc(block, size);
    }
    // SAFETY: as above.
    unsafe { sub_net(line, size) };
    // SAFETY: as above.
    unsafe { count_dealloc(line) };
    block
}

/// Counts that a block of `old_size` bytes was reallocated to `size`, and is `block` now, likewise.
#[inline(always)]
pub(crate) fn realloc<S: SlowHalf>(block: *mut u8, old_size: i64, size: i64) -> *mut u8 {
    if block as usize == 0 {
        return S::realloc(block, old_size, size);
    }
    let line = current().as_ptr();
    let grown = size.wrapping_sub(old_size);
    // SAFETY: as in `alloc`, here and below.
    let net = unsafe { net(line) }.wrapping_add(grown);
    // SAFETY: as above.
    if net < unsafe { floor(line) } {
        return S::realloc(block, old_size, size);
    }
    // SAFETY: as above.
    if net > unsafe { gate(line) } && !unsafe { raise_high(line, net) } {
        return S::realloc(block, old_size, size);
    }
    Realloc { line, grown, size }.count();
    block
}

/// A reallocation that will be neither a new maximum nor for the slow half.
pub(crate) struct Realloc {
    line: *const Line,
    grown: i64,
    pub(crate) size: i64,
}

impl Realloc {
    /// `None` if it would be either.
    #[inline(always)]
    pub(crate) fn begin(old_size: i64, size: i64) -> Option<Self> {
        let line = current().as_ptr();
        let grown = size.wrapping_sub(old_size);
        // SAFETY: as in `alloc`, here and below.
        let net = unsafe { net(line) }.wrapping_add(grown);
        // SAFETY: as above.
        if net < unsafe { floor(line) } {
            return None;
        }
        // SAFETY: as above.
        if net > unsafe { gate(line) } {
            return None;
        }
        Some(Self { line, grown, size })
    }

    /// Counts it.
    #[inline(always)]
    pub(crate) fn count(self) {
        // SAFETY: the event has crossed no threshold, so the line is this thread's own. It still
        // is: the thread has been in the inner allocator meanwhile.
        unsafe { add_net(self.line, self.grown) };
        // SAFETY: as above.
        unsafe { add_got(self.line, self.size) };
        // SAFETY: as above.
        unsafe { count_realloc(self.line) };
    }
}

/// The net bytes will be above the gate: raises the maximum. `false` if they will be above the
/// ceiling.
///
/// # Safety
/// `line` is what `current` has returned.
#[inline(always)]
unsafe fn raise_high(line: *const Line, net: i64) -> bool {
    // SAFETY: readable, by the contract; likewise below.
    if net as u64 > unsafe { ceiling(line) } as u64 {
        return false;
    }
    // Or others have lowered the gate meanwhile.
    // SAFETY: as above; no other thread writes it.
    if net > unsafe { high(line) } {
        // SAFETY: every event is above a dummy's ceiling, so the line is this thread's own.
        unsafe { store_own(line, Word::High, net) };
        // SAFETY: as above.
        unsafe { store_owners_half(line, net) };
    }
    true
}
