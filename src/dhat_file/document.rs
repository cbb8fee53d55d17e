//! Cold: a [`DhatProfile`] as a DHAT file, version 2. The format is described in `dhat/dh_main.c`
//! of Valgrind, and its viewer, `dhat/dh_view.html`, reads it.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::process;

use super::frame_table::FrameTable;
use crate::blocks::PointNumbers;
use crate::counters::{AtWork, Blocks};
use crate::json::push_string;
use crate::reading::{DhatKind, DhatProfile};
use crate::symbolize::{symbolize, Place};

/// The root of all stacks, which the first frame must be.
const ROOT: &str = "[root]";

/// The text of a file. Names and lines are looked up for it, which takes some milliseconds, and a
/// tenth of a second the first time in a process.
pub(crate) fn text(at_work: AtWork<'_>, profile: &DhatProfile) -> String {
    let command: Vec<_> = env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let process = Process { command: command.join(" "), id: process::id() };
    text_of(profile, &process, |addresses| symbolize(at_work, addresses))
}

/// What a file says of the process.
struct Process {
    command: String,
    id: u32,
}

fn text_of(
    profile: &DhatProfile,
    process: &Process,
    symbolize: impl Fn(&[usize]) -> Vec<Place>,
) -> String {
    let frames = FrameTable::new(profile, symbolize);
    let mut points: BTreeMap<Vec<usize>, PointNumbers> = BTreeMap::new();
    for (stack, numbers) in &profile.points {
        // The viewer wants no two points with the same frames.
        let point = points.entry(frames.shown(*stack)).or_default();
        *point = sum(point, numbers);
    }
    let mut points: Vec<(Vec<usize>, PointNumbers)> = points.into_iter().collect();
    // Most bytes first. The order does not depend on addresses.
    points.sort_by_key(|(_, numbers)| {
        std::cmp::Reverse((numbers.total.bytes, numbers.total.blocks, numbers.max.bytes))
    });
    let mut json = head(profile, process);
    push_points(&mut json, profile.kind == DhatKind::Heap, &points, &frames);
    json
}

/// The numbers of two points that read the same. The most that both had together is not known; it
/// is at most the sum.
fn sum(a: &PointNumbers, b: &PointNumbers) -> PointNumbers {
    PointNumbers {
        total: a.total + b.total,
        live: a.live + b.live,
        max: a.max + b.max,
        at_peak: a.at_peak + b.at_peak,
        lifetimes: a.lifetimes.wrapping_add(b.lifetimes),
    }
}

/// Everything but the points and their frames.
fn head(profile: &DhatProfile, process: &Process) -> String {
    let kind = profile.kind;
    let has_lifetimes = kind == DhatKind::Heap;
    let mode = if kind == DhatKind::AdHoc { "rust-ad-hoc" } else { "rust-heap" };
    let mut json = format!(
        "{{\"dhatFileVersion\":2\n,\"mode\":\"{mode}\"\n,\"verb\":\"Allocated\"\n\
         ,\"bklt\":{has_lifetimes},\"bkacc\":false"
    );
    if kind == DhatKind::AdHoc {
        json.push_str("\n,\"bu\":\"unit\",\"bsu\":\"units\",\"bksu\":\"events\"");
    }
    json.push_str("\n,\"tu\":\"µs\",\"Mtu\":\"s\"");
    if has_lifetimes {
        // Lifetimes up to this many microseconds are short ones.
        json.push_str(",\"tuth\":10");
    }
    json.push_str("\n,\"cmd\":");
    push_string(&mut json, &process.command);
    push(&mut json, format_args!("\n,\"pid\":{}\n,", process.id));
    if has_lifetimes {
        push(&mut json, format_args!("\"tg\":{},", microseconds(profile.peak_at)));
    }
    push(&mut json, format_args!("\"te\":{}\n", microseconds(profile.end)));
    json
}

/// The points, and the table of their frames.
fn push_points(
    json: &mut String,
    has_lifetimes: bool,
    points: &[(Vec<usize>, PointNumbers)],
    frames: &FrameTable,
) {
    let mut table = vec![ROOT];
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    json.push_str(",\"pps\":\n [");
    for (at, (shown, numbers)) in points.iter().enumerate() {
        json.push_str(if at == 0 { "" } else { "\n ," });
        push_numbers(json, has_lifetimes, numbers);
        for (at, &frame) in shown.iter().enumerate() {
            let place = *places.entry(frame).or_insert_with(|| {
                table.push(frames.text(frame));
                table.len() - 1
            });
            push(json, format_args!("{}{place}", if at == 0 { "" } else { "," }));
        }
        json.push_str("]}");
    }
    json.push_str("\n ]\n,\"ftbl\":\n [");
    for (at, frame) in table.iter().enumerate() {
        json.push_str(if at == 0 { "" } else { "\n ," });
        push_string(json, frame);
    }
    json.push_str("\n ]\n}\n");
}

/// A point up to its frames.
fn push_numbers(json: &mut String, has_lifetimes: bool, numbers: &PointNumbers) {
    let PointNumbers { total, live, max, at_peak, lifetimes } = numbers;
    push(json, format_args!("{{\"tb\":{},\"tbk\":{}", total.bytes, total.blocks));
    if has_lifetimes {
        push(json, format_args!(",\"tl\":{}", microseconds(*lifetimes)));
        for (key, Blocks { blocks, bytes }) in [("m", max), ("g", at_peak), ("e", live)] {
            push(json, format_args!(",\"{key}b\":{bytes},\"{key}bk\":{blocks}"));
        }
    }
    json.push_str(",\"fs\":[");
}

fn push(json: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` always succeeds.
    let _ = json.write_fmt(text);
}

fn microseconds(nanoseconds: u64) -> u64 {
    nanoseconds / 1_000
}

#[cfg(test)]
mod tests;
