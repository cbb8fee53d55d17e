//! Cold: from the stacks of a recording to [`CallSites`].
//!
//! 1. All addresses are symbolised at once: each to its frames, several where functions were inlined.
//! 2. Whose code a frame is depends on the root of the build, which the frame of a known line of the user's gives away.
//! 3. Of each stack, what lies above the scope is cut off, and so are the allocator's own frames below the allocation.
//! 4. Stacks that read the same are one site.
//!
//! Everything after symbolisation works on plain data.

use std::collections::{btree_map, BTreeMap};
use std::panic::Location;
#[cfg(feature = "dhat-compat")]
use std::sync::Arc;

use super::code::Owner;
use super::cut::Opening;
use super::frames::{Chain, Frames};
use super::sites::{CallSites, Data, Frame, Numbers, Site};
use super::{harness, Order};
use crate::counters;
use crate::counters::Blocks;
#[cfg(feature = "dhat-compat")]
use crate::dhat;
use crate::reading::Recording;
use crate::room::with_room;
use crate::stacks::{Growth, SiteCounts, Stack};
use crate::symbolize::{symbolize, Place};
use crate::walk::{self, Stop};

/// `location` is where the scope was opened, a line of the user's. The openings of `recording` must have been walked from a function of
/// this library that is never inlined. What this takes counts nowhere.
pub(crate) fn call_sites(recording: &Recording, location: &'static Location<'static>) -> CallSites {
    counters::ignored(|| with_room(|| made(recording, location)))
}

fn made(recording: &Recording, location: &'static Location<'static>) -> CallSites {
    let recorded = Recorded {
        tallies: recording.tallies.iter().map(|(stack, tally)| (of(stack), *tally)).collect(),
        openings: recording.openings.iter().map(|stack| of(stack)).collect(),
        lost: recording.lost,
        first_overrun: recording.first_overrun.map(|(event, stack)| (event, stack.map(of))),
        location: location.file(),
        unavailable: walk::UNAVAILABLE,
        has_peak: recording.has_peak,
    };
    #[cfg(not(feature = "dhat-compat"))]
    let data = data(&recorded, symbolize);
    #[cfg(feature = "dhat-compat")]
    let data = Data {
        dhat: Some(Arc::new(dhat::Profile::of_recording(recording))),
        ..data(&recorded, symbolize)
    };
    if !data.sites.iter().any(|site| site.is_capture) {
        harness::note_ordinary(recording);
    }
    CallSites::new(data)
}

/// Return addresses, outermost first, and why there are not more.
pub(super) type Trace<'a> = (&'a [usize], Stop);

fn of(stack: &Stack) -> Trace<'_> {
    (stack.return_addresses(), stack.stop())
}

/// A recording as plain data.
pub(super) struct Recorded<'a> {
    pub(super) tallies: Vec<(Trace<'a>, SiteCounts)>,
    pub(super) openings: Vec<Trace<'a>>,
    pub(super) lost: SiteCounts,
    pub(super) first_overrun: Option<(u64, Option<Trace<'a>>)>,
    pub(super) location: &'a str,
    pub(super) unavailable: Option<&'static str>,
    pub(super) has_peak: bool,
}

pub(super) fn data(recorded: &Recorded<'_>, symbolize: impl Fn(&[usize]) -> Vec<Place>) -> Data {
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
    Order::Allocations.sort(&mut sites, |site| site.numbers, |a, b| a.frames.cmp(&b.frames));
    let opener = |opening: &Opening<'_>| {
        opening.opener(|address| frames.at(address)).is_some_and(|frame| frame.file().is_some())
    };
    let has_user = sites.iter().any(|site| site.user_frames().next().is_some());
    Data {
        has_debug_info: has_user || sites.is_empty() || openings.iter().any(opener),
        lost,
        unwalked,
        unavailable: recorded.unavailable,
        has_peak: recorded.has_peak,
        #[cfg(feature = "dhat-compat")]
        dhat: None,
        order: Order::Allocations,
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

/// The frame that stands for a chain, innermost first: the user's innermost; else one that a macro made for the user; else, as std's own say nothing, a dependency's, one of
/// unknown code that has a name, any.
pub(super) fn leading(chain: &[Frame]) -> Option<&Frame> {
    let named = |owner| {
        chain.iter().find(move |frame| frame.parts.owner == owner && frame.function().is_some())
    };
    chain
        .iter()
        .find(|frame| frame.is_user())
        .or_else(|| chain.iter().find(|frame| frame.parts.is_made_by_macro))
        .or_else(|| named(Owner::Dependency))
        .or_else(|| named(Owner::Unknown))
        .or_else(|| named(Owner::Std))
        .or_else(|| chain.first())
}

/// The longer of two examples of a block that grew, and the sums of both.
pub(super) fn longer(a: Growth, b: Growth) -> Growth {
    let rank = |growth: &Growth| (growth.steps, growth.last, growth.sizes);
    let longer = if rank(&a) >= rank(&b) { a } else { b };
    longer.with_sums_of(&a, &b)
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
#[path = "model_tests.rs"]
mod tests;
