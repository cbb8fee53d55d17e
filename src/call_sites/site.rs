//! Cold: `Site`, a place that allocated, and `SiteData`, all sites of a scope: plain data.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use super::chains::{ChainAt, Chains, End};
use super::frame::Frame;
use crate::counters;
use crate::reading::CompactCounts;
#[cfg(feature = "dhat-compat")]
use crate::reading::DhatProfile;
use crate::room::with_room;
use crate::sort::sort_by;
use crate::stacks::{Growth, SiteCounts};
use crate::walk::Stop;

/// What a [`CallSites`](crate::CallSites) shares with its clones.
#[derive(Clone)]
pub(crate) struct SiteData {
    /// The order that `sites` are in.
    pub(crate) order: SortBy,
    pub(crate) sites: Vec<NumberedSite>,
    pub(crate) chains: Arc<Chains>,
    /// The same sites for the user, once somebody has asked.
    pub(crate) listed: Listed,
    /// Events that belong to no site.
    pub(crate) unattributed: SiteCounts,
    /// Why some of these have no stack, if it is not for want of room.
    pub(crate) unwalked: Option<&'static str>,
    /// Why this target has no call sites at all.
    pub(crate) unavailable: Option<&'static str>,
    /// Whether the user's code has files and lines.
    pub(crate) has_debug_info: bool,
    /// Whether Rust's test harness has called the code, on its thread of this test.
    pub(crate) is_in_test: bool,
    /// Which allocation event was the first past the budget, and where.
    pub(crate) first_overrun: Option<(u64, Option<Frame>)>,
    /// The largest block of each stack, if that was asked for, and the numbers of its frames. The
    /// test harness's are not among them. The stack that was there first comes last.
    pub(crate) largest_blocks: Vec<(u64, Vec<u32>)>,
    /// Whether it is known what was live at the peak.
    pub(crate) has_peak: bool,
    /// The same as a profile for DHAT; `None` only in tests.
    #[cfg(feature = "dhat-compat")]
    pub(crate) dhat: Option<Arc<DhatProfile>>,
}

/// A [`Site`] in little memory: there may be a million.
#[derive(Clone)]
pub(crate) struct NumberedSite {
    /// Its place among all sites of the recording, ordered by their frames.
    pub(crate) rank: u32,
    pub(super) chain: ChainAt,
    pub(crate) gap: Option<u32>,
    pub(crate) cut_off: Option<Stop>,
    pub(crate) is_capture: bool,
    counts: CompactCounts,
}

impl NumberedSite {
    pub(super) fn new(counts: CompactCounts, chain: ChainAt, end: &End, is_capture: bool) -> Self {
        Self { rank: 0, chain, gap: end.gap, cut_off: end.cut_off, is_capture, counts }
    }

    pub(crate) fn counts(&self) -> SiteCounts {
        self.counts.get()
    }

    /// Adds what was counted at another stack that reads the same.
    pub(super) fn merge(&mut self, counts: &SiteCounts, end: &End) {
        let mut sum = self.counts();
        add(&mut sum, counts);
        self.counts = CompactCounts::of(&sum);
        self.gap = self.gap.or(end.gap);
        self.cut_off = self.cut_off.or(end.cut_off);
    }

    pub(super) fn with_counts(&self, counts: &SiteCounts) -> Self {
        Self { counts: CompactCounts::of(counts), ..self.clone() }
    }

    pub(crate) fn events(&self) -> u64 {
        self.counts.events()
    }
}

/// Made once, when somebody asks.
#[derive(Default)]
pub(crate) struct Listed(OnceLock<Vec<Site>>);

/// A copy of the data may have other sites.
impl Clone for Listed {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl SiteData {
    /// What was counted at all sites and at none.
    pub(crate) fn total(&self) -> SiteCounts {
        let mut total = self.total_of_sites();
        total.add(&self.unattributed);
        total
    }

    pub(crate) fn total_of_sites(&self) -> SiteCounts {
        total(self.sites.iter().map(NumberedSite::counts))
    }

