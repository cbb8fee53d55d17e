//! Cold: the text of a broken budget: what, where, how much, and what to do next.
//!
//! ```text
//! allocation budget exceeded: tests::parses_header          tests/header.rs:12
//!   #[alloc_budget(max = 10, max_bytes = 1024)]   this thread · 5 runs after 1 warm-up
//! ```
//!
//! Below this head stand the table, the call sites, and what was not counted.

use std::iter;

#[cfg(feature = "backtraces")]
use super::call_sites::push_call_sites;
use super::layout::{push_ends, push_line, push_notes, push_paragraph, Notes, WIDTH};
use super::recorded;
use super::table::push_table;
use crate::budget::{Entrance, ExceededData, Limit, Metric, Recorded, Runs};
#[cfg(feature = "backtraces")]
use crate::call_sites;
use crate::counters::AtWork;
use crate::files::with_slashes;
use crate::number::{counted, in_rust};
use crate::room::with_room;
use crate::styled::{Style, Styled};

/// The report, without a line break at its end.
pub(crate) fn text(at_work: AtWork<'_>, data: &ExceededData, message: Option<&str>) -> Styled {
    with_room(|| made(at_work, data, message))
}

fn made(at_work: AtWork<'_>, data: &ExceededData, message: Option<&str>) -> Styled {
    let mut text = Styled::default();
    let location = data.origin.location;
    let unmeasured = data.measurement.measured.unmeasured;
    let head = format!("allocation budget {}: {}", verdict(data), data.name);
    let place = format!("{}:{}", with_slashes(location.file()), location.line());
    push_ends(&mut text, Style::Head.of(&head), Style::Place.of(&place));
    for line in message.into_iter().flat_map(str::lines) {
        push_line(&mut text, format!("  {line}"));
    }
    push_written(&mut text, &written(data), &whose(data));
    text.push("\n");
    if let Some(why) = unmeasured {
        push_paragraph(&mut text, 2, 0, why.reason());
    } else {
        push_table(&mut text, data);
        recorded::push_record(at_work, &mut text, data);
        if is_nothing(data) {
            text.push("\n");
            push_paragraph(&mut text, 2, 0, NOTHING);
        }
        if let Some(refusal) = &data.refusal {
            text.push("\n");
            push_paragraph(&mut text, 2, 4, &format!("not rewritten: {}", refusal.why()));
        }
        let Notes { first: mut notes, last } = push_call_sites(at_work, &mut text, data);
        notes.extend(allowed(data).map(Styled::from));
        notes.extend(uncounted(data).iter().map(|note| Style::Detail.of(note)));
        #[cfg(feature = "backtraces")]
        notes.extend(data.dhat(at_work).map(Styled::from));
        notes.extend(last);
        notes.extend(recorded::accept(data));
        push_notes(&mut text, notes);
    }
    text.trim_end();
    text
}

/// What became of the budget, in a word or two.
pub(super) fn verdict(data: &ExceededData) -> &'static str {
    let recorded = recorded::broken(data);
    match data.measurement.measured.unmeasured {
        Some(_) => "not measured",
        None if recorded.is_some() => recorded.map_or("", recorded::head),
        None if is_short(data) => "not reached",
        None => "exceeded",
    }
}

/// Whether all that is outside of its limits is below its `min`.
fn is_short(data: &ExceededData) -> bool {
    data.budget.limits().all(|(metric, limit)| {
        let measured = data.measured(metric, limit);
        limit.holds(measured) || limit.is_above(measured)
    })
}

/// Whether there should have been allocations, and there were none.
fn is_nothing(data: &ExceededData) -> bool {
    let is_of_allocations = |(metric, _): &(Metric, Limit)| *metric == Metric::Allocations;
    let limit = data.budget.limits().find(is_of_allocations);
    limit.is_some_and(|(metric, limit)| {
        limit.is_above(0) && data.measured(metric, limit) == 0 && data.recorded.is_none()
    })
}

const NOTHING: &str = "Nothing was allocated here. Was it made by an earlier run, and kept (by a \
    `OnceLock` for example)? By another thread (`AllocScope::current()` attaches it)? Or did the \
    compiler leave it out (`std::hint::black_box` keeps it)?";

#[cfg(not(feature = "backtraces"))]
fn push_call_sites(_: AtWork<'_>, _: &mut Styled, data: &ExceededData) -> Notes {
    let missing = "no call sites: mod-alloc is built without its feature `backtraces`";
    let is_wanted = data.budget.wants_call_sites();
    Notes { first: is_wanted.then(|| missing.into()).into_iter().collect(), last: Vec::new() }
}

/// What is not charged since the user allows it.
fn allowed(data: &ExceededData) -> Option<String> {
    if data.budget.allowed().is_empty() {
        return None;
    }
    let Some(allowed) = &data.allowed else {
        return Some("`allow` takes out nothing here: it needs call sites".to_owned());
    };
    let through =
        |(path, events): &(&str, u64)| format!("{} through {path}", counted(*events, "allocation"));
    let list: Vec<String> = allowed.iter().map(through).collect();
    Some(match list.as_slice() {
        [] => "allowed: nothing passes through what `allow` names".to_owned(),
        list => format!("allowed: {}", list.join(", ")),
    })
}

