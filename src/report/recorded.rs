//! Cold: what the report of a budget with a record says of that.
//!
//! ```text
//!   since alloc_budgets/header/parses_header.txt [debug] was recorded:
//!     +2 at src/parser.rs tokens: 9 -> 11
//!        called from src/parser.rs parse < tests/header.rs parses_header
//! ```
//!
//! Its last line is the command that accepts the change.

#[cfg(feature = "backtraces")]
use super::changes::push_changes;
use super::command::again;
use super::layout::{push_line, push_paragraph};
use crate::budget::{ExceededData, Limit, Metric, Verdict};
use crate::counters::AtWork;
use crate::number::grouped;
use crate::styled::{Style, Styled};

/// What was recorded, if the budget is broken since that was not measured.
pub(super) fn broken(data: &ExceededData) -> Option<&Verdict> {
    let is_of_allocations = |(metric, _): &(Metric, Limit)| *metric == Metric::Allocations;
    let (metric, limit) = data.budget.limits().find(is_of_allocations)?;
    let is_broken = !limit.holds(data.measured(metric, limit));
    data.recorded.as_deref().filter(|_| is_broken)
}

/// The verdict in the head of the report.
pub(super) fn head(verdict: &Verdict) -> &'static str {
    match verdict.before {
        Some(_) => "not as recorded",
        None => "not recorded",
    }
}

/// The cells of the table for the limit and the verdict.
pub(super) fn cells(verdict: &Verdict, measured: u64) -> (String, String) {
    let recorded = verdict.before.as_ref().map(|section| section.allocations);
    let Some(recorded) = verdict.accepted.or(recorded) else {
        return ("not recorded".to_owned(), String::new());
    };
    let difference = match measured {
        more if more > recorded => format!("+{}", grouped(more - recorded)),
        less if less < recorded => format!("-{}", grouped(recorded - less)),
        _ => "ok".to_owned(),
    };
    (format!("recorded {}", grouped(recorded)), difference)
}

/// Appends what changed since it was recorded.
pub(super) fn push_record(at_work: AtWork<'_>, text: &mut Styled, data: &ExceededData) {
    let Some(verdict) = broken(data) else { return };
    text.push("\n");
    let (file, section) = (verdict.record.file(), verdict.record.section());
    if let Some(refusal) = &verdict.refusal {
        push_paragraph(text, 2, 4, refusal);
    }
    match &verdict.before {
        None if verdict.refusal.is_none() => {
            push_paragraph(text, 2, 4, &format!("{file} {section} has no record yet"));
        }
        None => {}
        Some(before) => {
            push_paragraph(text, 2, 4, &format!("since {file} {section} was recorded:"));
            let why = match &before.sites {
                None => Some("it was recorded without call sites"),
                Some(sites) => push_sites(at_work, text, data, sites),
            };
            if let Some(why) = why {
                push_line(text, format!("    which sites have changed is not known: {why}"));
            }
        }
    }
}

#[cfg(not(feature = "backtraces"))]
fn push_sites(
    _: AtWork<'_>,
    _: &mut Styled,
    _: &ExceededData,
    _: &[(String, u64)],
) -> Option<&'static str> {
    Some("there are no call sites here")
}

/// Says why, if that is not known.
#[cfg(feature = "backtraces")]
fn push_sites(
    at_work: AtWork<'_>,
    text: &mut Styled,
    data: &ExceededData,
    before: &[(String, u64)],
) -> Option<&'static str> {
    let after = data.call_sites().and_then(|sites| sites.snapshot(at_work).ok());
    let Some(after) = after else { return Some("there are no call sites here") };
    let are_any = push_changes(text, before, &after.rows);
    (!are_any).then_some("the sites of this run are those of the record")
}

/// The command that accepts what was measured, where it would.
pub(super) fn accept(data: &ExceededData) -> Option<Styled> {
    let verdict = broken(data).filter(|verdict| verdict.can_be_accepted())?;
    let command = again("MOD_ALLOC_UPDATE=1", verdict.record.test());
    Some(Style::Detail.of("accept it: ").then(command))
}
