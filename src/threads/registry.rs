//! Hot: all states there are. A thread adopts a free one at its first event or scope, and gives it
//! back at its end. So there are as many as threads ever ran at once.

use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{fence, AtomicBool, AtomicPtr};

use super::flushed::flushed;
use super::state::ThreadState;
use crate::counters::current::current;
use crate::counters::thread_counters::FLUSH_BYTES;
use crate::counters::{Counts, ThreadCounters, Word};
use crate::stacks;
use crate::sys::Pool;

/// The counters of threads that have none of their own. They share these, so they write them by
/// atomic additions only.
pub(super) static ORPHANS: ThreadCounters = ThreadCounters::NEW;

pub(super) static THREADS: Pool<ThreadState> = Pool::new();

/// Whether a block of [`HUGE`](crate::counters::HUGE) bytes was ever granted. Only an allocator
/// that grants what nobody has does that.
static WATCHES_EVERYTHING: AtomicBool = AtomicBool::new(false);

/// Whether every event goes to the slow half for that. To be asked after a fence, as
/// `stacks::is_profiling`.
pub(super) fn watches_everything() -> bool {
    WATCHES_EVERYTHING.load(Relaxed)
}

/// Sends every event of every thread to the slow half from now on, which looks after sums that do
/// not fit.
#[cold]
pub(super) fn watch_everything() {
    if WATCHES_EVERYTHING.swap(true, SeqCst) {
        return;
    }
    fence(SeqCst);
    watch_all_allocs();
    watch_all_frees();
}

/// Sends every allocation of every thread to the slow half. The caller has raised a flag that says
/// so; `stacks::process_sites` tells how the two meet the owners, who set their thresholds too.
fn watch_all_allocs() {
    THREADS.iter().for_each(|thread| thread.counters.watch_allocs());
}

/// The same for deallocations.
pub(super) fn watch_all_frees() {
    THREADS.iter().for_each(|thread| thread.counters.watch_deallocs());
}

/// Has the allocations of all threads recorded. With `reads_counts`, what is recorded is to be read
/// by `stacks::profiled`.
pub(crate) fn record_everywhere(reads_counts: bool) -> EveryAllocation {
    stacks::start_profiling(reads_counts);
    watch_all_allocs();
    EveryAllocation { reads_counts }
}

/// While there is one, the allocations of all threads are recorded.
pub(crate) struct EveryAllocation {
    reads_counts: bool,
}

impl Drop for EveryAllocation {
    fn drop(&mut self) {
        stacks::stop_profiling(self.reads_counts);
    }
}

/// The numbers of the process at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    /// The sum over all threads that ever were. Exact while no other thread allocates.
    pub(crate) counts: Counts,
    /// Net bytes. Exact while no other thread allocates, and otherwise within 16 KiB for each
    /// thread. (The net bytes of `counts` may be further off. They are read one thread after the
    /// other, so the free of a block may be among them, and its allocation on another thread may
    /// not.)
    pub(crate) current: i64,
    /// What the threads have flushed of them, for peaks.
    pub(crate) flushed: i64,
}

pub(crate) fn totals() -> Totals {
    let flushed = flushed();
    let mut totals = Totals { counts: ORPHANS.counts(), current: flushed, flushed };
    for thread in THREADS.iter() {
        let counts = thread.counters.counts();
        totals.counts += counts;
        // Where it is more than `FLUSH_BYTES`, a flush is under way. That counts as not yet begun,
        // or as done.
        let unreported = counts.net.wrapping_sub(thread.counters.flushed.load(Relaxed));
        // No panic: the lower bound is the lower one.
        totals.current = totals.current.wrapping_add(unreported.clamp(-FLUSH_BYTES, FLUSH_BYTES));
    }
    totals
}

/// The address of the state of the process's first thread. In a test, that is the harness's.
fn first() -> *const ThreadState {
    static FIRST: AtomicPtr<ThreadState> = AtomicPtr::new(ptr::null_mut());
    let known = FIRST.load(Relaxed);
    if !known.is_null() {
        return known;
    }
    // New ones come first in the list.
    let first = THREADS.iter().last().map_or(ptr::null(), |thread| thread as *const ThreadState);
    FIRST.store(first.cast_mut(), Relaxed);
    first
}

/// That of the current thread; null if it has none.
fn current_state() -> *const ThreadState {
    ThreadState::of(current()).map_or(ptr::null(), |thread| thread)
}

/// Whether the current thread is the first of the process.
pub(crate) fn is_first_thread() -> bool {
    let current = current_state();
    !current.is_null() && ptr::eq(current, first())
}

/// The allocation events, so far, of all threads but `thread` and the first of the process.
pub(super) fn events_elsewhere(thread: &ThreadState) -> i64 {
    events_but(thread, first())
}

/// The allocation events, so far, of all threads but the first of the process, unless that is the
/// current one.
pub(crate) fn events_everywhere() -> i64 {
    events_but(ptr::null(), if is_first_thread() { ptr::null() } else { first() })
}

fn events_but(one: *const ThreadState, other: *const ThreadState) -> i64 {
    let mut events: i64 = 0;
    // By a plain loop: unoptimised, adapters are calls upon calls.
    for thread in THREADS.iter() {
        if !ptr::eq(thread, one) && !ptr::eq(thread, other) {
            let allocs = thread.counters.word(Word::Allocs).load(Relaxed);
            let reallocs = thread.counters.word(Word::Reallocs).load(Relaxed);
            events = events.wrapping_add(allocs).wrapping_add(reallocs);
        }
    }
    events
}
