//! Cold: the table of a report: each limit, and what was measured.
//!
//! ```text
//!   metric       budget  measured          runs
//!   allocations      10        14  +4    14..14
//!   bytes         1,024       904  ok  904..904
//! ```

use super::layout::push_line;
use super::recorded;
use crate::budget::{ExceededData, Limit, Metric, Verdict};
use crate::number::grouped;

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
pub(super) fn push_table(text: &mut String, data: &ExceededData) {
    let headings = COLUMNS.map(|(heading, _)| heading.to_owned());
    let limits: Vec<_> =
        data.budget.limits().map(|(metric, limit)| cells(data, metric, limit)).collect();
    let widest = |column: usize| limits.iter().map(|cells| cells[column].len()).max().unwrap_or(0);
    for cells in [&headings].into_iter().chain(&limits) {
        let mut line = String::new();
        for (column, (heading, is_number)) in COLUMNS.into_iter().enumerate() {
            let (cell, width) = (&cells[column], widest(column).max(heading.len()));
            line += &match (widest(column), is_number) {
                (0, _) => String::new(),
                (_, true) => format!("  {cell:>width$}"),
                (_, false) => format!("  {cell:width$}"),
            };
        }
        push_line(text, &line);
    }
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
/// agree. A record is not lowered by hand.
fn advice(limit: Limit, measured: u64, range: Option<(u64, u64)>, is_written: bool) -> String {
    match range {
        Some((least, greatest)) if least < greatest && !limit.holds(measured) => {
            "the runs differ".to_owned()
        }
        _ if is_written && limit.is_above(measured) => format!("lower it to {}", grouped(measured)),
        _ => String::new(),
    }
}
