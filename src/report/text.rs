//! Cold: the text of a broken budget: what, where, how much, and what to do next.
//!
//! ```text
//! allocation budget exceeded: tests::parses_header                              tests/header.rs:12
//!   #[alloc_budget(max = 10, max_bytes = 1024)]                this thread · 5 runs after 1 warm-up
//!
//!   metric       budget  measured          runs
//!   allocations      10        14  +4    14..14
//!   bytes         1,024       904  ok  904..904
//! ```

use std::fmt::Write;

#[cfg(feature = "backtraces")]
use super::failure;
#[cfg(feature = "backtraces")]
use crate::budget::{self, Mode};
use crate::budget::{Entrance, ExceededData, Limit, Metric, Runs};
#[cfg(feature = "backtraces")]
use crate::call_sites::{self, SortBy};
use crate::counters::AtWork;
use crate::number::{counted, grouped};
use crate::room::with_room;

const WIDTH: usize = 100;

/// The report. No line break at its end.
pub(crate) fn text(at_work: AtWork<'_>, data: &ExceededData, message: Option<&str>) -> String {
    with_room(|| made(at_work, data, message))
}

fn made(at_work: AtWork<'_>, data: &ExceededData, message: Option<&str>) -> String {
    let mut text = String::new();
    let location = data.origin.location;
    let unmeasured = data.measured.unmeasured;
    let verdict = match unmeasured {
        Some(_) => "not measured",
        None if is_short(data) => "not reached",
        None => "exceeded",
    };
    let head = format!("allocation budget {verdict}: {}", data.name);
    push_line(&mut text, &head, &format!("{}:{}", location.file(), location.line()));
    for line in message.into_iter().flat_map(str::lines) {
        push_line(&mut text, &format!("  {line}"), "");
    }
    push_line(&mut text, &format!("  {}", written(data)), &subject(data));
    text.push('\n');
    if let Some(why) = unmeasured {
        push_wrapped(&mut text, why.reason());
        return text;
    }
    push_table(&mut text, &rows(data));
    push_call_sites(at_work, &mut text, data);
    push_uncounted(&mut text, data);
    #[cfg(feature = "backtraces")]
    if let Some(line) = data.dhat(at_work) {
        push_note(&mut text, line);
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether there is too little of everything that is outside of its limits.
fn is_short(data: &ExceededData) -> bool {
    data.budget.limits().all(|(metric, limit)| {
        let measured = data.measured(metric, limit);
        limit.holds(measured) || is_below(limit, measured)
    })
}

fn is_below(limit: Limit, measured: u64) -> bool {
    limit.min.is_some_and(|min| measured < min)
}

#[cfg(not(feature = "backtraces"))]
fn push_call_sites(_: AtWork<'_>, text: &mut String, data: &ExceededData) {
    if data.budget.wants_call_sites() {
        push_note(text, "no call sites: mod-alloc is built without its feature `backtraces`");
    }
}

/// Where the allocations were made, as far as the environment wants to know.
#[cfg(feature = "backtraces")]
fn push_call_sites(at_work: AtWork<'_>, text: &mut String, data: &ExceededData) {
    let mode = budget::mode();
    if mode == Mode::Off {
        return;
    }
    if let Some(reason) = crate::walk::UNAVAILABLE {
        if !data.budget.wants_call_sites() {
            return;
        }
        text.push_str("\n  no call sites: ");
        text.push_str(reason);
        text.push('\n');
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
        lists.push(failure::List { sites, subject, order, attribute, is_warm, run });
    };
    let is_of_peak = of_allocated.contains(&Metric::PeakBytes);
    let at_peak = data.call_sites().filter(|_| is_of_peak).and_then(|sites| sites.at_peak(at_work));
    let is_of_allocated = match at_peak {
        Some(_) => of_allocated != [Metric::PeakBytes],
        None => !of_allocated.is_empty() || of_retained.is_empty(),
    };
    if let Some(sites) = at_peak {
        let (subject, order) = (failure::Subject::AtPeak, SortBy::Bytes);
        push(sites, subject, order);
    }
    if let Some(sites) = data.call_sites().filter(|_| is_of_allocated) {
        let (sites, subject) = (sites.clone(), failure::Subject::Allocated);
        push(sites, subject, order(&of_allocated));
    }
    if let (false, Some(sites)) = (of_retained.is_empty(), data.retained_sites()) {
        let subject = match data.origin.returns_nothing {
            true => failure::Subject::Leaked,
            false => failure::Subject::Retained,
        };
        push(sites, subject, order(&of_retained));
    }
    failure::push_call_sites(at_work, text, &lists, mode);
}

/// By what the broken limits are about.
#[cfg(feature = "backtraces")]
fn order(broken: &[Metric]) -> SortBy {
    if !broken.is_empty() && broken.iter().all(|metric| metric.is_of_bytes()) {
        SortBy::Bytes
    } else {
        SortBy::Allocations
    }
}

/// What was not counted, where that is known for certain.
fn push_uncounted(text: &mut String, data: &ExceededData) {
    let mut notes = Vec::new();
    if data.measured.uncounted > 0 {
        let hidden = counted(data.measured.uncounted, "allocation");
        notes.push(format!("{hidden} in `uncounted`"));
    }
    if data.of_harness > 0 {
        let kept = counted(data.of_harness, "allocation");
        notes.push(format!("{kept} of the test harness, which keeps what is printed"));
    }
    let attaches = "`AllocScope::current()` attaches";
    match data.elsewhere {
        Some(0) => {}
        Some(events) => {
            let events = counted(events, "allocation");
            notes.push(format!("{events} elsewhere ({attaches} threads, tasks)"));
        }
        None if !data.is_shared && starts_threads(data) => {
            notes.push(format!("what the threads allocate that it starts ({attaches} them)"));
        }
        None => {}
    }
    if data.attached > 0 {
        let threads = counted(data.attached as u64, "thread");
        let was = if data.attached == 1 { "was" } else { "were" };
        notes.push(format!("later work of {threads} that {was} still attached at the end"));
    }
    if let Some(lost) = data.measured.live.map(|live| live.lost).filter(|lost| *lost > 0) {
        let blocks = counted(lost, "block");
        notes.push(format!("whether {blocks} may have been freed that found no room in a table, or were allocated in a signal handler"));
    }
    for (at, note) in notes.iter().enumerate() {
        match at {
            0 => push_note(text, &format!("not counted: {note}")),
            _ => push_line(text, &format!("  nor {note}"), ""),
        }
    }
}

/// A paragraph, without a line break at its end.
fn push_wrapped(text: &mut String, paragraph: &str) {
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push_line(text, &line, "");
            line.clear();
        }
        line.push_str(if line.is_empty() { "  " } else { " " });
        line.push_str(word);
    }
    text.push_str(&line);
}

