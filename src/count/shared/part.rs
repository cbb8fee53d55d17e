//! Hot: `Part`, what one attached thread at a time adds to a shared scope. Counted by subtraction of the thread's own ledger, so
//! that an event on an attached thread costs what any event costs.
//!
//! Any thread may read a part at any moment, and the thread that changes it may be preempted at any instruction, or be missing
//! in a forked child. What changes together therefore stands on a [`Page`], of which there are two: the writer fills the one that
//! is not in use, and turns to it by one store. A reader finds a whole page whatever the writer is at. It reads again only if
//! the writer has turned the page meanwhile, so it waits for nobody who stands still.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{fence, AtomicBool, AtomicI64, AtomicPtr, AtomicUsize};

use crate::count::counts::{AtomicCounts, Counts};
use crate::count::ledger::Ledger;
use crate::count::pool::{Links, Pooled};
use crate::record::{self, SharedTallies, Stack};

pub(in crate::count) struct Part {
    /// How often the page was turned. The lowest bit says which one is in use.
    turns: AtomicUsize,
    pages: [Page; 2],
    /// The attached thread's.
    ledger: AtomicPtr<Ledger>,
    /// Allocation events in hidden stretches.
    hidden: AtomicI64,
    /// Where the attached threads allocated, if the scope records.
    tallies: SharedTallies,
    /// Whether a guard, rather than the end of the scope, will end it.
    is_guarded: AtomicBool,
    links: Links<Part>,
}

/// What the part has counted: `fixed`, and while it runs, all that its ledger has counted. (`fixed` is then what was settled before,
/// less the ledger's counts when the part began to run.)
struct Page {
    is_running: AtomicBool,
    fixed: AtomicCounts,
}

impl Page {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    const NEW: Self = Self { is_running: AtomicBool::new(false), fixed: AtomicCounts::zero() };
}

