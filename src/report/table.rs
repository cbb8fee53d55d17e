//! Cold: the table of a report: each limit, and what was measured.
//!
//! ```text
//!   metric       budget  measured          runs
//!   allocations      10        14  +4    14..14
//!   bytes         1,024       904  ok  904..904
//! ```

use std::ops::Range;

use super::layout::push_line;
use super::recorded;
use crate::budget::{ExceededData, Limit, Metric, Verdict};
use crate::number::grouped;
use crate::styled::{Style, Styled};

/// The heading of each column, and whether it has numbers, which stand to the right.
const COLUMNS: [(&str, bool); 6] = [
    ("metric", false),
    ("budget", true),
    ("measured", true),
    ("", false),
    ("runs", true),
    ("", false),
];

/// Columns are two spaces apart; an empty one is left out.
pub(super) fn push_table(text: &mut Styled, data: &ExceededData) {
    let headings = COLUMNS.map(|(heading, _)| heading.to_owned());
    let rows: Vec<_> = data.budget.limits().map(|limit| row(data, limit)).collect();
    let widest = |column: usize| rows.iter().map(|row| row.1[column].len()).max().unwrap_or(0);
    let headings = (Some(Style::Detail), headings);
    for (style, cells) in [&headings].into_iter().chain(&rows) {
        let mut line = Styled::default();
        for (column, (heading, is_number)) in COLUMNS.into_iter().enumerate() {
            let (cell, width) = (&cells[column], widest(column).max(heading.len()));
            let cell = match (widest(column), is_number) {
                (0, _) => continue,
                (_, true) => format!("  {cell:>width$}"),
                (_, false) => format!("  {cell:width$}"),
            };
            match style {
                Some(Style::Broken) if !MEASURED.contains(&column) => line.push(&cell),
                Some(style) => line.push_in(*style, &cell),
                None => line.push(&cell),
            }
        }
        push_line(text, line);
    }
}

/// The columns that tell how far a limit is broken.
const MEASURED: Range<usize> = 2..4;

type Row = (Option<Style>, [String; COLUMNS.len()]);

fn row(data: &ExceededData, (metric, limit): (Metric, Limit)) -> Row {
    let is_broken = !limit.holds(data.measured(metric, limit));
    (is_broken.then_some(Style::Broken), cells(data, metric, limit))
}

fn cells(data: &ExceededData, metric: Metric, limit: Limit) -> [String; COLUMNS.len()] {
    let measured = data.measured(metric, limit);
    let runs = data.runs.as_ref().filter(|runs| runs.runs > 1);
    let range = runs.map(|runs| runs.range(metric));
    let (allowed, verdict) = allowed_and_verdict(data, metric, limit);
    [
        metric.label(data.origin.returns_nothing).to_owned(),
        allowed,
        grouped(measured),
        verdict,
        range.map_or_else(String::new, |(least, greatest)| between(least, greatest)),
        advice(limit, measured, range, record(data, metric).is_none()),
    ]
}

/// What is allowed of a metric, and how far that is from what was measured.
pub(super) fn allowed_and_verdict(
    data: &ExceededData,
    metric: Metric,
    limit: Limit,
) -> (String, String) {
    let measured = data.measured(metric, limit);
    match record(data, metric) {
        Some(recorded) => recorded::cells(recorded, measured),
        None => (allowed(limit), verdict(limit, measured)),
    }
}

/// The record that the limit of a metric is from.
fn record(data: &ExceededData, metric: Metric) -> Option<&Verdict> {
    data.recorded.as_deref().filter(|_| metric == Metric::Allocations)
}

fn allowed(limit: Limit) -> String {
    match (limit.min, limit.max) {
        (None, None) => String::new(),
        (None, Some(max)) => grouped(max),
        (Some(min), None) => format!("at least {}", grouped(min)),
        (Some(min), Some(max)) if min == max => format!("exactly {}", grouped(min)),
        (Some(min), Some(max)) => between(min, max),
    }
}

fn between(least: u64, greatest: u64) -> String {
    format!("{}..{}", grouped(least), grouped(greatest))
}

fn verdict(limit: Limit, measured: u64) -> String {
    match limit.excess(measured) {
        0 => "ok".to_owned(),
        excess if limit.is_above(measured) => format!("-{}", grouped(excess)),
        excess => format!("+{}", grouped(excess)),
    }
}

/// Where less was measured than an `exact` or a `min`, the budget can be lowered, if the runs
/// agree; but not to a `min` that holds nothing. A record is not lowered by hand.
fn advice(limit: Limit, measured: u64, range: Option<(u64, u64)>, is_written: bool) -> String {
    match range {
        Some((least, greatest)) if least < greatest && !limit.holds(measured) => {
            "the runs differ".to_owned()
        }
        _ if measured == 0 && limit.max.is_none() => String::new(),
        _ if is_written && limit.is_above(measured) => format!("lower it to {}", grouped(measured)),
        _ => String::new(),
    }
}