    /// The largest block of all; 0 if there is none.
    pub(crate) fn largest_block_bytes(&self) -> u64 {
        self.largest_blocks.iter().map(|(size, _)| *size).max().unwrap_or(0)
    }

    /// Where it was requested; of equal ones, that of the stack which was there first.
    pub(crate) fn largest_block_frame(&self) -> Option<Frame> {
        let bytes = self.largest_block_bytes();
        let (_, chain) = self.largest_blocks.iter().rev().find(|(size, _)| *size == bytes)?;
        self.chains.list.leading(chain)
    }

    /// The frames of a site, innermost first, by their numbers.
    pub(crate) fn numbers(&self, site: &NumberedSite) -> &[u32] {
        self.chains.at(site.chain)
    }

    /// Whether any frame of a site is so, by what is known of each frame.
    pub(crate) fn has_any(&self, site: &NumberedSite, is_so: &[bool]) -> bool {
        self.chains.any(site.chain, is_so)
    }

    /// The same of all its frames but the outermost.
    pub(crate) fn has_any_within(&self, site: &NumberedSite, is_so: &[bool]) -> bool {
        self.numbers(site).iter().rev().skip(1).any(|frame| is_so[*frame as usize])
    }

    /// The frames of a site, innermost first.
    pub(crate) fn frames(&self, site: &NumberedSite) -> Vec<&Frame> {
        self.chains.list.frames(self.numbers(site))
    }

    /// The distinct frames of all sites.
    pub(crate) fn distinct_frames(&self) -> Vec<&Frame> {
        let mut is_there = self.chains.list.map(&mut |_| false);
        let marks = is_there.as_mut_slice();
        for site in &self.sites {
            for number in self.numbers(site) {
                marks[*number as usize] = true;
            }
        }
        let mut frames = Vec::new();
        for (number, is_there) in (0..).zip(is_there) {
            if is_there {
                frames.push(self.chains.list.frame(number));
            }
        }
        frames
    }

    pub(crate) fn sort(&mut self, by: SortBy) {
        self.order = by;
        sort_by(&mut self.sites, |a, b| by.compare(a, b));
    }

    /// The sites for the user.
    pub(crate) fn listed(&self) -> &[Site] {
        self.listed.0.get_or_init(|| {
            let list = || self.sites.iter().map(|site| self.site(site)).collect();
            counters::ignored(|_| with_room(list))
        })
    }

    fn site(&self, site: &NumberedSite) -> Site {
        Site {
            counts: site.counts(),
            frames: self.frames(site).into_iter().cloned().collect(),
            gap: site.gap.map(|gap| gap as usize),
            cut_off: site.cut_off.map(Stop::reason),
            is_capture: site.is_capture,
            has_peak: self.has_peak,
        }
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
    /// What has more stands first.
    pub(crate) fn weight(self, events: u64, bytes: u64, peak_bytes: u64) -> [u64; 3] {
        match self {
            Self::Allocations => [events, bytes, 0],
            Self::Bytes => [bytes, events, 0],
            Self::PeakBytes => [peak_bytes, bytes, events],
        }
    }

    /// A total order: sites with the same counts are ordered by their frames.
    pub(crate) fn compare(self, a: &NumberedSite, b: &NumberedSite) -> Ordering {
        let weight = |site: &NumberedSite| {
            self.weight(site.events(), site.counts.bytes, site.counts.peak_bytes())
        };
        weight(b).cmp(&weight(a)).then(a.rank.cmp(&b.rank))
    }
}

/// A place that allocated, with the calls that led there: one of
/// [`CallSites::sites`](crate::CallSites::sites).
#[derive(Clone, Debug)]
#[cfg_attr(not(test), allow(dead_code))] // Some of it is there for `Debug` alone.
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

pub(crate) fn total(all: impl IntoIterator<Item = SiteCounts>) -> SiteCounts {
    all.into_iter().fold(SiteCounts::ZERO, |mut total, counts| {
        total.add(&counts);
        total
    })
}