#[cfg(feature = "backtraces")]
fn starts_threads(data: &ExceededData) -> bool {
    data.call_sites().is_some_and(|sites| call_sites::starts_threads(sites.sites()))
}

#[cfg(not(feature = "backtraces"))]
fn starts_threads(_: &ExceededData) -> bool {
    false
}

/// A line below all others.
fn push_note(text: &mut String, note: &str) {
    let gap = if text.ends_with("\n\n") { "" } else { "\n" };
    text.push_str(gap);
    push_line(text, &format!("  {note}"), "");
}

/// A line with one part at its left and one at its right end; two lines where they do not fit.
fn push_line(text: &mut String, left: &str, right: &str) {
    text.push_str(left);
    if !right.is_empty() {
        let used = left.chars().count() + right.chars().count();
        let gap = WIDTH.saturating_sub(used);
        match gap {
            0 | 1 => text.push_str("\n  "),
            _ => text.extend(std::iter::repeat(' ').take(gap)),
        }
        text.push_str(right);
    }
    text.push('\n');
}

/// The budget as it would be written.
fn written(data: &ExceededData) -> String {
    let mut keys: Vec<(&str, u64)> = Vec::new();
    for (metric, limit) in data.budget.limits() {
        match limit {
            Limit { min: Some(min), max: Some(max) } if min == max => keys.push(("exact", min)),
            Limit { min, max } => {
                keys.extend(min.map(|min| ("min", min)));
                keys.extend(max.map(|max| (metric.max_key(), max)));
            }
        }
    }
    if let Some(runs) = &data.runs {
        if runs.warmup > 0 {
            keys.push(("warmup", runs.warmup));
        }
        if runs.runs > 1 {
            keys.push(("runs", runs.runs));
        }
    }
    let list = || {
        let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        keys.join(", ")
    };
    match data.origin.entrance {
        Entrance::Attribute => format!("#[alloc_budget({})]", list()),
        Entrance::AssertAllocs => format!("assert_allocs!({})", list()),
        Entrance::AssertNoAlloc => "assert_no_alloc!".to_owned(),
        Entrance::Method => {
            keys.iter().fold("Budget::new()".to_owned(), |mut text, (key, value)| {
                let _ = write!(text, ".{key}({value})"); // Writing to a `String` cannot fail.
                text
            })
        }
    }
}

