//! Cold: `of_recording`, which makes [`CallSites`] of a recording.
//!
//! 1. All addresses are symbolised at once: each to its frames, several where functions were
//!    inlined.
//! 2. Whose code a frame is depends on the root of the build. One line of the user's is known, and
//!    the frame that has it tells the root.
//! 3. What of a stack lies above the scope is cut off, and so are the allocator's own frames at its
//!    inner end.
//! 4. Stacks that read the same become one site.
//!
//! All but the first step works on plain data.

use std::collections::{btree_map, BTreeMap};
use std::panic::Location;
#[cfg(feature = "dhat-compat")]
use std::sync::Arc;

use super::chain::Chain;
use super::frame::leading;
use super::frames::Frames;
use super::harness;
use super::list::CallSites;
use super::opening::Opening;
use super::site::{add, Site, SiteData, SortBy};
use crate::counters::{self, AtWork};
#[cfg(feature = "dhat-compat")]
use crate::reading::DhatProfile;
use crate::reading::Recording;
use crate::room::with_room;
use crate::symbolize::{symbolize, Place};
use crate::walk;

/// `location` is where the scope was opened, a line of the user's. The openings of `recording` must
/// have been walked from a function of this library that is never inlined. What this allocates
/// counts nowhere.
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
    let data = data(recording, location.file(), walk::UNAVAILABLE, symbolize);
    #[cfg(feature = "dhat-compat")]
    let data = SiteData { dhat: Some(Arc::new(DhatProfile::of_recording(recording))), ..data };
    if !data.sites.iter().any(|site| site.is_capture) {
        harness::note_ordinary(recording);
    }
    CallSites::new(at_work, data)
}

pub(super) fn data(
    recording: &Recording,
    location: &str,
    unavailable: Option<&'static str>,
    symbolize: impl Fn(&[usize]) -> Vec<Place>,
) -> SiteData {
    let frames = Frames::new(recording, location, symbolize);
    let openings = recording.openings.iter().map(|stack| Opening::new(stack, &frames));
    let openings: Vec<Opening> = openings.collect();

    let has_peak = recording.heap.is_some();
    let mut unattributed = recording.unattributed;
    let mut unwalked = None;
    let mut sites: BTreeMap<Vec<usize>, Site> = BTreeMap::new();
    for &(stack, counts) in &recording.stacks {
        let Chain { frames, wordings, gap, cut_off } = Chain::of(stack, &frames, &openings);
        if frames.is_empty() {
            unattributed.add(&counts);
            let stop = stack.stop();
            unwalked = unwalked.or((!stop.is_complete()).then(|| stop.reason()));
            continue;
        }
        let is_capture = harness::is_capture(&frames);
        let site = Site { counts, frames, gap, cut_off, is_capture, has_peak };
        merge(&mut sites, wordings, site);
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    SortBy::Allocations.sort(&mut sites, |site| &site.counts, |a, b| a.frames.cmp(&b.frames));
    let opener =
        |opening: &Opening| opening.opener(&frames).is_some_and(|frame| frame.file().is_some());
    let has_user = sites.iter().any(|site| site.user_frames().next().is_some());
    SiteData {
        has_debug_info: has_user || sites.is_empty() || openings.iter().any(opener),
        unattributed,
        unwalked,
        unavailable,
        has_peak,
        #[cfg(feature = "dhat-compat")]
        dhat: None,
        order: SortBy::Allocations,
        first_overrun: recording.first_overrun.map(|(event, stack)| {
            let chain = stack.map(|stack| Chain::of(stack, &frames, &openings).frames);
            (event, chain.and_then(|chain| leading(&chain).cloned()))
        }),
        sites,
    }
}

fn merge(sites: &mut BTreeMap<Vec<usize>, Site>, wordings: Vec<usize>, site: Site) {
    match sites.entry(wordings) {
        btree_map::Entry::Vacant(place) => {
            place.insert(site);
        }
        btree_map::Entry::Occupied(mut place) => {
            let known = place.get_mut();
            add(&mut known.counts, &site.counts);
            known.gap = known.gap.or(site.gap);
            known.cut_off = known.cut_off.or(site.cut_off);
            // They differ in columns. Which one stays must not depend on their order.
            if site.frames < known.frames {
                known.frames = site.frames;
            }
        }
    }
}

#[cfg(test)]
mod tests;
