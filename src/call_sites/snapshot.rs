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

use std::fmt;

use super::built::without_lines;
use super::cycles::without_cycles;
use super::frame::Frame;
use super::site::SiteData;
use crate::files::built;
use crate::index::{hash, hash_of_numbers, hash_of_text, Index};
use crate::number::{counted, grouped};
use crate::sort::sort_by;

/// A site without a frame of the user's: it is on a thread of a library's, or its stack could not
/// be walked to its end. Not even the name of the package would be the same everywhere, since
/// inlined functions may come without their paths.
const OUTSIDE: &str = "(outside of the user's code)";

/// Stands for what was left out of the middle of a stack. It shows unless it is within recursion.
const LEFT_OUT: Entry<'static> = Entry { file: "", function: "..", is_closure: true };

/// Between a function and its caller.
pub(crate) const CALLED_FROM: &str = " < ";

/// The end of a chain that is cut off.
const CUT_OFF: &str = " < ..";

/// Counts have at least so many columns. So lines do not move while the greatest count changes
/// below 10,000.
const COUNT_WIDTH: usize = 4;

/// What the text is made of.
pub(crate) struct Snapshot {
    /// The text of each distinct chain with its events, most events first; what belongs to no site
    /// is last.
    pub(crate) rows: Vec<Row>,
    /// How many of the rows are sites.
    sites: usize,
}

/// A line of the text: a site, and the number of its events.
pub(crate) type Row = (String, u64);

impl Snapshot {
    /// # Errors
    ///
    /// Why there is nothing that could be compared.
    pub(crate) fn of(data: &SiteData) -> Result<Self, String> {
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
        if let Some(frame) = unread(data) {
            let file = frame.file().unwrap_or("");
            return Err(format!(
                "no call sites to compare: the name of a function with a closure is not in the \
                 debug information, and its source, {file}, can't be read. Set `debug = true` in \
                 the profile that this was built with (`[profile.release]` for `--release`), or \
                 run it where the source is; `{{:#}}` shows what there is"
            ));
        }
        let mut rows = by_key(data);
        sort_by(&mut rows, |(_, a), (_, b)| b.cmp(a)); // Those of the same count stay in order.
        let sites = rows.len();
        let unattributed = data.unattributed.events();
        if unattributed > 0 {
            let why =
                data.unwalked.map_or("no room for more stacks", |_| "stacks that can't be walked");
            rows.push((format!("(not attributed: {why})"), unattributed));
        }
        Ok(Self { rows, sites })
    }

    pub(crate) fn total(&self) -> u64 {
        self.rows.iter().map(|(_, count)| count).sum()
    }
}

/// The text, with a line break at its end.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites = counted(self.sites as u64, "site");
        writeln!(f, "{} at {sites}", counted(self.total(), "allocation"))?;
        let widths = self.rows.iter().map(|(_, count)| grouped(*count).len());
        let width = widths.fold(COUNT_WIDTH, usize::max);
        let mut rows = self.rows.iter();
        rows.try_for_each(|(key, count)| writeln!(f, "{:>width$}  {key}", grouped(*count)))
    }
}

/// # Errors
///
/// Why there is no text that could be compared.
pub(super) fn text(data: &SiteData) -> Result<String, String> {
    Snapshot::of(data).map(|snapshot| snapshot.to_string())
}

/// A frame whose name would have to be left out.
fn unread(data: &SiteData) -> Option<&Frame> {
    let is_unread = |frame: &Frame| frame.is_user() && frame.parts.is_name_unread;
    let marks = data.chains.list.map(&mut |frame| is_unread(frame));
    let site = data.sites.iter().find(|site| data.has_any(site, &marks))?;
    data.frames(site).into_iter().find(|frame| is_unread(frame))
}

/// A function of the user's in a chain.
#[derive(Clone, Copy, PartialEq)]
struct Entry<'a> {
    file: &'a str,
    function: &'a str,
    is_closure: bool,
}

/// A number for each distinct entry.
#[derive(Default)]
struct Entries<'a> {
    entries: Vec<Entry<'a>>,
    /// Where an entry is, by its hash.
    places: Index,
}

