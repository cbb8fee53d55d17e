//! Cold: the call sites in the report of a broken budget, below its table.
//!
//! ```text
//!   call sites, most allocations first (14 allocations at 3 sites)
//!     9 x      9 B  src/parser.rs:14  tokens::{closure}
//!                   14 | s.split(' ').map(|t| t.to_string()).collect()
//!                   called from src/parser.rs:15 parse < tests/header.rs:20 parses_header
//!     3 x    672 B  src/parser.rs:14  tokens                           1 allocation, 2 reallocations
//!                   grew 96 > 192 > 384: reserve the capacity up front
//!     2 x    223 B  src/fmt.rs:8      label
//!
//!   allocation 11, the first past the budget: src/parser.rs:14
//!   full stacks: MOD_ALLOC_BACKTRACE=full     DHAT profile: MOD_ALLOC_DHAT=DIR
//! ```
//!
//! The user's innermost line leads, whatever it called: growth of a `Vec` is no place of the
//! user's. Stacks with the same lines of the user's are one site here.

use std::iter;
use std::panic::Location;

use crate::budget::{self, Mode};
use crate::call_sites::advice;
use crate::call_sites::built::{built, has_names, Built};
use crate::call_sites::detailed::{growth, push_stacks, shortcomings};
use crate::call_sites::place::{calls, dependency, function, place};
use crate::call_sites::rows::{rows, Row};
use crate::call_sites::source::Sources;
use crate::call_sites::CallSites;
use crate::call_sites::SortBy;
use crate::counters::AtWork;
use crate::number::{counted, grouped};

const WIDTH: usize = 100;

/// So many sites are listed, and so many further lines about them, the first sites first: with the
/// table, a report has some 25 lines. Who calls a site is said of each, even if that takes one line
/// more.
const MAX_SITES: usize = 6;
const MAX_DETAILS: usize = 8;

/// Files are at most so wide in the list. A longer one shifts its own line, and is not cut: editors
/// find their way by it.
const MAX_PLACE_WIDTH: usize = 40;

/// After the name of a file.
const UNREAD: &str = "can't be read here: no lines of its code are shown";

const DHAT_HINT: &str = "     DHAT profile: MOD_ALLOC_DHAT=DIR";

/// What the sites of a list have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Allocations.
    Allocated,
    /// Blocks that were live at the peak.
    AtPeak,
    /// Blocks that are live at the end.
    Retained,
    /// The same, where nothing was returned that could hold them.
    Leaked,
}

/// A list of sites.
pub(crate) struct List {
    pub(crate) sites: CallSites,
    pub(crate) subject: Subject,
    pub(crate) order: SortBy,
    /// Where the attribute stands that calls the code: a line that calls nothing for who reads it.
    pub(crate) attribute: Option<&'static Location<'static>>,
    /// Whether the code had run before it was measured.
    pub(crate) is_warm: bool,
    /// Which of several runs it is of.
    pub(crate) run: Option<u64>,
}

impl Subject {
    fn counted(self, count: u64) -> String {
        counted(count, if self == Self::Allocated { "allocation" } else { "block" })
    }
}

