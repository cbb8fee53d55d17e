//! Hot: what an allocation event does. The frequent half ([`frequent`]) is a few loads, a compare,
//! and two or three additions on the thread's own line. The slow half
//! ([`slow_event`](super::slow_event)) is called from here, on a thread that has a state. A new
//! thread adopts one first. What a thread does past its end counts for no thread.

use std::alloc::Layout;
use std::sync::atomic::Ordering::Relaxed;

use super::adoption::current_or_adopted;
use super::current_thread::current_even_if_busy;
use super::{process_peak, registry};
use crate::blocks;
use crate::counters::current::{count_ignored_alloc, current};
pub(crate) use crate::counters::frequent;
use crate::counters::frequent::{Realloc, SlowHalf};
use crate::counters::{Event, EventKind, Registration, Word};
use crate::stacks;
use crate::walk::Registers;

/// Counts an allocation that the inner allocator answered with `block`, and returns `block`.
#[inline(always)]
pub(crate) fn on_alloc(block: *mut u8, layout: Layout) -> *mut u8 {
    frequent::alloc::<SlowEvent>(block, layout.size() as i64)
}

/// Counts a reallocation that the inner allocator answered with `block`, and returns `block`.
#[inline(always)]
pub(crate) fn on_realloc(block: *mut u8, old: Layout, new_size: usize) -> *mut u8 {
    frequent::realloc::<SlowEvent>(block, old.size() as i64, new_size as i64)
}

/// The same in two halves, before and after the inner allocator is asked: so it costs nothing to
/// look out for those who track blocks. `None` if that is for [`on_realloc`] to do.
#[inline(always)]
pub(crate) fn before_realloc(old: Layout, new_size: usize) -> Option<Realloc> {
    Realloc::begin(old.size() as i64, new_size as i64)
}

/// The second half. Returns `block`.
#[inline(always)]
pub(crate) fn after_realloc(counting: Realloc, block: *mut u8) -> *mut u8 {
    if block as usize == 0 {
        return failed(counting.size);
    }
    counting.count();
    block
}

/// Counts what the frequent half has left to do.
pub(crate) struct SlowEvent;

// The registers are read in the outermost function of ours that can do so. Then a walk has few
// frames of ours to pass.
impl SlowHalf for SlowEvent {
    #[cold]
    #[inline(never)]
    extern "C" fn alloc(block: *mut u8, got: i64) -> *mut u8 {
        let address = block as usize;
        if address == 0 {
            return failed(got);
        }
        let event = Event { kind: EventKind::Alloc, address, got, freed: 0 };
        slow(&event, &Registers::here());
        block
    }

    #[cold]
    #[inline(never)]
    extern "C" fn dealloc(block: *mut u8, freed: i64) -> *mut u8 {
        let event = Event { kind: EventKind::Dealloc, address: block as usize, got: 0, freed };
        slow(&event, &Registers::here());
        block
    }

    #[cold]
    #[inline(never)]
    extern "C" fn realloc(block: *mut u8, freed: i64, got: i64) -> *mut u8 {
        let address = block as usize;
        if address == 0 {
            return failed(got);
        }
        let event = Event { kind: EventKind::Realloc, address, got, freed };
        slow(&event, &Registers::here());
        block
    }
}

/// Counts a refused request for so many bytes; returns the null that the allocator returned.
#[cold]
#[inline(never)]
fn failed(size: i64) -> *mut u8 {
    let current = current();
    if current.registration() == Registration::Ignored {
        count_ignored_alloc();
    } else {
        // Also in a signal handler that has interrupted the library at work on the state.
        match current_even_if_busy(current).or_else(current_or_adopted) {
            Some(thread) => {
                thread.state.counters.failed.fetch_add(1, Relaxed);
                thread.note_refused(size as u64, &Registers::here());
            }
            None => {
                registry::ORPHANS.failed.fetch_add(1, Relaxed);
            }
        }
    }
    std::ptr::null_mut()
}

// By references, here and below, and in one frame with its caller: copies and frames take room on a
// stack that may be a coroutine's.
#[inline(always)]
fn slow(event: &Event, from: &Registers) {
    // Nearly always, while call sites are recorded.
    match current_even_if_busy(current()) {
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
    registry::ORPHANS.word(Word::Net).fetch_add(event.net(), Relaxed);
    registry::ORPHANS.word(Word::Got).fetch_add(event.got, Relaxed);
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
        thread.with_scopes(|_| failed(1));
        assert_eq!(thread.counts().failed, before + 1);
    }
}
