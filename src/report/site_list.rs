//! Cold: one list of call sites in the report of a broken budget.
//!
//! ```text
//!   call sites, most allocations first (14 allocations at 3 sites)
//!     9 x      9 B  src/parser.rs:14:32  tokens::{closure}
//!                   14 | s.split(' ').map(|t| t.to_string()).collect()
//!                      |                        ^
//!                   called from src/parser.rs:15 parse < tests/header.rs:20 parses_header
//!     3 x    672 B  src/parser.rs:14:45  tokens                    1 allocation, 2 reallocations
//!                   14 | s.split(' ').map(|t| t.to_string()).collect()
//!                      |                                     ^
//!                   grew 96 > 192 > 384: reserve 384 bytes up front
//!     2 x    223 B  src/fmt.rs:8:14      label
//! ```
//!
//! A site is shown as the user's innermost line, whatever that called: where a `Vec` grows is no
//! line of the user's. Stacks with the same lines and functions of the user's are one site here,
//! but several places of the innermost line are several.

use std::iter;
use std::panic::Location;

use super::layout::{gap, push_line, push_paragraph, CODE_WIDTH};
use crate::budget::Mode;
use crate::call_sites::detailed::{final_size, growth, push_stacks, shortcomings};
use crate::call_sites::place::{calls, column, dependency, function, place};
use crate::call_sites::rows::{rows, Row};
use crate::call_sites::site::total;
use crate::call_sites::source::Sources;
use crate::call_sites::CallSites;
use crate::call_sites::SortBy;
use crate::files::{built, Built};
use crate::number::{counted, grouped};
use crate::stacks::SiteCounts;
use crate::styled::{Style, Styled};

/// So many sites are listed, and so many further lines about them; the first sites have theirs
/// first. With the table, a report has some 25 lines. Who calls a site is said of each, even if
/// that takes more lines.
const MAX_SITES: usize = 6;
const MAX_DETAILS: usize = 10;

/// So wide is the column of files at most. A longer file shifts its own line. It is not cut, since
/// editors find the place by it.
const MAX_PLACE_WIDTH: usize = 40;

/// This stands after the name of a file.
pub(super) const UNREAD: &str = "can't be read here: no lines of its code are shown";

/// What the list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
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
pub(super) struct List {
    pub(super) sites: CallSites,
    pub(super) subject: Subject,
    pub(super) order: SortBy,
    /// Where the attribute stands. Its expansion calls the code, but for the reader that line is no
    /// caller.
    pub(super) attribute: Option<&'static Location<'static>>,
    /// Whether the code had run before it was measured.
    pub(super) is_warm: bool,
    /// The run that the list is of, where there are several.
    pub(super) run: Option<u64>,
}

impl Subject {
    pub(super) fn counted(self, count: u64) -> String {
        counted(count, if self == Self::Allocated { "allocation" } else { "block" })
    }
}

impl List {
    /// Whether there are sites in it.
    pub(super) fn is_listed(&self, mode: Mode) -> bool {
        let data = self.sites.data();
        !data.sites.is_empty() && (data.has_debug_info || mode == Mode::Full)
    }
}

/// Appends the list; says whether there are sites in it.
pub(super) fn push_list(text: &mut Styled, list: &List, mode: Mode) -> bool {
    let data = list.sites.data();
    let shortcomings = shortcomings(data, &|count| list.subject.counted(count));
    let is_listed = list.is_listed(mode);
    if !is_listed && shortcomings.is_empty() {
        return false;
    }
    text.push("\n");
    if is_listed {
        if mode == Mode::Full {
            push_heading(text, list, data.sites.len());
            text.push_with(Style::Stacks, |text| push_stacks(text, data, list.order, "    "));
        } else {
            push_rows(text, list);
        }
    }
    for line in shortcomings {
        let (indent, start) = if is_listed { (4, "and") } else { (2, "no call sites:") };
        push_paragraph(text, indent, 4, &format!("{start} {line}"));
    }
    is_listed
}

