//! Hot: what an allocation event does. The frequent half is a few loads, a compare for each
//! threshold and for the maximum, and two to four stores on the thread's own line. The slow half
//! ([`slow_event`](super::slow_event)) is called from here, on a thread that has a state. A new
//! thread adopts one first. What a thread does past its end counts for no thread.
//!
//! `inline` only without debug assertions: the callers are compiled in the user's crate, and a user
//! who optimises this package alone in debug builds must get the optimised copy.
//!
//! Relies on: what [`current`] returns is the line of the current thread's counters or of a dummy,
//! and every event crosses the thresholds of a dummy. So an event that crosses none may write.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::sync::atomic::Ordering::Relaxed;

use super::adoption::current_or_adopted;
use super::current_thread::current_even_if_busy;
use super::{process_peak, registry};
use crate::blocks;
use crate::counters::current::{count_ignored_alloc, current, CurrentLine};
use crate::counters::own_line::{add_freed, add_got, ceiling, count_alloc, count_dealloc};
use crate::counters::own_line::{count_realloc, floor, store};
use crate::counters::thread_counters::Counters;
use crate::counters::{Event, EventKind, Registration, Word};
use crate::stacks;
use crate::walk::Registers;

/// Counts an allocation that the inner allocator answered with `block`, and returns `block`.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn on_alloc(block: *mut u8, layout: Layout) -> *mut u8 {
    if block as usize == 0 {
        return failed();
    }
    let current = current();
    let line = current.as_ptr();
    // SAFETY: `current` is readable, and no other thread writes to its counters.
    let Counters { got, freed, .. } = *unsafe { &(*line).counters };
    // SAFETY: the line of a thread's counters or of a dummy.
    let ceiling = unsafe { ceiling(line) };
    let size = layout.size() as i64;
    let net = got.wrapping_add(size).wrapping_sub(freed);
    if net > ceiling {
        return slow_alloc(block, size, current);
    }
    // Read only here, so that the compiler folds the load into the compare. Read before the
    // ceiling, it takes an instruction of its own.
    // SAFETY: as above.
    let high = unsafe { (*line).counters.high };
    if net > high {
        // SAFETY: every event is above a dummy's ceiling, so the line is this thread's own;
        // likewise below.
        unsafe { store(line, Word::High, net) };
    }
    // SAFETY: as above.
    unsafe { add_got(line, size) };
    // SAFETY: as above.
    unsafe { count_alloc(line) };
    block
}

/// Counts a deallocation; `false` if that is for [`slow_dealloc`] to do.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn on_dealloc(layout: Layout) -> bool {
    let line = current().as_ptr();
    // SAFETY: `current` is readable, and no other thread writes to its counters.
    let Counters { got, freed, .. } = *unsafe { &(*line).counters };
    // SAFETY: the line of a thread's counters or of a dummy.
    let floor = unsafe { floor(line) };
    let size = layout.size() as i64;
    if got.wrapping_sub(freed).wrapping_sub(size) < floor {
        return false;
    }
    // SAFETY: every event is below a dummy's floor, so the line is this thread's own; likewise
    // below.
    unsafe { add_freed(line, size) };
    // SAFETY: as above.
    unsafe { count_dealloc(line) };
    true
}

/// Counts a reallocation that the inner allocator answered with `block`, and returns `block`.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn on_realloc(block: *mut u8, old: Layout, new_size: usize) -> *mut u8 {
    if block as usize == 0 {
        return failed();
    }
    let current = current();
    let line = current.as_ptr();
    // SAFETY: `current` is readable, and no other thread writes to its counters.
    let Counters { got, freed, .. } = *unsafe { &(*line).counters };
    // SAFETY: the line of a thread's counters or of a dummy.
    let ceiling = unsafe { ceiling(line) };
    // SAFETY: as above.
    let floor = unsafe { floor(line) };
    let (size, old_size) = (new_size as i64, old.size() as i64);
    let net = got.wrapping_sub(freed).wrapping_add(size).wrapping_sub(old_size);
    if net < floor || net > ceiling {
        return slow_realloc(block, old_size, size, current);
    }
    // SAFETY: as above.
    let high = unsafe { (*line).counters.high };
    if net > high {
        // SAFETY: every event is below a dummy's floor, so the line is this thread's own; likewise
        // below.
        unsafe { store(line, Word::High, net) };
    }
    // SAFETY: as above.
    unsafe { add_got(line, size) };
    // SAFETY: as above.
    unsafe { add_freed(line, old_size) };
    // SAFETY: as above.
    unsafe { count_realloc(line) };
    block
}

