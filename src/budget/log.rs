//! Cold: the file of `MOD_ALLOC_REPORT`: a line of JSON for every budget that was checked, held or
//! broken.
//!
//! ```text
//! {"name":"tests::parses_header","file":"src/lib.rs","line":15,"column":5,"held":false,
//!  "thread":"tests::parses_header","binary":"parser","runs":1,
//!  "metrics":[{"name":"allocations","max":10,"measured":13}],
//!  "sites":[{"file":"src/lib.rs","line":7,"column":22,"function":"longest",
//!            "allocations":12,"reallocations":1,"bytes":635}]}
//! ```
//!
//! A line is appended by one call of the system, so that those of other threads and processes lie
//! before it or behind it, never within.

use std::fmt::Write as _;
use std::io::Write;
use std::thread;

use super::builder::Budget;
use super::environment;
use super::limits::{Limit, Metric};
use super::origin::Origin;
use super::say::say;
#[cfg(feature = "backtraces")]
use crate::call_sites::{rows::rows, CallSites, SortBy};
use crate::counters;
use crate::files::{executable_name, with_slashes};
use crate::json::push_string;
use crate::scope::Unmeasured;

/// A budget that was checked.
pub(super) struct Checked<'a> {
    pub(super) budget: &'a Budget,
    pub(super) origin: &'a Origin,
    pub(super) held: bool,
    pub(super) runs: u64,
    /// What was measured of a metric that has this limit.
    pub(super) measured: &'a dyn Fn(Metric, Limit) -> u64,
    pub(super) unmeasured: Option<Unmeasured>,
    /// Where the allocations were made, of a broken one.
    #[cfg(feature = "backtraces")]
    pub(super) sites: Option<&'a CallSites>,
}

impl<'a> Checked<'a> {
    /// One that has held.
    pub(super) fn held(
        budget: &'a Budget,
        origin: &'a Origin,
        runs: u64,
        measured: &'a dyn Fn(Metric, Limit) -> u64,
    ) -> Self {
        Self {
            budget,
            origin,
            held: true,
            runs,
            measured,
            unmeasured: None,
            #[cfg(feature = "backtraces")]
            sites: None,
        }
    }
}

/// Appends a line to the file, if one is set.
#[cold]
pub(super) fn append(checked: &Checked<'_>) {
    counters::ignored(|_| {
        let Some(file) = environment::report_file() else { return };
        if let Err(error) = file.and_then(|mut file| file.write_all(line(checked).as_bytes())) {
            say(&|| format!("mod-alloc: `MOD_ALLOC_REPORT`: {error}"));
        }
    });
}

fn line(checked: &Checked<'_>) -> String {
    let Checked { budget, origin, .. } = checked;
    let mut json = String::from("{");
    push_text(&mut json, "name", &origin.name());
    push_place(&mut json, &with_slashes(origin.location.file()), Some(origin.location.line()));
    push_number(&mut json, "column", origin.location.column().into());
    push_key(&mut json, "held");
    json.push_str(if checked.held { "true" } else { "false" });
    if let Some(name) = thread::current().name() {
        push_text(&mut json, "thread", name);
    }
    if let Some(binary) = executable_name() {
        push_text(&mut json, "binary", &binary);
    }
    push_number(&mut json, "runs", checked.runs);
    if let Some(why) = checked.unmeasured {
        push_text(&mut json, "unmeasured", why.reason());
    } else {
        push_list(&mut json, "metrics", budget.limits(), |json, (metric, limit)| {
            push_text(json, "name", metric.label(origin.returns_nothing));
            // The highest number is that of a record that is not there.
            let min = limit.min.filter(|min| *min < u64::MAX);
            min.into_iter().for_each(|min| push_number(json, "min", min));
            limit.max.into_iter().for_each(|max| push_number(json, "max", max));
            push_number(json, "measured", (checked.measured)(metric, limit));
        });
        #[cfg(feature = "backtraces")]
        checked.sites.into_iter().for_each(|sites| push_sites(&mut json, sites));
    }
    json.push_str("}\n");
    json
}

/// The lines that allocated, as a report lists them, but all of them.
#[cfg(feature = "backtraces")]
fn push_sites(json: &mut String, sites: &CallSites) {
    let rows = rows(sites.data(), SortBy::Allocations, None);
    push_list(json, "sites", rows, |json, row| {
        push_place(json, row.leading.file().unwrap_or_default(), row.leading.line());
        row.leading.column().into_iter().for_each(|column| {
            push_number(json, "column", column.into());
        });
        push_text(json, "function", row.leading.function().unwrap_or_default());
        push_number(json, "allocations", row.counts.events());
        push_number(json, "reallocations", row.counts.reallocs);
        push_number(json, "bytes", row.counts.bytes);
    });
}

fn push_list<T>(
    json: &mut String,
    key: &str,
    list: impl IntoIterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    push_key(json, key);
    json.push('[');
    for (at, item) in list.into_iter().enumerate() {
        json.push_str(if at == 0 { "{" } else { ",{" });
        push(json, item);
        json.push('}');
    }
    json.push(']');
}

fn push_place(json: &mut String, file: &str, line: Option<u32>) {
    push_text(json, "file", file);
    line.into_iter().for_each(|line| push_number(json, "line", line.into()));
}

fn push_text(json: &mut String, key: &str, text: &str) {
    push_key(json, key);
    push_string(json, text);
}

fn push_number(json: &mut String, key: &str, number: u64) {
    push_key(json, key);
    let _ = write!(json, "{number}"); // To a string it cannot fail.
}

fn push_key(json: &mut String, key: &str) {
    json.push_str(if json.ends_with(['{', '[']) { "" } else { "," });
    push_string(json, key);
    json.push(':');
}
