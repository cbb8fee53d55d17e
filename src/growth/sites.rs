//! Cold: how each call site grows, for the report.
//!
//! A site is here the user's innermost line and its function, whoever calls it: a site by each
//! caller would have few numbers to go by.

use super::outgrown::{Measured, OutgrownData};
use super::rule::{fits, Fits};
use crate::budget::Metric;
use crate::call_sites::place::{function, line};
use crate::call_sites::rows::rows;
use crate::call_sites::site::SiteData;
use crate::call_sites::source::Sources;
use crate::call_sites::{Frame, SortBy};
use crate::index::{hash_of_text, Index};
use crate::report::site_list::named;
use crate::sort::sort_by;
use crate::stacks::SiteCounts;

pub(super) struct SiteGrowth {
    /// `src/parser.rs:14`.
    pub(super) place: String,
    /// `src/parser.rs:14 tokens`, or `src/parser.rs:14 tokens, in serde_json::from_str`.
    pub(super) name: String,
    /// `14 | s = s + x;`, if the file can be read.
    pub(super) code: Option<String>,
    /// The numbers at the sizes that the user has given.
    pub(super) numbers: Vec<u64>,
    pub(super) fits: Fits,
}

/// The sites of what a metric is about, those with the highest number at the last size first. Empty
/// if nothing was recorded.
pub(super) fn sites(data: &OutgrownData, measured: &Measured, metric: Metric) -> Vec<SiteGrowth> {
    let (mut sources, mut places) = (Sources::default(), Index::default());
    let mut sites: Vec<Site> = Vec::new();
    let samples = measured.samples.all();
    for (at, sample) in samples.iter().enumerate() {
        let Some(list) = sample.call_sites(metric, &data.origin) else { return Vec::new() };
        for (name, frame, number) in numbers(list.data(), metric, &mut sources) {
            let next = sites.len();
            let is_it = |place: usize| sites[place].name == name;
            let known = places.find_or_insert_hashed(hash_of_text(&name), next, &is_it);
            if known.is_none() {
                let (place, code) = (line(&frame), code(&frame, &mut sources));
                sites.push(Site { place, name, code, numbers: vec![0; samples.len()] });
            }
            let known = &mut sites[known.unwrap_or(next)].numbers[at];
            *known = match metric {
                Metric::LargestBlock => number.max(*known),
                _ => *known + number,
            };
        }
    }
    let mut grown = Vec::new();
    for Site { place, name, code, numbers } in sites {
        let number = |size| measured.samples.place(size).map_or(0, |at| numbers[at]);
        let fits = fits(&measured.plan, &number);
        let numbers = data.sizes.iter().map(|size| number(*size)).collect();
        grown.push(SiteGrowth { place, name, code, numbers, fits });
    }
    let last = |site: &SiteGrowth| site.numbers.last().copied();
    sort_by(&mut grown, |a, b| last(b).cmp(&last(a)).then_with(|| a.name.cmp(&b.name)));
    grown
}

struct Site {
    place: String,
    name: String,
    code: Option<String>,
    /// One for each sample.
    numbers: Vec<u64>,
}

/// The name of each site of one size, its place, and its number. A site may come more than once.
fn numbers(data: &SiteData, metric: Metric, sources: &mut Sources) -> Vec<(String, Frame, u64)> {
    let mut numbers = Vec::new();
    if metric == Metric::LargestBlock {
        for (size, chain) in &data.largest_blocks {
            if let Some(frame) = data.chains.list.leading(chain) {
                let name = format!("{} {}", line(&frame), function(&frame, sources));
                numbers.push((name, frame, *size));
            }
        }
        return numbers;
    }
    for row in rows(data, SortBy::Allocations, None) {
        let name = format!("{} {}", line(row.leading), named(&row, sources));
        numbers.push((name, row.leading.clone(), number(metric, &row.counts)));
    }
    numbers
}

fn number(metric: Metric, counts: &SiteCounts) -> u64 {
    match metric {
        Metric::Reallocations => counts.reallocs,
        Metric::Bytes => counts.bytes,
        Metric::PeakBytes => counts.at_peak.bytes,
        _ => counts.events(),
    }
}

fn code(frame: &Frame, sources: &mut Sources) -> Option<String> {
    let number = frame.line().filter(|_| frame.is_user())?;
    let (_, code) = sources.line(frame.parts.path.as_ref()?, number)?;
    Some(format!("{number} | {code}"))
}

/// What was recorded at the last size.
pub(super) fn at_last_size<R>(
    data: &OutgrownData,
    metric: Metric,
    look: impl FnOnce(&SiteData) -> R,
) -> Option<R> {
    let list = data.rows().last()?.call_sites(metric, &data.origin)?;
    Some(look(list.data()))
}
