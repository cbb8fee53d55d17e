//! Cold: `Row`, a line of a short list. Sites with the same lines and functions of the user's,
//! which call the same function of a dependency, are one row.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter;
use std::panic::Location;

use super::advice;
use super::code::Owner;
use super::cycles::without_cycles;
use super::frame::{leading, Frame};
use super::site::{add, Site, SiteData, SortBy};
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

type Wording<'a> = (Option<&'a str>, Option<&'a str>, Option<u32>, Option<usize>);

/// All that makes two sites different for the reader of a list.
type Key<'a> = (Vec<Wording<'a>>, Option<Wording<'a>>);

/// The rows, in this order. `attribute` is a line that is not listed as a caller.
pub(crate) fn rows<'a>(
    data: &'a SiteData,
    order: SortBy,
    attribute: Option<&Location<'_>>,
) -> Vec<Row<'a>> {
    let mut rows: BTreeMap<Key<'_>, Row<'_>> = BTreeMap::new();
    for site in &data.sites {
        let Some(row) = row(site, attribute) else { continue };
        let frames = iter::once(row.leading).chain(row.callers.iter().copied());
        let key = (frames.map(Frame::wording).collect(), row.dependency.map(Frame::wording));
        match rows.get_mut(&key) {
            Some(known) => {
                add(&mut known.counts, &row.counts);
                known.can_reserve |= row.can_reserve;
                known.tables += row.tables;
            }
            None => {
                rows.insert(key, row);
            }
        }
    }
    let mut rows: Vec<(Key<'_>, Row<'_>)> = rows.into_iter().collect();
    // Rows with the same counts stay in the order of their keys.
    order.sort(&mut rows, |(_, row)| &row.counts, |_, _| Ordering::Equal);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn row<'a>(site: &'a Site, attribute: Option<&Location<'_>>) -> Option<Row<'a>> {
    let leading = leading(&site.frames)?;
    // Both the attribute and the test may be on one line: only the column tells them apart.
    let is_attribute = |frame: &Frame| {
        let is_at = |known: Option<u32>, there| known.map_or(true, |known| known == there);
        attribute.is_some_and(|location| {
            frame.file() == Some(location.file())
                && frame.line() == Some(location.line())
                && is_at(frame.column(), location.column())
        })
    };
    let callers = site.user_frames().skip(1).filter(|frame| !is_attribute(frame));
    let frames: Vec<&Frame> = iter::once(leading).chain(callers).collect();
    let callers = without_cycles(&frames, is_same_function).split_off(1);
    let inner: Vec<&Frame> = site.frames.iter().take_while(|frame| !frame.is_user()).collect();
    let is_dependency =
        |frame: &&Frame| frame.parts.owner == Owner::Dependency && !frame.parts.is_made_by_macro;
    let dependency = inner.iter().rposition(is_dependency).map(|outermost| {
        let caller = inner.get(outermost + 1).and_then(|frame| frame.file());
        let is_of_std = caller.is_some_and(|file| file.contains("/std/src/collections/"));
        inner[if is_of_std { inner.len() - 1 } else { outermost }]
    });
    let tables = if advice::is_table_growth(&site.frames) { site.counts.events() } else { 0 };
    let grows = tables > 0 || site.counts.growth.count > 0;
    Some(Row {
        can_reserve: grows && advice::can_reserve(&site.frames),
        tables,
        counts: site.counts,
        leading,
        callers,
        dependency: dependency.filter(|_| leading.is_user()),
    })
}

/// Two closures of a function may have the same name: their lines tell them apart.
fn is_same_function(a: &Frame, b: &Frame) -> bool {
    let is_same_closure = !a.parts.is_closure || a.line() == b.line();
    is_same_closure && (a.function(), a.file()) == (b.function(), b.file())
}
