//! Cold: the call sites in the report of a broken budget, below its table: which lists of them
//! there are, and the notes below them.
//!
//! ```text
//!   allocation 11, the first past the budget: src/parser.rs:14:45
//!   largest block, 4,096 bytes: src/parser.rs:14:45 tokens
//!   DHAT profile: MOD_ALLOC_DHAT=DIR
//!   full stacks: MOD_ALLOC_BACKTRACE=full cargo test tests::parses_header
//! ```

use super::changes::push_runs;
use super::command::command;
use super::layout::Notes;
use super::site_list::{push_list, List, Subject};
use crate::budget::{self, Entrance, ExceededData, Metric, Mode, Runs};
use crate::call_sites::advice;
use crate::call_sites::built::has_names;
use crate::call_sites::place::{described, place};
use crate::call_sites::site::NumberedSite;
use crate::call_sites::SortBy;
use crate::counters::AtWork;
use crate::number::{counted, grouped};
use crate::styled::{Style, Styled};
use crate::walk;

const NO_SITE: &str = "at no known site";

const DHAT_HINT: &str = "DHAT profile: MOD_ALLOC_DHAT=DIR";

/// Appends where the allocations were made, as far as `MOD_ALLOC_BACKTRACE` asks for it.
pub(super) fn push_call_sites(
    at_work: AtWork<'_>,
    text: &mut Styled,
    data: &ExceededData,
) -> Notes {
    let mode = budget::mode();
    if mode == Mode::Off {
        return Notes::default();
    }
    if let Some(reason) = walk::UNAVAILABLE {
        let is_wanted = data.budget.wants_call_sites();
        let missing = is_wanted.then(|| reason.into());
        return Notes { first: missing.into_iter().collect(), ..Notes::default() };
    }
    push_runs(at_work, text, data);
    let (of_retained, of_allocated): (Vec<Metric>, Vec<Metric>) =
        data.broken().partition(|metric| metric.is_of_retained());
    let mut lists = Vec::new();
    let location = data.origin.location;
    let attribute = (data.origin.entrance == Entrance::Attribute).then_some(location);
    let is_warm = data.runs.as_ref().is_some_and(Runs::are_warm);
    let run = data.runs.as_ref().and_then(Runs::shown);
    let mut push = |sites, subject, order| {
        lists.push(List { sites, subject, order, attribute, is_warm, run });
    };
    let is_of_peak = of_allocated.contains(&Metric::PeakBytes);
    let at_peak = data.call_sites().filter(|_| is_of_peak).and_then(|sites| sites.at_peak(at_work));
    let is_of_allocated = match at_peak {
        Some(_) => of_allocated != [Metric::PeakBytes],
        None => !of_allocated.is_empty() || of_retained.is_empty(),
    };
    if let Some(sites) = at_peak {
        push(sites, Subject::AtPeak, SortBy::Bytes);
    }
    if let Some(sites) = data.call_sites().filter(|_| is_of_allocated) {
        push(sites.clone(), Subject::Allocated, order(&of_allocated));
    }
    if let (false, Some(sites)) = (of_retained.is_empty(), data.retained_sites()) {
        let subject = match data.origin.returns_nothing {
            true => Subject::Leaked,
            false => Subject::Retained,
        };
        push(sites, subject, order(&of_retained));
    }
    let mut notes = push_lists(at_work, text, &lists, mode, data.thread.as_deref());
    notes.first.extend(largest_block(data));
    notes
}

/// The line that asked for a block that is too large.
fn largest_block(data: &ExceededData) -> Option<Styled> {
    data.broken().find(|metric| *metric == Metric::LargestBlock)?;
    let sites = data.call_sites()?.data();
    let frame = sites.largest_block_frame();
    let place = frame.as_ref().map_or_else(|| NO_SITE.to_owned(), described);
    let size = counted(sites.largest_block_bytes(), "byte");
    Some(Styled::from(format!("largest block, {size}: ")).then(Style::Place.of(&place)))
}

/// Bytes come first in a list if all broken limits are about bytes.
pub(super) fn order(broken: &[Metric]) -> SortBy {
    if !broken.is_empty() && broken.iter().all(|metric| metric.is_of_bytes()) {
        SortBy::Bytes
    } else {
        SortBy::Allocations
    }
}

/// Appends the lists; nothing at all where nothing was allocated. `thread` is the name of the one
/// that was measured.
fn push_lists(
    _: AtWork<'_>,
    text: &mut Styled,
    lists: &[List],
    mode: Mode,
    thread: Option<&str>,
) -> Notes {
    let (mut first_overrun, mut first_use) = (None, None);
    for list in lists {
        if push_list(text, list, mode) {
            first_use = first_use.or_else(|| at_first_use(list));
            first_overrun = first_overrun.or(list.sites.data().first_overrun.as_ref());
        }
    }
    let mut first = Vec::new();
    if let Some((event, frame)) = first_overrun {
        let place = frame.as_ref().map_or_else(|| NO_SITE.to_owned(), place);
        let what = format!("allocation {}, the first past the budget: ", grouped(*event));
        first.push(Styled::from(what).then(Style::Place.of(&place)));
    }
    if let Some(made) = first_use {
        let what = "of what is set up once (OnceLock, thread_local!, ..)";
        first.push(format!("{made} {what}: try `warmup = 1`").into());
    }
    Notes { first, last: more(lists, mode, thread) }
}

/// How to see more, where there is more to see.
fn more(lists: &[List], mode: Mode, thread: Option<&str>) -> Vec<Styled> {
    if mode != Mode::Short {
        return Vec::new();
    }
    let in_test = lists.iter().any(|list| list.sites.data().is_in_test);
    let command = || command("MOD_ALLOC_BACKTRACE=full", thread.filter(|_| in_test));
    let shown = |what: &str, command: String| Style::Detail.of(what).then(command);
    let mut more = Vec::new();
    if lists.iter().any(|list| list.is_listed(mode)) {
        let wants_dhat = cfg!(feature = "dhat-compat") && budget::dhat_folder().is_none();
        more.extend(wants_dhat.then(|| Style::Detail.of(DHAT_HINT)));
        more.push(shown("full stacks: ", command()));
    } else if lists.iter().any(|list| has_names(list.sites.data())) {
        more.push(shown("names of functions: ", command()));
    }
    more
}

/// How much of it a second run would not allocate, as far as that is known.
fn at_first_use(list: &List) -> Option<String> {
    let data = list.sites.data();
    let is_first_use = data.chains.list.map(&mut advice::is_first_use);
    let made_once = data.sites.iter().filter(|site| data.has_any(site, &is_first_use));
    let count = made_once.map(NumberedSite::events).sum();
    (count > 0 && !list.is_warm).then(|| list.subject.counted(count))
}

#[cfg(test)]
mod tests;
