//! Cold: the snapshot text, `{}` of `CallSites`: the same on every machine, in every run, at every
//! opt-level and with every toolchain.
//!
//! It is made of what all of these agree on: files below the root, and the names of the user's
//! functions. What differs is left out:
//!
//! - lines and columns (they move with every edit), bytes (sizes of types may change), addresses;
//! - generic arguments, hashes, numbers of closures: toolchains write them in their own ways, or
//!   not at all;
//! - frames of std and of other packages: their versions differ, and so does what of them is
//!   inlined;
//! - the name of what `thread_local!` makes of an expression: it is called after the macro;
//! - that something is a closure: some toolchains write `tokens::{{closure}}`, some `{closure#0}`
//!   without a path; both become `tokens`;
//! - repetition: a closure within its function; recursion, also that of functions that call one
//!   another.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::built::{built, without_lines};
use super::cycles::without_cycles;
use super::frame::Frame;
use super::site::{Site, SiteData};
use crate::number::{counted, grouped};

/// A site without a frame of the user's: it is on a thread of a library's, or its stack could not
/// be walked to its end. Not even the name of the package would be the same everywhere, since
/// inlined functions may come without their paths.
const OUTSIDE: &str = "(outside of the user's code)";

/// Stands for what was left out of the middle of a stack. It shows unless it is within recursion.
const LEFT_OUT: Entry<'static> = Entry { file: "", function: "..", is_closure: true };

/// The end of a chain that is cut off.
const CUT_OFF: &str = " < ..";

/// Counts have at least so many columns. So lines do not move while the greatest count changes
/// below 10,000.
const COUNT_WIDTH: usize = 4;

/// The text, with a line break at its end.
///
/// # Errors
///
/// Why there is no text that could be compared.
pub(super) fn text(data: &SiteData) -> Result<String, String> {
    if let Some(reason) = data.unavailable {
        return Err(format!(
            "no call sites to compare: {reason}. Compare them only where they are, for example \
             under `#[cfg(..)]`; `{{:#}}` shows what there is"
        ));
    }
    if !data.has_debug_info {
        let why = without_lines(data, &built());
        return Err(format!("no call sites to compare: {why}; `{{:#}}` shows what there is"));
    }
    // The text must not depend on which files are there.
    let is_unread = |frame: &&Frame| frame.parts.is_name_unread;
    if let Some(frame) = data.sites.iter().flat_map(Site::user_frames).find(is_unread) {
        let file = frame.file().unwrap_or("");
        return Err(format!(
            "no call sites to compare: the name of a function with a closure is not in the debug \
             information, and its source, {file}, can't be read. Set `debug = true` in the profile \
             that this was built with (`[profile.release]` for `--release`), or run it where the \
             source is; `{{:#}}` shows what there is"
        ));
    }
    let mut by_key: BTreeMap<String, u64> = BTreeMap::new();
    // Some runners let the harness keep what is printed, some do not.
    for site in data.sites.iter().filter(|site| !site.is_capture) {
        *by_key.entry(key(site)).or_default() += site.counts.events();
    }
    let unattributed = data.unattributed.events();
    let total = by_key.values().sum::<u64>() + unattributed;
    let mut lines: Vec<(String, u64)> = by_key.into_iter().collect();
    lines.sort_by_key(|(_, count)| Reverse(*count)); // Those of the same count stay in order.
    let (events, sites) = (counted(total, "allocation"), counted(lines.len() as u64, "site"));
    let mut text = format!("{events} at {sites}\n");
    let widest = lines.first().map_or(0, |(_, count)| grouped(*count).len());
    let width = COUNT_WIDTH.max(widest).max(grouped(unattributed).len());
    for (key, count) in &lines {
        text.push_str(&format!("{:>width$}  {key}\n", grouped(*count)));
    }
    if unattributed > 0 {
        let why =
            data.unwalked.map_or("no room for more stacks", |_| "stacks that can't be walked");
        text.push_str(&format!("{:>width$}  (not attributed: {why})\n", grouped(unattributed)));
    }
    Ok(text)
}

/// A function of the user's in a chain.
#[derive(PartialEq)]
struct Entry<'a> {
    file: &'a str,
    function: &'a str,
    is_closure: bool,
}

/// The chain of the user's functions, innermost first.
fn key(site: &Site) -> String {
    let frames: Vec<&Frame> = site.user_frames().collect();
    let mut entries: Vec<Entry<'_>> = frames
        .iter()
        .enumerate()
        .map(|(index, frame)| Entry {
            file: frame.file().unwrap_or(""),
            function: function(frame, &frames[index + 1..]),
            is_closure: frame.parts.is_closure,
        })
        .collect();
    if let Some(gap) = site.gap {
        let inner = site.frames[..gap].iter().filter(|frame| frame.is_user()).count();
        entries.insert(inner, LEFT_OUT);
    }
    // It is no recursion where a function calls another one with a closure of its own.
    let is_same = |a: &Entry<'_>, b: &Entry<'_>| a == b && !a.is_closure;
    let mut entries = without_cycles(&entries.iter().collect::<Vec<_>>(), is_same);
    entries.dedup_by_key(|entry| (entry.file, entry.function));
    let mut key = String::new();
    for Entry { file, function, .. } in entries {
        key.push_str(if key.is_empty() { "" } else { " < " });
        key.push_str(format!("{file} {function}").trim_start());
    }
    if key.is_empty() {
        key.push_str(OUTSIDE);
    }
    key.push_str(site.cut_off.map_or("", |_| CUT_OFF));
    key
}

/// The name of a frame. A closure may have no path, and its source may not tell its function
/// either, if a macro wrote it. It counts as the next function further out: as one of the same
/// file, if there is one.
fn function<'a>(frame: &'a Frame, outer: &[&'a Frame]) -> &'a str {
    let named = |frame: &&Frame| !frame.parts.name.is_empty();
    let mut of_file =
        outer.iter().copied().filter(|outer| outer.file() == frame.file()).filter(named);
    let next = || of_file.next().or_else(|| outer.iter().copied().find(named));
    Some(frame).filter(named).or_else(next).map_or("{closure}", |frame| &frame.parts.name)
}

#[cfg(test)]
mod tests;
