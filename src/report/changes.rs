//! Cold: what changed between two snapshots of call sites, in a report.
//!
//! ```text
//!     +2 at src/parser.rs tokens: 9 -> 11
//!        called from src/parser.rs parse < tests/header.rs parses_header
//! ```

use super::layout::{push_line, CODE_WIDTH};
use super::site_list::chain;
use crate::budget::ExceededData;
use crate::call_sites::diff::{changes, SiteChange};
use crate::call_sites::snapshot::{Row, CALLED_FROM};
use crate::counters::AtWork;
use crate::number::{counted, grouped};
use crate::styled::{Style, Styled};

/// So many changes are listed at most.
const MAX_CHANGES: usize = 8;

/// Appends what changed; says whether anything did.
pub(super) fn push_changes(text: &mut Styled, before: &[Row], after: &[Row]) -> bool {
    let changes = changes(before, after);
    let (shown, others) = changes.split_at(MAX_CHANGES.min(changes.len()));
    let width = shown.iter().map(|change| change.difference().len()).max().unwrap_or(0);
    for change in shown {
        push_change(text, change, width);
    }
    if !others.is_empty() {
        push_line(text, format!("    and {}", counted(others.len() as u64, "more site")));
    }
    !changes.is_empty()
}

fn push_change(text: &mut Styled, change: &SiteChange, width: usize) {
    let head = change.head(width);
    let (difference, what) = head.split_at(width);
    let mut line = Styled::from("    ");
    match difference.contains('+') {
        true => line.push_in(Style::Broken, difference),
        false => line.push(difference),
    }
    push_line(text, line.then(what));
    let indent = 4 + width + 1;
    for (words, functions) in change.details() {
        let links: Vec<String> = functions.split(CALLED_FROM).map(str::to_owned).collect();
        for line in chain(words, &links, CODE_WIDTH - indent) {
            push_line(text, Style::Detail.of(&format!("{:indent$}{line}", "")));
        }
    }
}

/// Appends what changed between two runs that differ.
pub(super) fn push_runs(at_work: AtWork<'_>, text: &mut Styled, data: &ExceededData) {
    let Some((run, sites)) = data.another_run() else { return };
    let Some(shown) = data.runs.as_ref().and_then(|runs| runs.shown()) else { return };
    let Some(shown_sites) = data.call_sites() else { return };
    let (Ok(other), Ok(this)) = (sites.snapshot(at_work), shown_sites.snapshot(at_work)) else {
        return;
    };
    let is_earlier = run < shown;
    let (from, to) = if is_earlier { (run, shown) } else { (shown, run) };
    let (before, after) = if is_earlier { (other, this) } else { (this, other) };
    let mut changes = Styled::default();
    if push_changes(&mut changes, &before.rows, &after.rows) {
        text.push(&format!("\n  from run {} to run {}:\n", grouped(from), grouped(to)));
        text.append(changes);
    }
}
