//! Cold: from the stacks of a recording to [`CallSites`].
//!
//! 1. All addresses are symbolised at once: each to its frames, several where functions were
//!    inlined.
//! 2. Whose code a frame is depends on the root of the build, which the frame of a known line of
//!    the user's gives away.
//! 3. Of each stack, what lies above the scope is cut off, and so are the allocator's own frames
//!    below the allocation.
//! 4. Stacks that read the same are one site.
//!
//! Everything after symbolisation works on plain data.

use std::collections::{btree_map, BTreeMap};
use std::panic::Location;
#[cfg(feature = "dhat-compat")]
use std::sync::Arc;

use super::frame::leading;
use super::frames::{Chain, Frames};
use super::harness;
use super::list::CallSites;
use super::opening::Opening;
use super::recorded::{RecordedStacks, Trace};
use super::site::{longer, SortBy};
use super::site::{Numbers, Site, SiteData};
use crate::counters::{self, AtWork, Blocks};
#[cfg(feature = "dhat-compat")]
use crate::reading::DhatProfile;
use crate::reading::Recording;
use crate::room::with_room;
use crate::stacks::{SiteCounts, Stack};
use crate::symbolize::{symbolize, Place};
use crate::walk;

/// `location` is where the scope was opened, a line of the user's. The openings of `recording` must
/// have been walked from a function of this library that is never inlined. What this takes counts
/// nowhere.
pub(crate) fn of_recording(
    recording: &Recording,
    location: &'static Location<'static>,
) -> CallSites {
    counters::ignored(|at_work| with_room(|| made(at_work, recording, location)))
}

fn made(
    at_work: AtWork<'_>,
    recording: &Recording,
    location: &'static Location<'static>,
) -> CallSites {
    let symbolize = |addresses: &[usize]| symbolize(at_work, addresses);
    let recorded = RecordedStacks {
        tallies: recording.tallies.iter().map(|(stack, tally)| (of(stack), *tally)).collect(),
        openings: recording.openings.iter().map(|stack| of(stack)).collect(),
        lost: recording.lost,
        first_overrun: recording.first_overrun.map(|(event, stack)| (event, stack.map(of))),
        location: location.file(),
        unavailable: walk::UNAVAILABLE,
        has_peak: recording.heap.is_some(),
    };
    #[cfg(not(feature = "dhat-compat"))]
    let data = data(&recorded, symbolize);
    #[cfg(feature = "dhat-compat")]
    let data = SiteData {
        dhat: Some(Arc::new(DhatProfile::of_recording(recording))),
        ..data(&recorded, symbolize)
    };
    if !data.sites.iter().any(|site| site.is_capture) {
        harness::note_ordinary(recording);
    }
    CallSites::new(at_work, data)
}

fn of(stack: &Stack) -> Trace<'_> {
    (stack.return_addresses(), stack.stop())
}

pub(super) fn data(
    recorded: &RecordedStacks<'_>,
    symbolize: impl Fn(&[usize]) -> Vec<Place>,
) -> SiteData {
    let frames = Frames::new(recorded, symbolize);
    let openings: Vec<Opening<'_>> = recorded
        .openings
        .iter()
        .map(|(addresses, stop)| {
            Opening::new(addresses, stop.is_complete(), |address| frames.at(address))
        })
        .collect();

    let mut lost = numbers(&recorded.lost);
    let mut unwalked = None;
    let mut sites: BTreeMap<Vec<usize>, Site> = BTreeMap::new();
    for (trace, tally) in &recorded.tallies {
        let Chain { frames, readings, gap, cut_off } = frames.chain(*trace, &openings);
        if frames.is_empty() {
            lost.add(numbers(tally));
            unwalked = unwalked.or((!trace.1.is_complete()).then(|| trace.1.reason()));
            continue;
        }
        let (numbers, growth, has_peak) = (numbers(tally), tally.growth, recorded.has_peak);
        let is_capture = harness::is_capture(&frames);
        let site = Site { numbers, growth, frames, gap, cut_off, is_capture, has_peak };
        merge(&mut sites, readings, site);
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    SortBy::Allocations.sort(&mut sites, |site| site.numbers, |a, b| a.frames.cmp(&b.frames));
    let opener = |opening: &Opening<'_>| {
        opening.opener(|address| frames.at(address)).is_some_and(|frame| frame.file().is_some())
    };
    let has_user = sites.iter().any(|site| site.user_frames().next().is_some());
    SiteData {
        has_debug_info: has_user || sites.is_empty() || openings.iter().any(opener),
        lost,
        unwalked,
        unavailable: recorded.unavailable,
        has_peak: recorded.has_peak,
        #[cfg(feature = "dhat-compat")]
        dhat: None,
        order: SortBy::Allocations,
        first_overrun: recorded.first_overrun.map(|(event, trace)| {
            let chain = trace.map(|trace| frames.chain(trace, &openings).frames);
            (event, chain.and_then(|chain| leading(&chain).cloned()))
        }),
        sites,
    }
}

fn numbers(tally: &SiteCounts) -> Numbers {
    let events = tally.allocs.wrapping_add(tally.reallocs);
    let Blocks { blocks: peak_blocks, bytes: peak_bytes } = tally.at_peak;
    Numbers { events, reallocs: tally.reallocs, bytes: tally.bytes, peak_blocks, peak_bytes }
}

fn merge(sites: &mut BTreeMap<Vec<usize>, Site>, readings: Vec<usize>, site: Site) {
    match sites.entry(readings) {
        btree_map::Entry::Vacant(place) => {
            place.insert(site);
        }
        btree_map::Entry::Occupied(mut place) => {
            let known = place.get_mut();
            known.numbers.add(site.numbers);
            known.growth = longer(known.growth, site.growth);
            known.gap = known.gap.or(site.gap);
            known.cut_off = known.cut_off.or(site.cut_off);
            // They differ in columns; which one stays must not hang on their order.
            if site.frames < known.frames {
                known.frames = site.frames;
            }
        }
    }
}

#[cfg(test)]
#[path = "of_recording_tests.rs"]
mod tests;
