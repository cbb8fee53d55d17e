//! Cold: `Site`, a place that allocated, and `SiteData`, all sites of a scope: plain data.

use std::cmp::Ordering;
use std::iter;
#[cfg(feature = "dhat-compat")]
use std::sync::Arc;

use super::frame::Frame;
#[cfg(feature = "dhat-compat")]
use crate::reading::DhatProfile;
use crate::stacks::{Growth, SiteCounts};

/// What a [`CallSites`](crate::CallSites) shares with its clones.
#[derive(Clone)]
pub(crate) struct SiteData {
    /// The order that `sites` are in.
    pub(crate) order: SortBy,
    pub(crate) sites: Vec<Site>,
    /// Events that belong to no site.
    pub(crate) unattributed: SiteCounts,
    /// Why some of these have no stack, if it is not for want of room.
    pub(crate) unwalked: Option<&'static str>,
    /// Why this target has no call sites at all.
    pub(crate) unavailable: Option<&'static str>,
    /// Whether the user's code has files and lines.
    pub(crate) has_debug_info: bool,
    /// Which allocation event was the first past the budget, and where.
    pub(crate) first_overrun: Option<(u64, Option<Frame>)>,
    /// Whether it is known what was live at the peak.
    pub(crate) has_peak: bool,
    /// The same as a profile for DHAT; `None` only in tests.
    #[cfg(feature = "dhat-compat")]
    pub(crate) dhat: Option<Arc<DhatProfile>>,
}

impl SiteData {
    /// What was counted at all sites and at none.
    pub(crate) fn total(&self) -> SiteCounts {
        total(iter::once(&self.unattributed).chain(self.sites.iter().map(|site| &site.counts)))
    }
}

/// The order of call sites: see [`CallSites::sorted_by`](crate::CallSites::sorted_by).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SortBy {
    /// Most allocation events.
    Allocations,
    /// Most bytes requested.
    Bytes,
    /// Most bytes that were live at the peak: see [`Site::peak_bytes`].
    PeakBytes,
}

impl SortBy {
    /// Sorts what has counts, the larger first. `compare` orders those that have the same, so that
    /// every order is total.
    pub(crate) fn sort<T>(
        self,
        list: &mut [T],
        counts: impl Fn(&T) -> &SiteCounts,
        compare: impl Fn(&T, &T) -> Ordering,
    ) {
        let weight = |counts: &SiteCounts| match self {
            Self::Allocations => [counts.events(), counts.bytes, 0],
            Self::Bytes => [counts.bytes, counts.events(), 0],
            Self::PeakBytes => [counts.at_peak.bytes, counts.bytes, counts.events()],
        };
        list.sort_by(|a, b| {
            let by_counts = weight(counts(b)).cmp(&weight(counts(a)));
            by_counts.then_with(|| compare(a, b))
        });
    }
}

/// A place that allocated, with the calls that led there: one of
/// [`CallSites::sites`](crate::CallSites::sites).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Site {
    pub(crate) counts: SiteCounts,
    pub(crate) frames: Vec<Frame>,
    /// After so many frames, some were left out.
    pub(crate) gap: Option<usize>,
    /// Why the frames do not lead as far as the opening of the scope, if they do not.
    pub(crate) cut_off: Option<&'static str>,
    /// Whether the test harness allocates here, to keep what is printed.
    pub(crate) is_capture: bool,
    /// Whether it is known what was live at the peak.
    pub(crate) has_peak: bool,
}

impl Site {
    /// Allocation events: `alloc`, `alloc_zeroed` and `realloc` each count one.
    #[must_use]
    pub fn alloc_count(&self) -> u64 {
        self.counts.events()
    }

    /// How many of the allocation events were reallocations.
    #[must_use]
    pub fn realloc_count(&self) -> u64 {
        self.counts.reallocs
    }

    /// Bytes requested; a reallocation adds its full new size.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.counts.bytes
    }

    /// Bytes of the blocks from here that were live at the peak. That is when there were the most
    /// live bytes, of all blocks that the scope, the profiler or the budget has counted. Exact
    /// while one thread at a time allocates. `None` where it is not known: see
    /// [`CallSites::sorted_by`](crate::CallSites::sorted_by).
    #[must_use]
    pub fn peak_bytes(&self) -> Option<u64> {
        self.has_peak.then_some(self.counts.at_peak.bytes)
    }

    /// How many blocks [`peak_bytes`](Self::peak_bytes) counts.
    #[must_use]
    pub fn peak_blocks(&self) -> Option<u64> {
        self.has_peak.then_some(self.counts.at_peak.blocks)
    }

    /// The calls that led to the allocation, innermost first; there is at least one. They begin
    /// with the function that called the allocator, and end with the one that opened the scope.
    /// Inlined functions are among them, this library's own are not.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Those of [`frames`](Self::frames) that are the user's, innermost first. There may be none:
    /// on a thread of a library's, for example.
    pub fn user_frames(&self) -> impl Iterator<Item = &Frame> + '_ {
        self.frames.iter().filter(|frame| frame.is_user())
    }
}

/// Adds what was counted at another stack that reads the same. Of two chains of growth the longer
/// one stays. (At one and the same stack the earlier one does, but different stacks have no order.)
pub(crate) fn add(counts: &mut SiteCounts, other: &SiteCounts) {
    let rank = |growth: &Growth| (growth.steps, growth.last, growth.sizes);
    let (a, b) = (counts.growth, other.growth);
    let longer = if rank(&a) >= rank(&b) { a } else { b };
    counts.add(other);
    counts.growth = longer.with_sums_of(&a, &b);
}

pub(crate) fn total<'a>(all: impl IntoIterator<Item = &'a SiteCounts>) -> SiteCounts {
    all.into_iter().fold(SiteCounts::ZERO, |mut total, counts| {
        total.add(counts);
        total
    })
}