impl<'a> Entries<'a> {
    fn number(&mut self, entry: Entry<'a>) -> u32 {
        let hash = hash(hash_of_text(entry.file), hash_of_text(entry.function));
        let next = self.entries.len();
        let is_it = |at: usize| self.entries[at] == entry;
        let known = self.places.find_or_insert_hashed(hash, next, &is_it);
        if known.is_none() {
            self.entries.push(entry);
        }
        known.unwrap_or(next) as u32
    }

    fn get(&self, number: u32) -> Entry<'a> {
        self.entries[number as usize]
    }
}

/// The number of events of each chain, in the order of their texts.
fn by_key(data: &SiteData) -> Vec<Row> {
    let mut entries = Entries::default();
    let left_out = entries.number(LEFT_OUT);
    let list = &data.chains.list;
    let is_user = list.map(&mut Frame::is_user);
    let of_frame = list.map(&mut |frame| {
        let name = Some(frame.parts.name.as_str()).filter(|name| !name.is_empty())?;
        Some(entries.number(entry(frame, name)))
    });
    // First by numbers: many sites have the same chain, for recursion shows once.
    let mut by_chain: Vec<(Vec<u32>, bool, u64)> = Vec::new();
    let mut places = Index::default();
    // Some runners let the harness keep what is printed, some do not.
    for site in data.sites.iter().filter(|site| !site.is_capture) {
        let numbers = data.numbers(site);
        let mut chain = Vec::with_capacity(numbers.len() + 1);
        for (at, frame) in numbers.iter().enumerate() {
            if site.gap == Some(at as u32) {
                chain.push(left_out);
            }
            if is_user[*frame as usize] {
                chain.push(of_frame[*frame as usize].unwrap_or_else(|| {
                    let frames = data.frames(site);
                    entries.number(entry(frames[at], outer_name(&frames[at..])))
                }));
            }
        }
        // It is no recursion where a function calls another one with a closure of its own.
        let is_same = |a: u32, b: u32| a == b && !entries.get(a).is_closure;
        let chain = without_cycles(&chain, is_same);
        let (is_cut_off, next) = (site.cut_off.is_some(), by_chain.len());
        let is_it = |at: usize| by_chain[at].0 == chain && by_chain[at].1 == is_cut_off;
        match places.find_or_insert_hashed(hash_of_numbers(&chain), next, &is_it) {
            Some(known) => by_chain[known].2 += site.events(),
            None => by_chain.push((chain, is_cut_off, site.events())),
        }
    }
    let mut by_key: Vec<Row> = Vec::new();
    for (chain, is_cut_off, events) in by_chain {
        let entries = chain.into_iter().map(|number| entries.get(number));
        by_key.push((key(entries.collect(), is_cut_off), events));
    }
    sort_by(&mut by_key, |(a, _), (b, _)| a.cmp(b));
    by_key.dedup_by(|(key, events), (kept, sum)| {
        let is_same = key == kept;
        *sum += if is_same { *events } else { 0 };
        is_same
    });
    by_key
}

fn entry<'a>(frame: &'a Frame, function: &'a str) -> Entry<'a> {
    let file = frame.file().unwrap_or("");
    Entry { file, function, is_closure: frame.parts.is_closure }
}

/// The text of a chain of the user's functions, innermost first.
fn key(mut entries: Vec<Entry<'_>>, is_cut_off: bool) -> String {
    entries.dedup_by_key(|entry| (entry.file, entry.function));
    let mut key = String::new();
    for Entry { file, function, .. } in entries {
        key.push_str(if key.is_empty() { "" } else { CALLED_FROM });
        key.push_str(format!("{file} {function}").trim_start());
    }
    if key.is_empty() {
        key.push_str(OUTSIDE);
    }
    key.push_str(if is_cut_off { CUT_OFF } else { "" });
    key
}

/// The name of the first frame, which has none. A closure may have no path, and its source may not
/// tell its function either, if a macro wrote it. It counts as the next function of the user's
/// further out: as one of the same file, if there is one.
fn outer_name<'a>(frames: &[&'a Frame]) -> &'a str {
    let is_named = |frame: &&&Frame| frame.is_user() && !frame.parts.name.is_empty();
    let mut of_file = frames.iter().filter(|outer| outer.file() == frames[0].file());
    let outer = of_file.find(is_named).or_else(|| frames.iter().find(is_named));
    outer.map_or("{closure}", |frame| &frame.parts.name)
}

#[cfg(test)]
mod tests;