/// Nothing at all where nothing was allocated.
pub(crate) fn push_call_sites(_: AtWork<'_>, text: &mut String, lists: &[List], mode: Mode) {
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

/// What would not be there in a second run, as far as that is known.
fn at_first_use(list: &List) -> Option<String> {
    let sites = list.sites.data().sites.iter();
    let made_once = sites.filter(|site| advice::is_first_use(&site.frames));
    let count = made_once.map(|site| site.numbers.events).sum();
    (count > 0 && !list.is_warm).then(|| list.subject.counted(count))
}

/// Whether there are sites to list.
fn push_list(text: &mut String, list: &List, mode: Mode) -> bool {
    let data = list.sites.data();
    let shortcomings = shortcomings(data, |count| list.subject.counted(count));
    let is_listed = !data.sites.is_empty() && (data.has_debug_info || mode == Mode::Full);
    if !is_listed && shortcomings.is_empty() {
        return false;
    }
    text.push_str(if text.is_empty() || text.ends_with('\n') { "\n" } else { "\n\n" });
    if is_listed {
        if mode == Mode::Full {
            push_heading(text, list, data.sites.len());
            push_stacks(text, data, list.order, "    ");
        } else {
            push_rows(text, list);
        }
    }
    for line in shortcomings {
        let (indent, start) = if is_listed { (4, "and") } else { (2, "no call sites:") };
        push_sentence(text, indent, &format!("{start} {line}"));
    }
    is_listed
}

fn push_heading(text: &mut String, list: &List, count: usize) {
    let (data, subject, order) = (list.sites.data(), list.subject, list.order);
    let sum = |number: fn(&crate::call_sites::Numbers) -> u64| {
        data.sites.iter().fold(0_u64, |sum, site| sum.wrapping_add(number(&site.numbers)))
    };
    let total = match order {
        SortBy::Allocations => subject.counted(sum(|numbers| numbers.events)),
        SortBy::Bytes | SortBy::PeakBytes => counted(sum(|numbers| numbers.bytes), "byte"),
    };
    let what = match subject {
        Subject::Allocated => "call sites",
        Subject::AtPeak => "live at the peak",
        Subject::Retained => "retained",
        Subject::Leaked => "leaked",
    };
    let run = match (list.run, subject) {
        (None, _) => String::new(),
        (Some(run), Subject::Retained | Subject::Leaked) => format!(" in run {}", grouped(run)),
        (Some(run), _) => format!(" of run {}", grouped(run)),
    };
    let first = match (subject, order) {
        (Subject::Allocated, SortBy::Allocations) => "allocations",
        (_, SortBy::Allocations) => "blocks",
        (_, SortBy::Bytes | SortBy::PeakBytes) => "bytes",
    };
    let sites = counted(u64::try_from(count).unwrap_or(u64::MAX), "site");
    push_line(text, &format!("  {what}{run}, most {first} first ({total} at {sites})"));
}

fn push_rows(text: &mut String, list: &List) {
    let rows = rows(list.sites.data(), list.order, list.attribute);
    push_heading(text, list, rows.len());
    let (shown, others) = rows.split_at(MAX_SITES.min(rows.len()));
    let widest = |width: fn(&Row<'_>) -> usize| shown.iter().map(width).max().unwrap_or(0);
    let count_width = widest(|row| grouped(row.numbers.events).len());
    let bytes_width = widest(|row| grouped(row.numbers.bytes).len()).max(6);
    let place_width = widest(|row| {
        Some(place(row.leading).chars().count()).filter(|w| *w <= MAX_PLACE_WIDTH).unwrap_or(0)
    });
    let indent = 4 + count_width + 3 + bytes_width + 4;

    let mut sources = Sources::default();
    let width = WIDTH - indent;
    let callers = callers(shown, width, &mut sources);
    let mut details_left = MAX_DETAILS.saturating_sub(callers.iter().map(|c| c.lines.len()).sum());
    for (index, (row, callers)) in shown.iter().zip(callers).enumerate() {
        let head = format!(
            "    {:>count_width$} x {:>bytes_width$} B  {:place_width$}  {}",
            grouped(row.numbers.events),
            grouped(row.numbers.bytes),
            place(row.leading),
            named(row, &mut sources),
        );
        let mut callers_or_note = callers.lines;
        match notes(row, callers.are_same) {
            Some(note) if head.chars().count() + 2 + note.chars().count() <= WIDTH => {
                let gap = WIDTH - head.chars().count() - note.chars().count();
                push_line(text, &format!("{head}{:gap$}{note}", ""));
            }
            note => {
                push_line(text, &head);
                callers_or_note.splice(0..0, note);
            }
        }
        let previous = index.checked_sub(1).map(|index| &shown[index]);
        let above = Some(()).filter(|_| details_left > 0);
        let above = above.and_then(|()| excerpt(row, previous, width, &mut sources));
        details_left -= usize::from(above.is_some());
        let below = grown(row, width).filter(|_| details_left > 0);
        details_left -= usize::from(below.is_some());
        for detail in above.iter().chain(&callers_or_note).chain(&below) {
            push_line(text, &format!("{:indent$}{detail}", ""));
        }
    }
    let mut paths = shown.iter().filter_map(|row| Some((row.leading.parts.path.as_ref()?, row)));
    if let Some((_, row)) = paths.find(|(path, _)| !sources.can_be_read(path)) {
        let file = row.leading.file().unwrap_or("");
        let note = match built() {
            Built::DocTest => "lines of a doc test are counted from its own start".to_owned(),
            _ => format!("{file} {UNREAD}"),
        };
        push_line(text, &format!("    {note}"));
    }
    if !others.is_empty() {
        let left = others.iter().fold((0_u64, 0_u64), |(events, bytes), row| {
            (events.wrapping_add(row.numbers.events), bytes.wrapping_add(row.numbers.bytes))
        });
        push_line(
            text,
            &format!(
                "    and {} with {}, {}",
                counted(u64::try_from(others.len()).unwrap_or(u64::MAX), "more site"),
                list.subject.counted(left.0),
                counted(left.1, "byte"),
            ),
        );
    }
}

/// The function, and the one of a dependency that it called.
fn named(row: &Row<'_>, sources: &mut Sources) -> String {
    let function = function(row.leading, sources);
    match row.dependency {
        Some(frame) => format!("{function}, in {}", dependency(frame, sources)),
        None => function,
    }
}

/// `1 allocation, 2 reallocations`, where there are reallocations; `same caller`.
fn notes(row: &Row<'_>, is_same_caller: bool) -> Option<String> {
    let reallocs = row.numbers.reallocs;
    let fresh = row.numbers.events.wrapping_sub(reallocs);
    let mut notes = Vec::new();
    if reallocs > 0 && fresh > 0 {
        notes.push(counted(fresh, "allocation"));
    }
    if reallocs > 0 {
        notes.push(counted(reallocs, "reallocation"));
    }
    if is_same_caller {
        notes.push("same caller".to_owned());
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

/// Who calls a site.
struct Callers {
    /// As the one before it says.
    are_same: bool,
    /// Else these say it.
    lines: Vec<String>,
}

fn callers(rows: &[Row<'_>], width: usize, sources: &mut Sources) -> Vec<Callers> {
    let mut previous: Vec<String> = Vec::new();
    let callers = rows.iter().map(|row| {
        let links = calls(row.leading, &row.callers, sources);
        let are_same = !links.is_empty() && links == previous;
        let lines = if are_same { Vec::new() } else { chain("called from ", &links, width) };
        previous = links;
        Callers { are_same, lines }
    });
    callers.collect()
}

/// The line of code, except where the site before it has just shown it.
fn excerpt(
    row: &Row<'_>,
    previous: Option<&Row<'_>>,
    width: usize,
    sources: &mut Sources,
) -> Option<String> {
    let line = |row: &Row<'_>| (place(row.leading), row.leading.is_user());
    if previous.map(line) == Some(line(row)) || !row.leading.is_user() {
        return None;
    }
    let (path, number) = (row.leading.parts.path.as_ref()?, row.leading.line()?);
    let code = sources.line(path, number)?;
    Some(fit(&format!("{number} | {code}"), width))
}

/// How the block grew, or the table.
fn grown(row: &Row<'_>, width: usize) -> Option<String> {
    let how = match (growth(&row.growth), row.tables) {
        (Some(sizes), _) => sizes,
        (None, 0 | 1) => return None,
        (None, tables) => format!("a table {} times", grouped(tables)),
    };
    let advice = if row.can_reserve { ": reserve the capacity up front" } else { "" };
    Some(fit(&format!("grew {how}{advice}"), width))
}

/// As many links as fit in a line. The last one, the user's test, is always there: where both do
/// not fit, on a line of its own.
fn chain(start: &str, links: &[String], width: usize) -> Vec<String> {
    let Some((last, others)) = links.split_last() else { return Vec::new() };
    let count = |text: &str| text.chars().count();
    let all = format!("{start}{}", links.join(" < "));
    if others.is_empty() || count(&all) <= width {
        return vec![fit(&all, width)];
    }
    let left_out = " < .. < ";
    let mut text = format!("{start}{}", others[0]);
    for link in &others[1..] {
        let longer = format!("{text} < {link}");
        if count(&longer) + count(left_out) + count(last) > width {
            break;
        }
        text = longer;
    }
    let are_all_there = text == format!("{start}{}", others.join(" < "));
    let before_last = if are_all_there { " < " } else { left_out };
    let whole = format!("{text}{before_last}{last}");
    if count(&whole) <= width {
        return vec![whole];
    }
    let indent = " ".repeat(count(start));
    vec![fit(&(text + before_last.trim_end()), width), fit(&format!("{indent}{last}"), width)]
}

fn fit(text: &str, width: usize) -> String {
    match text.chars().count() {
        count if count <= width => text.to_owned(),
        _ => text.chars().take(width.saturating_sub(2)).chain("..".chars()).collect(),
    }
}

/// As many lines as it takes, all but the first further to the right.
fn push_sentence(text: &mut String, indent: usize, sentence: &str) {
    let mut line = " ".repeat(indent.saturating_sub(1));
    for word in sentence.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push_line(text, &line);
            line = " ".repeat(indent + 3);
        }
        line.push(' ');
        line.push_str(word);
    }
    push_line(text, &line);
}

/// A line, without space at its end.
fn push_line(text: &mut String, line: &str) {
    text.extend(line.trim_end().chars().chain(iter::once('\n')));
}

#[cfg(test)]
mod tests;