fn push_heading(text: &mut Styled, list: &List, count: usize) {
    let (data, subject, order) = (list.sites.data(), list.subject, list.order);
    let total = data.total_of_sites();
    let total = match order {
        SortBy::Allocations => subject.counted(total.events()),
        SortBy::Bytes | SortBy::PeakBytes => counted(total.bytes, "byte"),
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
    let sites = counted(count as u64, "site");
    push_line(text, format!("  {what}{run}, most {first} first ({total} at {sites})"));
}

fn push_rows(text: &mut Styled, list: &List) {
    let rows = rows(list.sites.data(), list.order, list.attribute);
    push_heading(text, list, rows.len());
    let (shown, others) = rows.split_at(MAX_SITES.min(rows.len()));
    push_shown(text, shown);
    if !others.is_empty() {
        let left = total(others.iter().map(|row| row.counts));
        let number = counted(others.len() as u64, "more site");
        let events = list.subject.counted(left.events());
        push_line(text, format!("    and {number} with {events}, {}", counted(left.bytes, "byte")));
    }
}

fn push_shown(text: &mut Styled, rows: &[Row<'_>]) {
    let widest = |width: fn(&Row<'_>) -> usize| rows.iter().map(width).max().unwrap_or(0);
    let count_width = widest(|row| grouped(row.counts.events()).len());
    let bytes_width = widest(|row| grouped(row.counts.bytes).len()).max(6);
    let place_width = widest(|row| {
        Some(place(row.leading).chars().count()).filter(|w| *w <= MAX_PLACE_WIDTH).unwrap_or(0)
    });
    let indent = 4 + count_width + 3 + bytes_width + 4;

    let mut sources = Sources::default();
    let width = CODE_WIDTH - indent;
    let called = called(rows, width, &mut sources);
    let callers: usize = called.iter().map(|called| called.callers.len()).sum();
    let mut details_left = MAX_DETAILS.saturating_sub(callers);
    let mut previous = None;
    for Called { row, callers, has_same_callers } in called {
        let count = grouped(row.counts.events());
        let mut head = Styled::from(format!("    {count:>count_width$} x "));
        let bytes = grouped(row.counts.bytes);
        head.push_in(Style::Detail, &format!("{bytes:>bytes_width$} B"));
        let place = Style::Place.of(&place(row.leading));
        let space = " ".repeat(place_width.saturating_sub(place.width()) + 2);
        head = head.then("  ").then(place).then(space);
        // Whole, as a rule: whose function it is matters more than the width of the line.
        head.append(without_middle(&named(row, &mut sources), CODE_WIDTH));
        let note = notes(row, has_same_callers).map(|note| Style::Detail.of(&note));
        let gap = note.as_ref().and_then(|note| gap(&head, note));
        let below = match (gap, note) {
            (Some(gap), Some(note)) => {
                head = head.then(gap).then(note);
                None
            }
            (_, note) => note,
        };
        push_line(text, head);
        let mut details = |mut lines: Vec<Styled>| {
            lines.truncate(details_left);
            details_left -= lines.len();
            lines
        };
        let code = details(excerpt(row, previous, width, &mut sources));
        let grown = details(grown(row, width).map(Styled::from).into_iter().collect());
        let callers = callers.iter().map(|line| Style::Detail.of(line));
        for detail in code.into_iter().chain(below).chain(callers).chain(grown) {
            push_line(text, Styled::from(" ".repeat(indent)).then(detail));
        }
        previous = Some(row);
    }
    push_unread(text, rows, &mut sources);
}

/// Why there are no lines of code, if there are none of some file.
fn push_unread(text: &mut Styled, rows: &[Row<'_>], sources: &mut Sources) {
    let mut paths = rows.iter().filter_map(|row| Some((row.leading.parts.path.as_ref()?, row)));
    let Some((_, row)) = paths.find(|(path, _)| !sources.can_be_read(path)) else { return };
    let file = row.leading.file().unwrap_or("");
    let note = match built() {
        Built::DocTest => "lines of a doc test are counted from its own start".to_owned(),
        _ => format!("{file} {UNREAD}"),
    };
    push_line(text, Style::Detail.of(&format!("    {note}")));
}

/// The user's function, and that of a dependency which it called.
pub(crate) fn named(row: &Row<'_>, sources: &mut Sources) -> String {
    let function = function(row.leading, sources);
    match row.dependency {
        Some(frame) => format!("{function}, in {}", dependency(frame, sources)),
        None => function,
    }
}

/// `1 allocation, 2 reallocations`, where there are reallocations; `same caller`.
fn notes(row: &Row<'_>, is_same_caller: bool) -> Option<String> {
    let SiteCounts { allocs, reallocs, .. } = row.counts;
    let mut notes = Vec::new();
    if reallocs > 0 && allocs > 0 {
        notes.push(counted(allocs, "allocation"));
    }
    if reallocs > 0 {
        notes.push(counted(reallocs, "reallocation"));
    }
    if is_same_caller {
        notes.push("same caller".to_owned());
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

/// A row, and who calls it.
struct Called<'a> {
    row: &'a Row<'a>,
    /// Lines that name the callers. There are none where the row before has the same.
    callers: Vec<String>,
    has_same_callers: bool,
}

fn called<'a>(rows: &'a [Row<'a>], width: usize, sources: &mut Sources) -> Vec<Called<'a>> {
    let mut previous: Vec<String> = Vec::new();
    let with_callers = rows.iter().map(|row| {
        let links = calls(row.leading, &row.callers, sources);
        let has_same_callers = !links.is_empty() && links == previous;
        let shown: &[String] = if has_same_callers { &[] } else { &links };
        let callers = chain("called from ", shown, width);
        previous = links;
        Called { row, callers, has_same_callers }
    });
    with_callers.collect()
}

/// The line of code, and below it a caret at the place in it, except where the row before has shown
/// the same.
fn excerpt(
    row: &Row<'_>,
    previous: Option<&Row<'_>>,
    width: usize,
    sources: &mut Sources,
) -> Vec<Styled> {
    let leading = row.leading;
    let shown = |row: &Row<'_>| (place(row.leading), row.leading.is_user());
    let (Some(path), Some(number)) = (&leading.parts.path, leading.line()) else {
        return Vec::new();
    };
    if previous.map(shown) == Some(shown(row)) {
        return Vec::new();
    }
    let Some((indent, code)) = sources.line(path, number) else { return Vec::new() };
    let margin = format!("{number} | ");
    let at = column(leading).and_then(|column| (column as usize).checked_sub(indent + 1));
    let (start, shown_code) = window(code, at, width.saturating_sub(margin.len()));
    let left_out = if start > 0 { LEFT_OUT } else { "" };
    let caret = at.and_then(|at| at.checked_sub(start)).and_then(|at| {
        caret(&code[start..], &shown_code[left_out.len()..], at)
            .map(|caret| " ".repeat(left_out.len()) + &caret)
    });
    let below_margin = format!("{:>1$}", "| ", margin.len());
    let below = caret.map(|caret| Style::Detail.of(&below_margin).then(Style::Broken.of(&caret)));
    let line = Style::Detail.of(&margin).then(Style::Code.of(&shown_code));
    iter::once(line).chain(below).collect()
}

/// This stands for what is left out of a line.
const LEFT_OUT: &str = "..";

/// No part of a line is cut out to fit in fewer columns.
const LEAST_WIDTH: usize = 16;

/// As much of a line of code as fits in `width` columns: its start; or, if the byte `at` would not
/// be in that, what is around it. With the byte from which on it is shown.
pub(super) fn window(code: &str, at: Option<usize>, width: usize) -> (usize, String) {
    let before = at.and_then(|at| code.get(..at)).map_or(0, |before| before.chars().count());
    let count = code.chars().count();
    if count <= width || before + LEFT_OUT.len() < width || width < LEAST_WIDTH {
        return (0, fit(code, width));
    }
    let left = width - LEFT_OUT.len();
    let first = (before - width / 2).min(count - left);
    let start = code.char_indices().nth(first).map_or(0, |(start, _)| start);
    (start, LEFT_OUT.to_owned() + &fit(&code[start..], left))
}

/// A caret below the byte `at` of a line of code, of which so much is shown. `None` where it might
/// not stand below it: what is not in Latin may be narrower or wider than a column. The file may
/// have changed since it was compiled, too: no place is past the end of its line, nor a space.
pub(super) fn caret(code: &str, shown: &str, at: usize) -> Option<String> {
    let (before, pointed) = (code.get(..at)?, code.get(at..)?.chars().next()?);
    let is_shown = shown.starts_with(&code[..at + pointed.len_utf8()]);
    let is_certain = before.chars().all(|c| c < '\u{300}') && !pointed.is_whitespace();
    let space = |c| if c == '\t' { c } else { ' ' };
    (is_shown && is_certain).then(|| before.chars().map(space).chain(iter::once('^')).collect())
}

/// How the block grew, or the hash table.
fn grown(row: &Row<'_>, width: usize) -> Option<String> {
    let how = match (growth(&row.counts.growth), row.tables) {
        (Some(sizes), _) => sizes,
        (None, 0 | 1) => return None,
        (None, tables) => format!("a table {} times", grouped(tables)),
    };
    let final_size = final_size(&row.counts.growth).filter(|_| row.tables == 0);
    let advice = match (row.can_reserve, final_size) {
        (false, _) => String::new(),
        (true, Some(size)) => format!(": reserve {} up front", counted(size, "byte")),
        (true, None) => ": reserve the capacity up front".to_owned(),
    };
    Some(fit(&format!("grew {how}{advice}"), width))
}

/// As many links as fit in a line. The last one, which is the user's test, is always there: on a
/// line of its own, if not even the first and the last fit in one.
pub(super) fn chain(start: &str, links: &[String], width: usize) -> Vec<String> {
    let count = |text: &str| text.chars().count();
    let left = width.saturating_sub(count(start));
    let shortened = |link: &String, left: usize| match left {
        ..=LEAST_WIDTH => link.clone(),
        left => without_middle(link, left),
    };
    let Some((last, others)) = links.split_last() else { return Vec::new() };
    let last = shortened(last, left);
    let before_last = left.saturating_sub(" < .. <".len());
    let others: Vec<String> = others.iter().map(|link| shortened(link, before_last)).collect();
    let all: Vec<&str> = others.iter().chain([&last]).map(String::as_str).collect();
    let all = format!("{start}{}", all.join(" < "));
    if others.is_empty() || count(&all) <= width {
        return vec![fit(&all, width)];
    }
    let left_out = " < .. < ";
    let mut text = format!("{start}{}", others[0]);
    for link in &others[1..] {
        let longer = format!("{text} < {link}");
        if count(&longer) + count(left_out) + count(&last) > width {
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

/// A name in `width` columns, with its start and its end, which both tell whose it is.
fn without_middle(name: &str, width: usize) -> String {
    let count = name.chars().count();
    if count <= width {
        return name.to_owned();
    }
    let left = width.saturating_sub(LEFT_OUT.len());
    let (head, tail) = (left - left / 2, count - left / 2);
    let chars = name.chars();
    chars.clone().take(head).chain(LEFT_OUT.chars()).chain(chars.skip(tail)).collect()
}

/// As much as fits in `width` columns.
pub(crate) fn fit(text: &str, width: usize) -> String {
    match text.chars().count() {
        count if count <= width => text.to_owned(),
        _ => text.chars().take(width.saturating_sub(2)).collect::<String>() + LEFT_OUT,
    }
}