/// Counts what [`on_dealloc`] has left to do. The block is still there.
#[cold]
#[inline(never)]
pub(crate) fn slow_dealloc(block: *mut u8, layout: Layout) {
    let (address, freed) = (block as usize, layout.size() as i64);
    let event = Event { kind: EventKind::Dealloc, address, got: 0, freed };
    slow(&event, &Registers::here(), current());
}

// The registers are read in the outermost function of ours that can do so. Then a walk has few
// frames of ours to pass.
#[cold]
#[inline(never)]
fn slow_alloc(block: *mut u8, size: i64, current: CurrentLine) -> *mut u8 {
    let address = block as usize;
    let event = Event { kind: EventKind::Alloc, address, got: size, freed: 0 };
    slow(&event, &Registers::here(), current);
    block
}

#[cold]
#[inline(never)]
fn slow_realloc(block: *mut u8, old_size: i64, size: i64, current: CurrentLine) -> *mut u8 {
    // Unoptimised, each name more would take room on the stack.
    let event =
        Event { kind: EventKind::Realloc, address: block as usize, got: size, freed: old_size };
    slow(&event, &Registers::here(), current);
    block
}

/// Counts a refused request; returns the null that the allocator returned.
#[cold]
#[inline(never)]
fn failed() -> *mut u8 {
    let current = current();
    if current.registration() == Registration::Ignored {
        count_ignored_alloc();
    } else {
        // Also in a signal handler that has interrupted the library at work on the state.
        let thread = current_even_if_busy(current).or_else(current_or_adopted);
        let counters = thread.map_or(&registry::ORPHANS, |thread| &thread.state.counters);
        counters.failed.fetch_add(1, Relaxed);
    }
    std::ptr::null_mut()
}

// By references, here and below, and in one frame with its caller: copies and frames take room on a
// stack that may be a coroutine's.
#[inline(always)]
fn slow(event: &Event, from: &Registers, current: CurrentLine) {
    // Nearly always, while call sites are recorded.
    match current_even_if_busy(current) {
        Some(thread) => thread.count(event, from),
        None => slow_elsewhere(event, from),
    }
}

#[cold]
fn slow_elsewhere(event: &Event, from: &Registers) {
    blocks::forget_freed(event);
    if current().registration() == Registration::Ignored {
        if event.is_fresh() {
            count_ignored_alloc();
        }
        return;
    }
    match current_or_adopted() {
        Some(thread) => thread.count(event, from),
        None => orphan(event),
    }
}

/// Counts an event of a thread that has no state, past its end or for want of memory. It counts on
/// counters that all such threads share.
fn orphan(event: &Event) {
    registry::ORPHANS.word(Word::Got).fetch_add(event.got, Relaxed);
    registry::ORPHANS.word(Word::Freed).fetch_add(event.freed, Relaxed);
    registry::ORPHANS.word(event.word()).fetch_add(1, Relaxed);
    process_peak::flush(event.net(), event.net());
    if stacks::is_profiling() && event.is_allocation() {
        stacks::profile_event(None, event);
        blocks::profile_event(None, event, true);
    }
}

#[cfg(test)]
mod tests {
    use super::{current_or_adopted, failed};

    #[test]
    fn a_request_that_is_refused_in_a_signal_handler_counts_for_the_thread() {
        let mut thread = current_or_adopted().expect("memory");
        let before = thread.counts().failed;
        // As a handler that has interrupted this.
        thread.with_scopes(|_| failed());
        assert_eq!(thread.counts().failed, before + 1);
    }
}