/// What was not counted, where that is certain.
fn uncounted(data: &ExceededData) -> Vec<String> {
    let mut notes = Vec::new();
    let mut uncounted = data.measurement.measured.uncounted;
    for (reason, events) in data.measurement.permitted.iter().flat_map(|all| all.iter()) {
        notes.push(format!("{} permitted: {reason}", counted(*events, "allocation")));
        uncounted = uncounted.saturating_sub(*events);
    }
    if uncounted > 0 {
        notes.push(format!("{} in `uncounted`", counted(uncounted, "allocation")));
    }
    if data.of_harness > 0 {
        let kept = counted(data.of_harness, "allocation");
        notes.push(format!("{kept} of the test harness, which keeps what is printed"));
    }
    let attaches = "`AllocScope::current()` attaches";
    match data.measurement.elsewhere {
        Some(0) => {}
        Some(events) => {
            let events = counted(events, "allocation");
            notes.push(format!("{events} elsewhere ({attaches} threads, tasks)"));
        }
        None if !data.measurement.is_shared && starts_threads(data) => {
            notes.push(format!("what the threads allocate that it starts ({attaches} them)"));
        }
        None => {}
    }
    if data.measurement.attached > 0 {
        let threads = counted(data.measurement.attached as u64, "thread");
        let was = if data.measurement.attached == 1 { "was" } else { "were" };
        notes.push(format!("later work of {threads} that {was} still attached at the end"));
    }
    if let Some(lost) =
        data.measurement.measured.live.map(|live| live.lost).filter(|lost| *lost > 0)
    {
        let blocks = counted(lost, "block");
        notes.push(format!(
            "whether {blocks} may have been freed that found no room in a table, or were \
             allocated in a signal handler"
        ));
    }
    let starts = iter::once("not counted:").chain(iter::repeat("nor"));
    starts.zip(notes).map(|(start, note)| format!("{start} {note}")).collect()
}

#[cfg(feature = "backtraces")]
fn starts_threads(data: &ExceededData) -> bool {
    data.call_sites().is_some_and(|sites| call_sites::starts_threads(sites.data()))
}

#[cfg(not(feature = "backtraces"))]
fn starts_threads(_: &ExceededData) -> bool {
    false
}

/// Appends the budget as it is written, and whose it is, which stands to the right if there is
/// room.
fn push_written(text: &mut Styled, written: &str, whose: &str) {
    let whose = Style::Detail.of(whose);
    if written.chars().count() + 2 <= WIDTH {
        push_ends(text, format!("  {written}"), whose);
        return;
    }
    // Between two keys.
    let mut line = String::from("  ");
    for part in written.split_inclusive([',', ')']) {
        if line.chars().count() + part.chars().count() > WIDTH {
            push_line(text, std::mem::replace(&mut line, "     ".to_owned()));
        }
        line.push_str(part);
    }
    push_line(text, line);
    push_line(text, Styled::from("  ").then(whose));
}

/// The budget as it would be written.
fn written(data: &ExceededData) -> String {
    let mut keys: Vec<(&str, u64)> = Vec::new();
    data.budget.visit_keys(&mut |key, value| keys.push((key, value)));
    if let Some(runs) = &data.runs {
        if runs.warmup > 0 {
            keys.push(("warmup", runs.warmup));
        }
        if runs.runs > 1 {
            keys.push(("runs", runs.runs));
        }
    }
    let (mut list, mut calls) = (String::new(), String::new());
    if let Some(recorded) = data.budget.recorded_as() {
        list += "recorded";
        if let Recorded::As(name) = recorded {
            calls += &format!(".recorded({name:?})");
        }
    }
    for (key, value) in keys {
        list += if list.is_empty() { "" } else { ", " };
        let value = in_rust(value);
        list += &format!("{key} = {value}");
        calls += &format!(".{key}({value})");
    }
    if !data.budget.allowed().is_empty() {
        list += &format!(", allow = {:?}", data.budget.allowed());
        calls += &format!(".allow(&{:?})", data.budget.allowed());
    }
    match data.origin.entrance {
        Entrance::Attribute => format!("#[alloc_budget({list})]"),
        Entrance::AssertAllocs => format!("assert_allocs!({list})"),
        Entrance::AssertNoAlloc => "assert_no_alloc!".to_owned(),
        Entrance::Method => format!("Budget::new(){calls}"),
    }
}

/// Whose allocations were counted.
fn whose(data: &ExceededData) -> String {
    let attached = if data.measurement.is_shared { " and attached ones" } else { "" };
    let repetition = data.runs.as_ref().map(|runs| format!(" · {}", repetition(runs)));
    format!("{}{attached}{}", data.whose, repetition.unwrap_or_default())
}

fn repetition(runs: &Runs) -> String {
    match runs.warmup {
        0 => counted(runs.runs, "run"),
        warmup => format!("{} after {}", counted(runs.runs, "run"), counted(warmup, "warm-up")),
    }
}
