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

use std::panic::Location;
use std::sync::Arc;

use super::chain::push_chain;
use super::frames::Frames;
use super::harness;
use super::list::CallSites;
use super::merged::Merged;
use super::opening::Opening;
use super::site::{Listed, SiteData, SortBy};
use crate::counters::{self, AtWork};
use crate::files::with_slashes;
#[cfg(feature = "dhat-compat")]
use crate::reading::DhatProfile;
use crate::reading::{self, Recording};
use crate::room::with_room;
use crate::stacks::Stack;
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
    let data = data(recording, &with_slashes(location.file()), walk::UNAVAILABLE, &symbolize);
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
    symbolize: &dyn Fn(&[usize]) -> Vec<Place>,
) -> SiteData {
    let (frames, list) = Frames::new(recording, location, symbolize);
    let openings = recording.openings.iter().map(|stack| Opening::new(stack, &frames, &list));
    let openings: Vec<Opening> = openings.collect();
    let mut outside = recording.openings.iter().flat_map(|stack| reading::return_addresses(stack));
    let is_in_test = outside.any(|address| {
        frames.at(address).iter().any(|frame| harness::runs_tests(list.frame(*frame)))
    });
    let openers = openings.iter().filter_map(|opening| opening.opener(&frames));
    let has_opener = openers.map(|opener| list.frame(opener)).any(|frame| frame.file().is_some());
    let chain = |stack: Option<&Stack>| {
        let mut numbers = Vec::new();
        if let Some(stack) = stack {
            push_chain(&mut numbers, stack, &frames, &openings);
        }
        numbers
    };
    let first_overrun =
        recording.first_overrun.map(|(event, stack)| (event, list.leading(&chain(stack))));
    let mut largest_blocks = Vec::new();
    for &(stack, size) in &recording.largest_blocks {
        let numbers = chain(stack);
        if !harness::is_capture(&list.frames(&numbers)) {
            largest_blocks.push((size, numbers));
        }
    }

    let mut merged = Merged::new(list);
    let mut unattributed = recording.unattributed;
    let mut unwalked = None;
    for (stack, counts) in &recording.stacks {
        if !merged.add(counts, |numbers| push_chain(numbers, stack, &frames, &openings)) {
            unattributed.add(&counts.get());
            let stop = stack.stop();
            unwalked = unwalked.or((!stop.is_complete()).then(|| stop.reason()));
        }
    }
    let (sites, chains) = merged.finish();
    let has_user = sites.iter().any(|site| chains.innermost_of_user(site.chain).is_some());
    let mut data = SiteData {
        has_debug_info: has_user || sites.is_empty() || has_opener,
        is_in_test,
        unattributed,
        unwalked,
        unavailable,
        has_peak: recording.heap.is_some(),
        #[cfg(feature = "dhat-compat")]
        dhat: None,
        order: SortBy::Allocations,
        first_overrun,
        largest_blocks,
        sites,
        chains: Arc::new(chains),
        listed: Listed::default(),
    };
    data.sort(SortBy::Allocations);
    data
}

#[cfg(test)]
mod tests;
