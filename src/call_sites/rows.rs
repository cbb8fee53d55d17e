//! Cold: `Row`, a line of a short list. Sites with the same lines and functions of the user's,
//! which call the same function of a dependency, are one row, unless the innermost line has several
//! places that allocate: these differ in their columns.

use std::panic::Location;

use super::advice;
use super::code::Owner;
use super::cycles::without_cycles;
use super::frame::{leading, Frame};
use super::place::column;
use super::site::{add, SiteData, SortBy};
use crate::files::with_slashes;
use crate::index::{hash, hash_of_numbers, Index};
use crate::sort::sort_by;
use crate::stacks::SiteCounts;

pub(crate) struct Row<'a> {
    pub(crate) counts: SiteCounts,
    /// The user's innermost frame; if there is none, the one that stands for the chain.
    pub(crate) leading: &'a Frame,
    /// The user's other frames, innermost first, without recursion: of each function, only the
    /// innermost call is there.
    pub(crate) callers: Vec<&'a Frame>,
    /// The function of a dependency that the user's code called, if there is one. Where std called
    /// the dependency for a collection of its own, it is the function of std.
    pub(crate) dependency: Option<&'a Frame>,
    /// Whether the capacity can be reserved of what grows here.
    pub(crate) can_reserve: bool,
    /// How many times a hash table grew.
    pub(crate) tables: u64,
}

/// All that makes two sites different for the reader of a list: the wordings of the user's frames,
/// the column of the innermost, and the wording of the dependency's.
type Key = (Vec<u32>, Option<u32>, Option<u32>);

/// The rows, in this order. `attribute` is a line that is not listed as a caller.
pub(crate) fn rows<'a>(
    data: &'a SiteData,
    order: SortBy,
    attribute: Option<&Location<'_>>,
) -> Vec<Row<'a>> {
    let list = &data.chains.list;
    let is_caller = list.map(&mut |frame| frame.is_user() && !is_at(frame, attribute));
    let functions = list.numbered_by(&|a, b| function(a).cmp(&function(b)));
    let is_same = |a: u32, b: u32| functions[a as usize] == functions[b as usize];
    let mut rows: Vec<(Key, Row<'_>)> = Vec::new();
    let mut places = Index::default();
    for site in &data.sites {
        let (numbers, frames) = (data.numbers(site), data.frames(site));
        let Some(leading) = leading(&frames) else { continue };
        let outer = numbers[leading + 1..].iter().copied();
        let mut chain = vec![numbers[leading]];
        if frames[leading].is_user() {
            chain.extend(outer.filter(|frame| is_caller[*frame as usize]));
        }
        let chain = without_cycles(&chain, is_same);
        let dependency = dependency(&frames, leading).map(|at| numbers[at]);
        let wording = |frame: &u32| list.wording(*frame);
        let column = column(frames[leading]);
        let key: Key =
            (chain.iter().map(wording).collect(), column, dependency.as_ref().map(wording));
        let counts = site.counts();
        let tables = if advice::is_table_growth(&frames) { counts.events() } else { 0 };
        let grows = tables > 0 || counts.growth.count > 0;
        let next = rows.len();
        let or_none = |number: Option<u32>| number.map_or(0, |number| number as usize + 1);
        let hash = hash(hash(hash_of_numbers(&key.0), or_none(key.1)), or_none(key.2));
        let known = places.find_or_insert_hashed(hash, next, &|at| rows[at].0 == key);
        if known.is_none() {
            let row = Row {
                counts: SiteCounts::ZERO,
                leading: list.frame(chain[0]),
                callers: list.frames(&chain[1..]),
                dependency: dependency.map(|frame| list.frame(frame)),
                can_reserve: false,
                tables: 0,
            };
            rows.push((key, row));
        }
        let row = &mut rows[known.unwrap_or(next)].1;
        add(&mut row.counts, &counts);
        row.can_reserve |= grows && advice::can_reserve(&frames);
        row.tables += tables;
    }
    let weight = |row: &Row<'_>| {
        order.weight(row.counts.events(), row.counts.bytes, row.counts.at_peak.bytes)
    };
    sort_by(&mut rows, |(a_key, a), (b_key, b)| weight(b).cmp(&weight(a)).then(a_key.cmp(b_key)));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Both the attribute and the test may be on one line: only the column tells them apart.
fn is_at(frame: &Frame, attribute: Option<&Location<'_>>) -> bool {
    let is_at = |known: Option<u32>, there| known.map_or(true, |known| known == there);
    attribute.is_some_and(|location| {
        frame.file() == Some(&*with_slashes(location.file()))
            && frame.line() == Some(location.line())
            && is_at(frame.column(), location.column())
    })
}

/// Where the function of a dependency is that the user's code called.
fn dependency(frames: &[&Frame], leading: usize) -> Option<usize> {
    let inner = frames.get(..leading).filter(|_| frames[leading].is_user())?;
    let is_dependency =
        |frame: &&Frame| frame.parts.owner == Owner::Dependency && !frame.parts.is_made_by_macro;
    let outermost = inner.iter().rposition(is_dependency)?;
    let caller = inner.get(outermost + 1).and_then(|frame| frame.file());
    let is_of_std = caller.is_some_and(|file| file.contains("/std/src/collections/"));
    Some(if is_of_std { inner.len() - 1 } else { outermost })
}

/// What two frames of one function have in common. Two closures of a function may have the same
/// name: their lines tell them apart.
fn function(frame: &Frame) -> (Option<&str>, Option<&str>, Option<u32>) {
    (frame.function(), frame.file(), frame.line().filter(|_| frame.parts.is_closure))
}
