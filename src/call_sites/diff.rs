//! Cold: `CallSitesDiff`, what changed between two snapshots: those of two recordings, or of a
//! recording and a text that was kept.
//!
//! A site is told by its line in the snapshot text: the chain of the user's functions. Where a
//! chain is gone and another one is new, they may be the same code. It has moved if all chains that
//! are gone and all that are new with the same innermost function have the same sum: first of the
//! same file and function, then, of what is left, of the same name of a function.

use std::fmt;

use super::snapshot::{Row, CALLED_FROM};
use crate::counters::AtWork;
use crate::ignored::Ignored;
use crate::number::{counted, grouped};
use crate::sort::sort_by;

/// What changed between two recordings, by call site: what
/// [`CallSites::diff`](crate::CallSites::diff) returns.
///
/// `{}` is a text for people. It has a line for each change, with the difference first and the
/// callers below it, largest differences first:
///
/// ```text
/// 16 allocations, 14 before
/// +3 at src/fmt.rs pad: new
///    called from src/fmt.rs label < tests/header.rs parses_header
/// +2 at src/parser.rs tokens: 9 -> 11
///    called from src/parser.rs parse < tests/header.rs parses_header
/// -3 at src/old.rs trim: gone
///    called from tests/header.rs parses_header
///  0 at src/fmt.rs label: 2 moved
///    called from src/fmt.rs page < tests/header.rs parses_header
///    before: src/fmt.rs label < tests/header.rs parses_header
/// ```
///
/// The same as data:
///
/// ```no_run
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// # fn parse(text: &str) {}
/// use mod_alloc::{AllocScope, Change};
///
/// let scope = AllocScope::with_call_sites();
/// parse("a text");
/// let before = scope.call_sites();
/// parse("another one");
/// for change in scope.call_sites().diff(&before).changes() {
///     assert_ne!(change.change(), Change::New, "{} did not allocate before", change.function());
/// }
/// ```
pub struct CallSitesDiff {
    data: Ignored<Data>,
}

struct Data {
    before: u64,
    after: u64,
    changes: Vec<SiteChange>,
}

/// A call site that differs between two recordings; of those that moved, all with the same
/// innermost function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteChange {
    before: Vec<Row>,
    after: Vec<Row>,
}

/// How a call site differs between two recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Nothing was allocated here before.
    New,
    /// Nothing is allocated here any more.
    Gone,
    /// There are more allocation events than before.
    Grown,
    /// There are fewer.
    Shrunk,
    /// There are as many, which were at another site before: the function has other callers, or is
    /// in another file.
    Moved,
}

impl CallSitesDiff {
    pub(super) fn new(_: AtWork<'_>, before: &[Row], after: &[Row]) -> Self {
        let data = Data { before: sum(before), after: sum(after), changes: changes(before, after) };
        Self { data: Ignored::new(|_| data) }
    }

    /// What changed, largest differences first, then by name: always in the same order.
    #[must_use]
    pub fn changes(&self) -> &[SiteChange] {
        &self.data.changes
    }

    /// Whether nothing changed: the two snapshot texts are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.changes.is_empty()
    }
}

impl SiteChange {
    /// In which way the site differs.
    #[must_use]
    pub fn change(&self) -> Change {
        match (&self.before[..], &self.after[..]) {
            ([], _) => Change::New,
            (_, []) => Change::Gone,
            _ if self.count_before() < self.count_after() => Change::Grown,
            _ if self.count_before() > self.count_after() => Change::Shrunk,
            _ => Change::Moved,
        }
    }

    /// The file and the name of the innermost function of the user's, as in the snapshot text; of
    /// what moved, where it is now.
    #[must_use]
    pub fn function(&self) -> &str {
        function_in_file(self.site())
    }

    /// The first of the sites as they are now, or were.
    fn site(&self) -> &str {
        let first = self.after.first().or(self.before.first());
        first.map_or("", |(site, _)| site)
    }

    fn counts(&self) -> (u64, u64) {
        (self.count_before(), self.count_after())
    }

    /// The allocation events before; 0 of a new site.
    #[must_use]
    pub fn count_before(&self) -> u64 {
        sum(&self.before)
    }

    /// The allocation events after; 0 of a site that is gone.
    #[must_use]
    pub fn count_after(&self) -> u64 {
        sum(&self.after)
    }

