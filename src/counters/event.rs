//! Hot: `Event`, what the allocator was asked to do and has done. Everyone who hears of it hands it
//! on in this form.

use super::counts::HUGE;
use super::thread_counters::Word;

/// One event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    /// Where the block is, or was.
    pub(crate) address: usize,
    /// Bytes requested; 0 where a block was freed.
    pub(crate) got: i64,
    /// Bytes given back: the size of the block that was freed, or its size before it was
    /// reallocated; else 0.
    pub(crate) freed: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A fresh block.
    Alloc,
    /// A block was given another size.
    Realloc,
    Dealloc,
}

impl Event {
    /// In place of the address of a block that is no longer live.
    pub(crate) const GONE: usize = 1;

    /// In place of the address of a block that may be live or not: nobody knows.
    pub(crate) const UNKNOWN: usize = 0;

    /// Whether it is an allocation event, that is anything but a deallocation. Call sites, budgets
    /// and heap profiles see these alone.
    #[inline]
    pub(crate) fn is_allocation(&self) -> bool {
        self.kind != EventKind::Dealloc
    }

    /// Whether there is a block that was not there before.
    #[inline]
    pub(crate) fn is_fresh(&self) -> bool {
        self.kind == EventKind::Alloc
    }

    /// The size of the block after an allocation event.
    #[inline]
    pub(crate) fn size(&self) -> u64 {
        self.got as u64
    }

    /// The size of the block before a reallocation.
    #[inline]
    pub(crate) fn old_size(&self) -> u64 {
        self.freed as u64
    }

    /// What it adds to the net bytes.
    #[inline]
    pub(crate) fn net(&self) -> i64 {
        self.got.wrapping_sub(self.freed)
    }

    /// What of that is of huge blocks.
    pub(crate) fn huge_net(&self) -> i64 {
        let huge = |size: i64| if size < HUGE { 0 } else { size };
        huge(self.got).wrapping_sub(huge(self.freed))
    }

    /// Which count goes up.
    pub(crate) fn word(&self) -> Word {
        match self.kind {
            EventKind::Alloc => Word::Allocs,
            EventKind::Realloc => Word::Reallocs,
            EventKind::Dealloc => Word::Deallocs,
        }
    }
}

#[cfg(test)]
impl Event {
    pub(crate) fn alloc(address: usize, size: u64) -> Self {
        Self { kind: EventKind::Alloc, address, got: size as i64, freed: 0 }
    }

    pub(crate) fn realloc(address: usize, old_size: u64, size: u64) -> Self {
        let (got, freed) = (size as i64, old_size as i64);
        Self { kind: EventKind::Realloc, address, got, freed }
    }
}
