//! Hot: `Share`, what one attached thread at a time adds to a shared scope. It is counted by
//! subtraction of the thread's own counters, so an event on an attached thread costs what any event
//! costs, unless the scope records or somebody asks for its peak.
//!
//! Any thread may read a share at any moment. The thread that changes it may be preempted at any
//! instruction, or be missing in a forked child. So what changes together stands on a [`Page`], and
//! there are two of them: the writer fills the one that is not in use, and turns to it by one
//! store. A reader finds a whole page whatever the writer is at. It reads again only if the writer
//! has turned the page meanwhile, so it waits for nobody who stands still.
//!
//! Relies on: a pool lends a share to one thread at a time, which alone writes it; counters of
//! threads live for ever.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{fence, AtomicBool, AtomicPtr, AtomicUsize};

use crate::counters::{AtomicCounts, Counts, Event, ThreadCounters};
use crate::stacks::{SharedSiteTable, Stack};
use crate::sys::{AtomicI64, Links, Pooled};

pub(crate) struct Share {
    /// How often the page was turned. The lowest bit says which one is in use.
    turns: AtomicUsize,
    pages: [Page; 2],
    /// The counters of the attached thread.
    thread: AtomicPtr<ThreadCounters>,
    /// Allocation events in uncounted stretches.
    uncounted: AtomicI64,
    /// Where the attached threads allocated, if the scope records.
    sites: SharedSiteTable,
    /// Whether a guard, rather than the end of the scope, will end it.
    is_guarded: AtomicBool,
    links: Links<Share>,
}

/// What the share has counted so far: `fixed` while it is paused, and `fixed` plus the thread's
/// counts while it runs. So to start is to subtract the counts of that moment from `fixed`.
struct Page {
    is_running: AtomicBool,
    fixed: AtomicCounts,
}

impl Page {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    const NEW: Self = Self { is_running: AtomicBool::new(false), fixed: AtomicCounts::zero() };
}