impl Pooled for Part {
    const NEW: Self = Self {
        turns: AtomicUsize::new(0),
        pages: [Page::NEW; 2],
        ledger: AtomicPtr::new(ptr::null_mut()),
        hidden: AtomicI64::new(0),
        tallies: SharedTallies::new(),
        is_guarded: AtomicBool::new(false),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// By the one thread that has taken the part.
impl Part {
    /// Begins to run on the current thread's ledger, which has counted `now`.
    pub(in crate::count) fn start(&self, ledger: &'static Ledger, now: Counts, is_guarded: bool) {
        self.is_guarded.store(is_guarded, Relaxed);
        // No page in use says that it runs, so nobody looks at the ledger yet.
        self.ledger.store((ledger as *const Ledger).cast_mut(), Relaxed);
        self.resume(now);
    }

    /// What the ledger counts from `now` on is not counted here.
    pub(in crate::count) fn pause(&self, now: Counts) {
        let page = self.page();
        if page.is_running.load(Relaxed) {
            let mut fixed = page.fixed.load();
            fixed += now;
            self.turn(false, fixed);
        }
    }

    /// Goes on after [`pause`](Self::pause).
    pub(in crate::count) fn resume(&self, now: Counts) {
        let page = self.page();
        if !page.is_running.load(Relaxed) {
            self.turn(true, page.fixed.load() - now);
        }
    }

    /// Ends for good, and is free for another thread.
    pub(in crate::count) fn finish(&self, now: Counts) {
        self.pause(now);
        self.is_guarded.store(false, Relaxed);
        self.links.give_back();
    }

    /// The page in use.
    fn page(&self) -> &Page {
        &self.pages[self.turns.load(Relaxed) % 2]
    }

    fn turn(&self, is_running: bool, fixed: Counts) {
        let turns = self.turns.load(Relaxed).wrapping_add(1);
        let page = &self.pages[turns % 2];
        page.is_running.store(is_running, Relaxed);
        page.fixed.store(fixed);
        self.turns.store(turns, Release);
        // A reader who sees what the ledger counts from here on, or what the next turn writes on the page that was in use until
        // now, sees this turn as well. (So does one who sees what the next thread writes: the fence in `Shared::take_part`.)
        fence(Release);
    }

    pub(in crate::count) fn record(&self, stack: Option<&'static Stack>, event: record::Event) {
        // SAFETY: the thread that has taken the part is the one writer; the pool hands it on by release and acquire.
        unsafe { self.tallies.count(stack, event) }
    }

    pub(in crate::count) fn note_opening(&self, stack: &'static Stack) {
        // SAFETY: as above.
        unsafe { self.tallies.note_opening(stack) }
    }

    pub(in crate::count) fn add_hidden(&self, events: i64) {
        self.hidden.fetch_add(events, Relaxed);
    }

    /// Makes it as new. Nobody else knows of it any more.
    pub(super) fn clear(&self) {
        self.turn(false, Counts::ZERO);
        self.hidden.store(0, Relaxed);
        // SAFETY: the last reference to the scope is gone, so nobody writes or reads.
        unsafe { self.tallies.clear() }
    }
}

/// By any thread.
impl Part {
    /// What was counted so far: never more than there was, nor less than at an earlier reading.
    pub(super) fn read(&self) -> Counts {
        let mut turns = self.turns.load(Acquire);
        loop {
            let page = &self.pages[turns % 2];
            let mut counts = page.fixed.load();
            if page.is_running.load(Relaxed) {
                // SAFETY: null or a ledger, and ledgers live for ever.
                if let Some(ledger) = unsafe { self.ledger.load(Relaxed).as_ref() } {
                    counts += ledger.counts();
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

    pub(super) fn hidden(&self) -> i64 {
        self.hidden.load(Relaxed)
    }

    /// Whether a thread is attached by a guard.
    pub(super) fn is_attached(&self) -> bool {
        self.links.in_use() && self.is_guarded.load(Relaxed)
    }

    pub(super) fn tallies(&self) -> &SharedTallies {
        &self.tallies
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::atomic::{AtomicBool, AtomicI64};
    use std::thread;

    use super::{Counts, Ledger, Part, Pooled};
    use crate::count::ledger::Word;

    fn ledger() -> &'static Ledger {
        Box::leak(Box::new(Ledger::NEW))
    }

    fn of(allocs: i64) -> Counts {
        Counts { got: 10 * allocs, allocs, ..Counts::ZERO }
    }

    /// The thread that the ledger belongs to counts.
    fn allocate(ledger: &Ledger, allocs: i64) {
        let counted = of(allocs);
        ledger.word(Word::Got).fetch_add(counted.got, Relaxed);
        ledger.word(Word::Allocs).fetch_add(counted.allocs, Relaxed);
    }

    #[test]
    fn one_that_is_cleared_has_nothing_hidden() {
        let part = Part::NEW;
        part.add_hidden(5);
        assert_eq!(part.hidden(), 5);
        part.clear();
        assert_eq!(part.hidden(), 0);
    }

    #[test]
    fn what_counts_is_what_the_ledger_counts_while_the_part_runs() {
        let (first, second, part) = (ledger(), ledger(), Part::NEW);
        allocate(first, 100);
        part.start(first, first.counts(), true);
        allocate(first, 1);
        assert_eq!(part.read(), of(1));
        for _ in 0..3 {
            part.pause(first.counts());
            allocate(first, 100);
            part.pause(first.counts());
        }
        part.resume(first.counts());
        part.resume(of(0));
        allocate(first, 20);
        part.finish(first.counts());
        allocate(first, 100);
        assert_eq!(part.read(), of(21));
        allocate(second, 1_000);
        part.start(second, second.counts(), true);
        allocate(second, 300);
        part.add_hidden(7);
        assert_eq!((part.read(), part.hidden()), (of(321), 7));
        part.clear();
        assert_eq!((part.read(), part.hidden()), (of(0), 0));
    }

    #[test]
    fn a_writer_that_stands_still_in_the_middle_neither_holds_up_a_reader_nor_shows_it_half_a_change(
    ) {
        let (ledger, part) = (ledger(), Part::NEW);
        let begin_to_turn = |is_running: bool| {
            let page = &part.pages[(part.turns.load(Relaxed) + 1) % 2];
            page.is_running.store(is_running, Relaxed);
            page.fixed.store(of(7_777));
        };
        allocate(ledger, 50);
        part.start(ledger, ledger.counts(), true);
        allocate(ledger, 5);
        begin_to_turn(false);
        assert_eq!(part.read(), of(5));
        let in_use = part.page();
        let before = in_use.fixed.load();
        part.pause(ledger.counts());
        assert!(in_use.is_running.load(Relaxed) && in_use.fixed.load() == before, "written to");
        allocate(ledger, 100);
        begin_to_turn(true);
        assert_eq!(part.read(), of(5));
    }

    #[test]
    fn no_reading_is_above_what_there_was_or_below_an_earlier_one() {
        let (ledger, part) = (ledger(), Part::NEW);
        let (part, made, is_over) = (&part, &AtomicI64::new(0), &AtomicBool::new(false));
        thread::scope(|threads| {
            threads.spawn(move || {
                let mut last = 0;
                while !is_over.load(Relaxed) {
                    let seen = part.read().allocs;
                    assert!(last <= seen && seen <= made.load(Relaxed), "{last}, then {seen}");
                    last = seen;
                }
            });
            for round in 0..50_000 {
                made.fetch_add(5, Relaxed);
                match round % 10 {
                    0 => part.start(ledger, ledger.counts(), true),
                    _ => part.resume(ledger.counts()),
                }
                allocate(ledger, 5);
                match round % 10 {
                    9 => part.finish(ledger.counts()),
                    _ => part.pause(ledger.counts()),
                }
                allocate(ledger, 3);
            }
            is_over.store(true, Relaxed);
        });
        assert_eq!(part.read().allocs, 250_000);
    }
}
