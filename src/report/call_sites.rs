//! Cold: the call sites in the report of a broken budget, below its table: which lists of them
//! there are, and the notes below them.
//!
//! ```text
//!   allocation 11, the first past the budget: src/parser.rs:14
//!   full stacks: MOD_ALLOC_BACKTRACE=full     DHAT profile: MOD_ALLOC_DHAT=DIR
//! ```

use super::layout::push_line;
use super::site_list::{push_list, List, Subject};
use crate::budget::{self, Entrance, ExceededData, Metric, Mode, Runs};
use crate::call_sites::advice;
use crate::call_sites::built::has_names;
use crate::call_sites::place::place;
use crate::call_sites::site::NumberedSite;
use crate::call_sites::SortBy;
use crate::counters::AtWork;
use crate::number::grouped;
use crate::walk;

const DHAT_HINT: &str = "     DHAT profile: MOD_ALLOC_DHAT=DIR";

/// Where the allocations were made, as far as `MOD_ALLOC_BACKTRACE` asks for it.
pub(super) fn push_call_sites(at_work: AtWork<'_>, text: &mut String, data: &ExceededData) {
    let mode = budget::mode();
    if mode == Mode::Off {
        return;
    }
    if let Some(reason) = walk::UNAVAILABLE {
        if data.budget.wants_call_sites() {
            text.push_str(&format!("\n  no call sites: {reason}\n"));
        }
        return;
    }
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
    push_lists(at_work, text, &lists, mode);
}

/// Bytes come first in a list if all broken limits are about bytes.
fn order(broken: &[Metric]) -> SortBy {
    if !broken.is_empty() && broken.iter().all(|metric| metric.is_of_bytes()) {
        SortBy::Bytes
    } else {
        SortBy::Allocations
    }
}

/// The lists and the notes; nothing at all where nothing was allocated.
fn push_lists(_: AtWork<'_>, text: &mut String, lists: &[List], mode: Mode) {
    let mut is_any_listed = false;
    let (mut first_overrun, mut first_use) = (None, None);
    for list in lists {
        if push_list(text, list, mode) {
            is_any_listed = true;
            first_use = first_use.or_else(|| at_first_use(list));
            first_overrun = first_overrun.or(list.sites.data().first_overrun.as_ref());
        }
    }
    let mut notes = Vec::new();
    if let Some((event, frame)) = first_overrun {
        let place = frame.as_ref().map_or_else(|| "at no known site".to_owned(), place);
        notes.push(format!("  allocation {}, the first past the budget: {place}", grouped(*event)));
    }
    if let Some(made) = first_use {
        let what = "of what is set up once (OnceLock, thread_local!, ..)";
        notes.push(format!("  {made} {what}: try `warmup = 1`"));
    }
    if is_any_listed && mode == Mode::Short {
        let wants_dhat = cfg!(feature = "dhat-compat") && budget::dhat_folder().is_none();
        let dhat = if wants_dhat { DHAT_HINT } else { "" };
        notes.push(format!("  full stacks: MOD_ALLOC_BACKTRACE=full{dhat}"));
    } else if mode == Mode::Short && lists.iter().any(|list| has_names(list.sites.data())) {
        notes.push("  names of functions: MOD_ALLOC_BACKTRACE=full".to_owned());
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        push_line(text, &note);
    }
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