impl Pooled for Share {
    const NEW: Self = Self {
        turns: AtomicUsize::new(0),
        pages: [Page::NEW; 2],
        thread: AtomicPtr::new(ptr::null_mut()),
        uncounted: AtomicI64::new(0),
        sites: SharedSiteTable::new(),
        is_guarded: AtomicBool::new(false),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// By the one thread that has taken the share.
impl Share {
    /// Begins to run on the counters of the current thread, which has counted `now`.
    pub(crate) fn start(&self, thread: &'static ThreadCounters, now: Counts, is_guarded: bool) {
        self.is_guarded.store(is_guarded, Relaxed);
        // The page in use says that it does not run, so nobody looks at the counters yet.
        self.thread.store((thread as *const ThreadCounters).cast_mut(), Relaxed);
        self.resume(now);
    }

    /// What the thread counts from `now` on is not counted here.
    pub(crate) fn pause(&self, now: Counts) {
        let page = self.page();
        if page.is_running.load(Relaxed) {
            let mut fixed = page.fixed.load();
            fixed += now;
            self.turn(false, fixed);
        }
    }

    /// Goes on after [`pause`](Self::pause).
    pub(crate) fn resume(&self, now: Counts) {
        let page = self.page();
        if !page.is_running.load(Relaxed) {
            self.turn(true, page.fixed.load() - now);
        }
    }

    /// Ends for good, and is free for another thread.
    pub(crate) fn finish(&self, now: Counts) {
        self.pause(now);
        self.is_guarded.store(false, Relaxed);
        self.links.give_back();
    }

    /// The page in use.
    fn page(&self) -> &Page {
        self.page_at(self.turns.load(Relaxed))
    }

    /// The page in use after so many turns.
    fn page_at(&self, turns: usize) -> &Page {
        // No panic: one of two.
        &self.pages[turns % 2]
    }

    fn turn(&self, is_running: bool, fixed: Counts) {
        let turns = self.turns.load(Relaxed).wrapping_add(1);
        let page = self.page_at(turns);
        page.is_running.store(is_running, Relaxed);
        page.fixed.store(fixed);
        self.turns.store(turns, Release);
        // A reader who sees what the thread counts from here on, or what the next turn writes on
        // the page that was in use until now, sees this turn as well. (So does one who sees what
        // the next thread writes: see the fence in `SharedScope::lend_share`.)
        fence(Release);
    }

    pub(crate) fn record(&self, stack: Option<&'static Stack>, event: &Event) {
        // SAFETY: the thread that has taken the share is the one writer; the pool hands it on by
        // release and acquire.
        unsafe { self.sites.count(stack, event) }
    }

    pub(crate) fn note_opening(&self, stack: &'static Stack) {
        // SAFETY: as above.
        unsafe { self.sites.note_opening(stack) }
    }

    pub(crate) fn add_uncounted(&self, events: i64) {
        self.uncounted.fetch_add(events, Relaxed);
    }

    /// Makes it as new. Nobody else knows of it any more.
    pub(crate) fn clear(&self) {
        self.turn(false, Counts::ZERO);
        self.uncounted.store(0, Relaxed);
        // SAFETY: the last reference to the scope is gone, so nobody writes or reads.
        unsafe { self.sites.clear() }
    }
}

/// By any thread.
impl Share {
    /// What was counted so far: never more than there was, and never less than at an earlier
    /// reading.
    pub(crate) fn read(&self) -> Counts {
        let mut turns = self.turns.load(Acquire);
        loop {
            let page = self.page_at(turns);
            let mut counts = page.fixed.load();
            if page.is_running.load(Relaxed) {
                // SAFETY: null, or the counters of a thread, which live for ever.
                if let Some(thread) = unsafe { self.thread.load(Relaxed).as_ref() } {
                    counts += thread.counts();
                }
            }
            fence(Acquire);
            let seen = self.turns.load(Acquire);
            if seen == turns {
                return counts;
            }
            turns = seen;
        }
    }

    pub(crate) fn uncounted(&self) -> i64 {
        self.uncounted.load(Relaxed)
    }

    /// Whether a thread is attached by a guard.
    pub(crate) fn is_attached(&self) -> bool {
        self.links.in_use() && self.is_guarded.load(Relaxed)
    }

    pub(crate) fn sites(&self) -> &SharedSiteTable {
        &self.sites
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread;

    use super::{Counts, Pooled, Share, ThreadCounters};
    use crate::counters::Word;
    use crate::sys::AtomicI64;

    fn thread() -> &'static ThreadCounters {
        Box::leak(Box::new(ThreadCounters::NEW))
    }

    fn of(allocs: i64) -> Counts {
        Counts { got: 10 * allocs, allocs, ..Counts::ZERO }
    }

    /// The thread that the counters belong to counts.
    fn allocate(thread: &ThreadCounters, allocs: i64) {
        let counted = of(allocs);
        thread.word(Word::Got).fetch_add(counted.got, Relaxed);
        thread.word(Word::Allocs).fetch_add(counted.allocs, Relaxed);
    }

    #[test]
    fn one_that_is_cleared_has_nothing_uncounted() {
        let share = Share::NEW;
        share.add_uncounted(5);
        assert_eq!(share.uncounted(), 5);
        share.clear();
        assert_eq!(share.uncounted(), 0);
    }

    #[test]
    fn what_counts_is_what_the_thread_counts_while_the_share_runs() {
        let (first, second, share) = (thread(), thread(), Share::NEW);
        allocate(first, 100);
        share.start(first, first.counts(), true);
        allocate(first, 1);
        assert_eq!(share.read(), of(1));
        for _ in 0..3 {
            share.pause(first.counts());
            allocate(first, 100);
            share.pause(first.counts());
        }
        share.resume(first.counts());
        share.resume(of(0));
        allocate(first, 20);
        share.finish(first.counts());
        allocate(first, 100);
        assert_eq!(share.read(), of(21));
        allocate(second, 1_000);
        share.start(second, second.counts(), true);
        allocate(second, 300);
        share.add_uncounted(7);
        assert_eq!((share.read(), share.uncounted()), (of(321), 7));
        share.clear();
        assert_eq!((share.read(), share.uncounted()), (of(0), 0));
    }

    #[test]
    fn a_writer_that_stands_still_neither_holds_up_a_reader_nor_shows_it_half_a_change() {
        let (thread, share) = (thread(), Share::NEW);
        let begin_to_turn = |is_running: bool| {
            let page = &share.pages[(share.turns.load(Relaxed) + 1) % 2];
            page.is_running.store(is_running, Relaxed);
            page.fixed.store(of(7_777));
        };
        allocate(thread, 50);
        share.start(thread, thread.counts(), true);
        allocate(thread, 5);
        begin_to_turn(false);
        assert_eq!(share.read(), of(5));
        let in_use = share.page();
        let before = in_use.fixed.load();
        share.pause(thread.counts());
        assert!(in_use.is_running.load(Relaxed) && in_use.fixed.load() == before, "written to");
        allocate(thread, 100);
        begin_to_turn(true);
        assert_eq!(share.read(), of(5));
    }

    #[test]
    fn no_reading_is_above_what_there_was_or_below_an_earlier_one() {
        let (thread, share) = (thread(), Share::NEW);
        let (share, made, is_over) = (&share, &AtomicI64::new(0), &AtomicBool::new(false));
        thread::scope(|threads| {
            threads.spawn(move || {
                let mut last = 0;
                while !is_over.load(Relaxed) {
                    let seen = share.read().allocs;
                    assert!(last <= seen && seen <= made.load(Relaxed), "{last}, then {seen}");
                    last = seen;
                }
            });
            for round in 0..50_000 {
                made.fetch_add(5, Relaxed);
                match round % 10 {
                    0 => share.start(thread, thread.counts(), true),
                    _ => share.resume(thread.counts()),
                }
                allocate(thread, 5);
                match round % 10 {
                    9 => share.finish(thread.counts()),
                    _ => share.pause(thread.counts()),
                }
                allocate(thread, 3);
            }
            is_over.store(true, Relaxed);
        });
        assert_eq!(share.read().allocs, 250_000);
    }
}
