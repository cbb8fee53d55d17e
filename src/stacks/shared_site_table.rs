//! Hot: `SharedSiteTable`, what was counted at each stack by one attached thread at a time. Any
//! thread may read it at any moment, so its numbers are atomic, in rows that stay where they are:
//! [`SiteTable`](super::site_table) has it easier, and says why there are two.
//!
//! Relies on: there is one writer at a time, and each sees what the one before it has written. The
//! callers of the unsafe methods promise it.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::site_counts::SiteCounts;
use super::stack::Stack;
use super::stack_index::StackIndex;
use crate::counters::Event;
use crate::sys::{AtomicU64, StableVec};

pub(crate) struct SharedSiteTable {
    rows: StableVec<Row>,
    /// The writer's.
    index: UnsafeCell<StackIndex>,
    /// What has no stack, or found no room.
    unattributed: Row,
}

// SAFETY: only the writer reaches `index`, by the contract of the unsafe methods; the rest is
// atomic.
unsafe impl Sync for SharedSiteTable {}

struct Row {
    /// `None` for events that have no stack.
    stack: Option<&'static Stack>,
    /// Whether a thread attached here.
    is_opening: AtomicBool,
    counts: AtomicSiteCounts,
}

/// The words of a [`SiteCounts`] that one thread writes and any thread reads: each number exact,
/// all of them consistent while the writer rests.
struct AtomicSiteCounts([AtomicU64; SiteCounts::WORDS]);

impl AtomicSiteCounts {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    const ZERO: Self = {
        const ZERO: AtomicU64 = AtomicU64::new(0);
        Self([ZERO; SiteCounts::WORDS])
    };

    fn load(&self) -> SiteCounts {
        let mut words = [0; SiteCounts::WORDS];
        for (word, atomic) in words.iter_mut().zip(&self.0) {
            *word = atomic.load(Relaxed);
        }
        SiteCounts::of_words(words)
    }

    fn store(&self, counts: &SiteCounts) {
        for (atomic, word) in self.0.iter().zip(counts.words()) {
            atomic.store(word, Relaxed);
        }
    }
}

impl Row {
    const fn new(stack: Option<&'static Stack>) -> Self {
        Self { stack, is_opening: AtomicBool::new(false), counts: AtomicSiteCounts::ZERO }
    }

    #[inline]
    fn is_of(&self, stack: &'static Stack) -> bool {
        self.stack.is_some_and(|of| ptr::eq(of, stack))
    }
}

impl SharedSiteTable {
    pub(crate) const fn new() -> Self {
        Self {
            rows: StableVec::new(),
            index: UnsafeCell::new(StackIndex::new()),
            unattributed: Row::new(None),
        }
    }

    /// Counts an allocation event.
    ///
    /// # Safety
    /// The caller is the one thread that writes, and what the writer before it did happens before
    /// this call.
    #[inline]
    pub(crate) unsafe fn count(&self, stack: Option<&'static Stack>, event: &Event) {
        // SAFETY: the caller's promise.
        let row = unsafe { self.row(stack) };
        let mut counts = row.counts.load();
        counts.count(event);
        row.counts.store(&counts);
    }

    /// Notes that a thread attached at `stack`.
    ///
    /// # Safety
    /// As for [`count`](Self::count).
    pub(crate) unsafe fn note_opening(&self, stack: &'static Stack) {
        // SAFETY: the caller's promise.
        unsafe { self.row(Some(stack)) }.is_opening.store(true, Relaxed);
    }

    /// Shows `visit` what was counted at each stack, `None` for events without one, and whether a
    /// thread attached there.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Option<&'static Stack>, &SiteCounts, bool)) {
        for row in self.rows.iter().chain([&self.unattributed]) {
            visit(row.stack, &row.counts.load(), row.is_opening.load(Relaxed));
        }
    }

    /// Empties the table.
    ///
    /// # Safety
    /// As for [`count`](Self::count), and nobody reads.
    pub(crate) unsafe fn clear(&self) {
        // SAFETY: nobody reads, by the contract.
        unsafe { self.rows.clear() };
        // SAFETY: the caller is the writer.
        unsafe { &mut *self.index.get() }.clear();
        self.unattributed.counts.store(&SiteCounts::ZERO);
        self.unattributed.is_opening.store(false, Relaxed);
    }

    /// # Safety
    /// As for [`count`](Self::count).
    #[inline]
    unsafe fn row(&self, stack: Option<&'static Stack>) -> &Row {
        let Some(stack) = stack else { return &self.unattributed };
        // SAFETY: the caller is the writer.
        let index = unsafe { &*self.index.get() };
        let is_it = |at| self.rows.get(at).is_some_and(|row| row.is_of(stack));
        match self.rows.get(index.find(stack, is_it)) {
            Some(row) => row,
            // SAFETY: the caller's promise.
            None => unsafe { self.insert(stack) }.unwrap_or(&self.unattributed),
        }
    }

    /// # Safety
    /// As for [`count`](Self::count).
    #[cold]
    unsafe fn insert(&self, stack: &'static Stack) -> Option<&Row> {
        // SAFETY: the caller is the writer.
        let index = unsafe { &mut *self.index.get() };
        index.reserve(|at| self.rows.get(at).and_then(|row| row.stack)).ok()?;
        let at = self.rows.len();
        // SAFETY: only the writer appends.
        unsafe { self.rows.push(Row::new(Some(stack))) }.ok()?;
        index.insert(stack, at);
        self.rows.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::SharedSiteTable;
    use crate::counters::Event;
    use crate::stacks::made_up_stack;

    #[test]
    fn a_table_is_read_while_it_grows_and_starts_anew_when_it_is_cleared() {
        static SITES: SharedSiteTable = SharedSiteTable::new();
        for stacks in [3, 1_000, 20] {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for round in 1..=3 {
                        for at in 0..stacks {
                            let stack = made_up_stack(&[11, at]);
                            let event = &Event::alloc(0, round);
                            // SAFETY: only this thread writes.
                            unsafe { SITES.count(Some(stack), event) };
                        }
                    }
                    let event = &Event::realloc(0, 8, 9);
                    // SAFETY: as above.
                    unsafe { SITES.count(None, event) };
                    // SAFETY: as above.
                    unsafe { SITES.note_opening(made_up_stack(&[11, 2])) };
                });
                for _ in 0..100 {
                    SITES.visit(&mut |_, counts, _| assert!(counts.allocs <= 3));
                }
            });
            let (mut rows, mut openings) = (0, 0);
            SITES.visit(&mut |stack, counts, is_opening| {
                openings += u64::from(is_opening);
                match stack {
                    Some(stack) => {
                        assert_eq!(stack.return_addresses(), [11, rows]);
                        assert_eq!((counts.allocs, counts.bytes), (3, 6));
                        rows += 1;
                    }
                    None => assert_eq!((counts.reallocs, counts.bytes), (1, 9)),
                }
            });
            assert_eq!((rows, openings), (stacks, 1));
            // SAFETY: the writer has ended, and nobody reads.
            unsafe { SITES.clear() };
        }
    }
}