    /// The sites before, as the snapshot text writes them, with their allocation events: none of
    /// what is new, one of what is gone, grew or shrank, and at least one of what moved.
    pub fn sites_before(&self) -> impl Iterator<Item = (&str, u64)> + '_ {
        self.before.iter().map(|(site, count)| (&**site, *count))
    }

    /// The sites after, likewise: none of what is gone.
    pub fn sites_after(&self) -> impl Iterator<Item = (&str, u64)> + '_ {
        self.after.iter().map(|(site, count)| (&**site, *count))
    }

    /// `+2 at src/parser.rs tokens: 9 -> 11`, where the difference takes `width` columns.
    pub(crate) fn head(&self, width: usize) -> String {
        let (before, after) = (grouped(self.count_before()), grouped(self.count_after()));
        let what = match self.change() {
            Change::New => "new".to_owned(),
            Change::Gone => "gone".to_owned(),
            Change::Grown | Change::Shrunk => format!("{before} -> {after}"),
            Change::Moved => format!("{after} moved"),
        };
        format!("{:>width$} at {}: {what}", self.difference(), self.function())
    }

    /// What stands below the head: words, and the chain of functions that they are about.
    pub(crate) fn details(&self) -> impl Iterator<Item = (&'static str, &str)> + '_ {
        let is_moved = self.change() == Change::Moved;
        let now = if self.after.is_empty() { &self.before } else { &self.after };
        let callers = now.iter().filter_map(|(site, _)| site.split_once(CALLED_FROM));
        let called = callers.map(|(_, callers)| ("called from ", callers));
        let before = self.sites_before().filter(move |_| is_moved);
        called.chain(before.map(|(site, _)| ("before: ", site)))
    }

    pub(crate) fn difference(&self) -> String {
        let (before, after) = (self.count_before(), self.count_after());
        let sign = match self.change() {
            Change::New | Change::Grown => "+",
            Change::Gone | Change::Shrunk => "-",
            Change::Moved => "",
        };
        format!("{sign}{}", grouped(before.abs_diff(after)))
    }
}

/// What changed from one snapshot to another.
pub(crate) fn changes(before: &[Row], after: &[Row]) -> Vec<SiteChange> {
    // All of the same site first, then what is left of the same function in a file, then of the
    // same name of a function.
    let all = [SiteChange { before: before.to_vec(), after: after.to_vec() }];
    let mut changes = Vec::new();
    let (same, left) =
        split(&all, &|site| site, &|change| !change.before.is_empty() && !change.after.is_empty());
    changes.extend(same.into_iter().filter(|change| change.before != change.after));
    let is_moved = |change: &SiteChange| change.change() == Change::Moved;
    let (moved, left) = split(&left, &function_in_file, &is_moved);
    changes.extend(moved);
    let (moved, left) = split(&left, &function, &is_moved);
    changes.extend(moved);
    changes.extend(split(&left, &|site| site, &|_| true).0);
    sort_by(&mut changes, |a, b| {
        let (of_a, of_b) = (a.counts(), b.counts());
        let difference = |(before, after): (u64, u64)| before.abs_diff(after);
        let by_difference = difference(of_b).cmp(&difference(of_a));
        let is_less = |(before, after): (u64, u64)| after < before;
        by_difference.then(is_less(of_a).cmp(&is_less(of_b))).then(a.site().cmp(b.site()))
    });
    changes
}

/// Groups all sites by what `of` says of them: first the groups that are taken, then the others.
fn split(
    all: &[SiteChange],
    of: &dyn Fn(&str) -> &str,
    is_taken: &dyn Fn(&SiteChange) -> bool,
) -> (Vec<SiteChange>, Vec<SiteChange>) {
    let mut rows: Vec<(&Row, bool)> = Vec::new();
    for change in all {
        rows.extend(change.before.iter().map(|row| (row, false)));
        rows.extend(change.after.iter().map(|row| (row, true)));
    }
    sort_by(&mut rows, |((a, _), _), ((b, _), _)| of(a).cmp(of(b)).then(a.cmp(b)));
    let mut groups: Vec<SiteChange> = Vec::new();
    for (row, is_after) in rows {
        if groups.last().map_or(true, |group| of(group.site()) != of(&row.0)) {
            groups.push(SiteChange { before: Vec::new(), after: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            let side = if is_after { &mut group.after } else { &mut group.before };
            side.push(row.clone());
        }
    }
    groups.into_iter().partition(|group| is_taken(group))
}

/// `src/parser.rs tokens`.
fn function_in_file(site: &str) -> &str {
    site.split_once(CALLED_FROM).map_or(site, |(innermost, _)| innermost)
}

/// `tokens`.
fn function(site: &str) -> &str {
    let innermost = function_in_file(site);
    innermost.rsplit_once(' ').map_or(innermost, |(_, function)| function)
}

fn sum(rows: &[Row]) -> u64 {
    rows.iter().map(|(_, count)| count).sum()
}

/// The text, with a line break at its end.
impl fmt::Display for CallSitesDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Ignored::new(|_| text(&self.data)))
    }
}

fn text(data: &Data) -> String {
    let events = counted(data.after, "allocation");
    if data.changes.is_empty() {
        return format!("{events} at the same sites as before\n");
    }
    let mut text = format!("{events}, {} before\n", grouped(data.before));
    let width = data.changes.iter().map(|change| change.difference().len()).max().unwrap_or(0);
    for change in &data.changes {
        text.push_str(&format!("{}\n", change.head(width)));
        for (words, chain) in change.details() {
            text.push_str(&format!("{:width$} {words}{chain}\n", ""));
        }
    }
    text
}

/// The text.
impl fmt::Debug for CallSitesDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests;