/// Whose allocations were counted.
fn subject(data: &ExceededData) -> String {
    let attached = if data.is_shared { " and attached ones" } else { "" };
    let repetition = data.runs.as_ref().map(|runs| format!(" · {}", repetition(runs)));
    format!("{}{attached}{}", data.subject, repetition.unwrap_or_default())
}

fn repetition(runs: &Runs) -> String {
    match runs.warmup {
        0 => counted(runs.runs, "run"),
        warmup => format!("{} after {}", counted(runs.runs, "run"), counted(warmup, "warm-up")),
    }
}

#[derive(Default)]
struct Row {
    metric: String,
    budget: String,
    measured: String,
    verdict: String,
    runs: String,
    advice: String,
}

fn rows(data: &ExceededData) -> Vec<Row> {
    let several = data.runs.as_ref().filter(|runs| runs.runs > 1);
    let mut rows = vec![Row {
        metric: "metric".to_owned(),
        budget: "budget".to_owned(),
        measured: "measured".to_owned(),
        runs: several.map_or_else(String::new, |_| "runs".to_owned()),
        ..Row::default()
    }];
    rows.extend(data.budget.limits().map(|(metric, limit)| {
        let measured = data.measured(metric, limit);
        Row {
            metric: metric.label(data.origin.returns_nothing).to_owned(),
            budget: allowed(limit),
            measured: grouped(measured),
            verdict: verdict(limit, measured),
            runs: several.map_or_else(String::new, |runs| range(runs, metric)),
            advice: advice(limit, measured, several.map(|runs| runs.range(metric))),
        }
    }));
    rows
}

fn allowed(limit: Limit) -> String {
    match (limit.min, limit.max) {
        (None, None) => String::new(),
        (None, Some(max)) => grouped(max),
        (Some(min), None) => format!("at least {}", grouped(min)),
        (Some(min), Some(max)) if min == max => format!("exactly {}", grouped(min)),
        (Some(min), Some(max)) => format!("{}..{}", grouped(min), grouped(max)),
    }
}

fn verdict(limit: Limit, measured: u64) -> String {
    match limit.excess(measured) {
        0 => "ok".to_owned(),
        excess if is_below(limit, measured) => format!("-{}", grouped(excess)),
        excess => format!("+{}", grouped(excess)),
    }
}

fn range(runs: &Runs, metric: Metric) -> String {
    let (least, greatest) = runs.range(metric);
    format!("{}..{}", grouped(least), grouped(greatest))
}

/// Better than an `exact` or `min` budget: the budget can be lowered, if the runs agree.
fn advice(limit: Limit, measured: u64, range: Option<(u64, u64)>) -> String {
    match range {
        Some((least, greatest)) if least < greatest && !limit.holds(measured) => {
            "the runs differ".to_owned()
        }
        _ if is_below(limit, measured) => format!("lower it to {}", grouped(measured)),
        _ => String::new(),
    }
}

/// Columns two spaces apart, text to the left, numbers to the right; an empty column is left out.
fn push_table(text: &mut String, rows: &[Row]) {
    type Cell = fn(&Row) -> &String;
    let columns: [(Cell, bool); 6] = [
        (|row| &row.metric, false),
        (|row| &row.budget, true),
        (|row| &row.measured, true),
        (|row| &row.verdict, false),
        (|row| &row.runs, true),
        (|row| &row.advice, false),
    ];
    let width = |cell: Cell| rows.iter().map(|row| cell(row).len()).max().unwrap_or(0);
    for row in rows {
        let mut line = String::new();
        for (cell, is_number) in columns {
            let (cell, width) = (cell(row), width(cell));
            let _ = match (width, is_number) {
                (0, _) => Ok(()),
                (_, true) => write!(line, "  {cell:>width$}"),
                (_, false) => write!(line, "  {cell:width$}"),
            }; // Writing to a `String` cannot fail.
        }
        push_line(text, line.trim_end(), "");
    }
}

#[cfg(test)]
mod tests {
    use super::{push_line, WIDTH};

    #[test]
    fn a_line_is_as_wide_as_the_report_or_two() {
        let check = |left: usize, right: usize, expected: &[usize]| {
            let mut text = String::new();
            push_line(&mut text, &"l".repeat(left), &"r".repeat(right));
            assert!(text.ends_with('\n'));
            let widths: Vec<_> = text.lines().map(str::len).collect();
            assert_eq!(widths, expected, "{left} and {right}");
        };
        check(10, 0, &[10]);
        check(10, 10, &[WIDTH]);
        check(60, 38, &[WIDTH]);
        check(60, 39, &[60, 2 + 39]);
        check(120, 10, &[120, 2 + 10]);
    }
}
