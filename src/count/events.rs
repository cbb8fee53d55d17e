//! Hot: what an allocation event does. The frequent half is a few loads, one compare and two or three stores on the
//! thread's own line; the slow half registers a new thread, flushes to the process totals, or notes that an event
//! belongs to no thread.
//!
//! `inline` only without debug assertions: the callers are compiled in the user's crate, and a user who optimises this
//! package alone in debug builds must get the optimised copy.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use super::ledger::{self, current, current_state, store, word, State};
use super::{peak, registry, thread};

/// Counts an allocation that the inner allocator answered with `block`, and returns `block`.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn on_alloc(block: *mut u8, size: usize) -> *mut u8 {
    if block as usize == 0 {
        return failed();
    }
    let line = current();
    // SAFETY: `current` is readable and no other thread writes to it.
    let seen = unsafe { *line };
    let got = seen.got.wrapping_add(size as i64);
    let net = got.wrapping_sub(seen.freed);
    if net > seen.high {
        if net > seen.ceiling {
            return slow_alloc(block, size);
        }
        // SAFETY: no dummy lets an event past its ceiling, so the line is this thread's own; likewise below.
        unsafe { store(line, word::HIGH, net) };
    }
    // SAFETY: as above.
    unsafe { store(line, word::GOT, got) };
    // SAFETY: as above.
    unsafe { store(line, word::ALLOCS, seen.allocs.wrapping_add(1)) };
    block
}

/// Counts a deallocation; `false` if that is for [`slow_dealloc`] to do.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn on_dealloc(size: usize) -> bool {
    let line = current();
    // SAFETY: `current` is readable and no other thread writes to it.
    let seen = unsafe { *line };
    let freed = seen.freed.wrapping_add(size as i64);
    if seen.got.wrapping_sub(freed) < seen.floor {
        return false;
    }
    // SAFETY: no dummy lets an event past its floor, so the line is this thread's own; likewise below.
    unsafe { store(line, word::FREED, freed) };
    // SAFETY: as above.
    unsafe { store(line, word::DEALLOCS, seen.deallocs.wrapping_add(1)) };
    true
}

/// Counts a reallocation that the inner allocator answered with `block`, and returns `block`.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn on_realloc(block: *mut u8, old_size: usize, new_size: usize) -> *mut u8 {
    if block as usize == 0 {
        return failed();
    }
    let line = current();
    // SAFETY: `current` is readable and no other thread writes to it.
    let seen = unsafe { *line };
    let got = seen.got.wrapping_add(new_size as i64);
    let freed = seen.freed.wrapping_add(old_size as i64);
    let net = got.wrapping_sub(freed);
    if net < seen.floor {
        return slow_realloc(block, old_size, new_size);
    }
    if net > seen.high {
        if net > seen.ceiling {
            return slow_realloc(block, old_size, new_size);
        }
        // SAFETY: no dummy lets an event past its floor, so the line is this thread's own; likewise below.
        unsafe { store(line, word::HIGH, net) };
    }
    // SAFETY: as above.
    unsafe { store(line, word::GOT, got) };
    // SAFETY: as above.
    unsafe { store(line, word::FREED, freed) };
    // SAFETY: as above.
    unsafe { store(line, word::REALLOCS, seen.reallocs.wrapping_add(1)) };
    block
}

/// Counts what [`on_dealloc`] left.
#[cold]
#[inline(never)]
pub(crate) fn slow_dealloc(size: usize) {
    slow(Event { word: word::DEALLOCS, got: 0, freed: size as i64 });
}

#[cold]
#[inline(never)]
fn slow_alloc(block: *mut u8, size: usize) -> *mut u8 {
    slow(Event { word: word::ALLOCS, got: size as i64, freed: 0 });
    block
}

#[cold]
#[inline(never)]
fn slow_realloc(block: *mut u8, old_size: usize, new_size: usize) -> *mut u8 {
    slow(Event { word: word::REALLOCS, got: new_size as i64, freed: old_size as i64 });
    block
}

/// Counts a refused request; returns the null that the allocator returned.
#[cold]
#[inline(never)]
fn failed() -> *mut u8 {
    match current_state() {
        State::Ignored => {}
        State::New | State::Registered | State::Retired => {
            // An own ledger's `failed` is written by its owner alone, the shared one's by many.
            match thread::own_or_register() {
                Some(own) => own.count_failure(),
                None => {
                    registry::ORPHANS.failed.fetch_add(1, Relaxed);
                }
            }
        }
    }
    std::ptr::null_mut()
}

struct Event {
    /// Which count goes up.
    word: usize,
    got: i64,
    freed: i64,
}

fn slow(event: Event) {
    match current_state() {
        State::Ignored => {
            if event.word == word::ALLOCS {
                ledger::count_ignored_alloc();
            }
        }
        State::New | State::Registered | State::Retired => match thread::own_or_register() {
            Some(own) => own.count(event.word, event.got, event.freed),
            None => orphan(event),
        },
    }
}

/// Counts an event of a thread that has no ledger, past its end or for want of memory: on a ledger that all such
/// threads share.
fn orphan(event: Event) {
    let shared = &registry::ORPHANS;
    shared.word(word::GOT).fetch_add(event.got, Relaxed);
    shared.word(word::FREED).fetch_add(event.freed, Relaxed);
    shared.word(event.word).fetch_add(1, Relaxed);
    let net = event.got.wrapping_sub(event.freed);
    peak::flush(net, net);
}
