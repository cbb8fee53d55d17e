//! Cold: the text of a report: a table by size, then the call sites that grow.
//!
//! ```text
//! allocation growth exceeded: tests::parses                                     tests/growth.rs:12
//!   assert_growth!(max = O(1), max_bytes = O(n))
//!
//!   n        allocations       bytes
//!   64                10       1,024
//!   512               10      65,536
//!   fits            O(1)      O(n^2)
//!   allowed         O(1)        O(n)
//!                     ok    too fast
//! ```

use std::fmt;

#[cfg(feature = "backtraces")]
use super::order::Fit;
use super::outgrown::{Form, Judged, Measured, Outgrown, OutgrownData, Verdict};
use super::plan::{LEAST_FACTOR, LEAST_LAST};
use super::rule::Fits;
use crate::files::with_slashes;
use crate::ignored::Ignored;
use crate::number::grouped;
use crate::report::formatted;
use crate::report::layout::{push_ends, push_line, push_paragraph};
use crate::room::with_room;
use crate::styled::{Style, Styled};

impl Outgrown {
    /// The report, with the user's message in it.
    pub(super) fn report(&self, message: Option<fmt::Arguments<'_>>) -> Ignored<Styled> {
        let message = message.map(formatted);
        Ignored::new(|_| text(&self.data, message.as_ref().map(|message| message.as_str())))
    }
}

impl fmt::Display for Outgrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report(None).as_str())
    }
}

impl fmt::Debug for Outgrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report(None).as_str())
    }
}

/// The report, without a line break at its end.
fn text(data: &OutgrownData, message: Option<&str>) -> Styled {
    with_room(|| made(data, message))
}

fn made(data: &OutgrownData, message: Option<&str>) -> Styled {
    let measured = data.measured.as_ref();
    let judged = measured.map_or_else(Vec::new, |measured| data.judge(measured));
    let unmeasured = measured.and_then(|measured| {
        measured.samples.all().iter().find_map(|sample| sample.measurement.measured.unmeasured)
    });
    let is_outgrown = judged.iter().any(|judged| judged.verdict() == Verdict::Outgrown);
    let verdict = match (unmeasured, is_outgrown) {
        (Some(_), _) => "not measured",
        (None, true) => "exceeded",
        (None, false) => "unclear",
    };
    let mut text = Styled::default();
    let head = format!("allocation growth {verdict}: {}", data.name);
    let location = data.origin.location;
    let place = format!("{}:{}", with_slashes(location.file()), location.line());
    push_ends(&mut text, Style::Head.of(&head), Style::Place.of(&place));
    for line in message.into_iter().flat_map(str::lines) {
        push_line(&mut text, format!("  {line}"));
    }
    push_line(&mut text, format!("  {}", written(data)));
    text.push("\n");
    match (unmeasured, measured) {
        (Some(why), _) => push_paragraph(&mut text, 2, 0, why.reason()),
        (None, None) => push_paragraph(&mut text, 2, 0, &no_plan(data)),
        (None, Some(measured)) => {
            push_table(&mut text, data, &judged);
            push_unclear(&mut text, data, &judged);
            push_sites(&mut text, data, measured, &judged);
        }
    }
    text.trim_end();
    text
}

/// The limits as they would be written.
fn written(data: &OutgrownData) -> String {
    let keys = data.limits().map(|(metric, order)| (metric.max_key(), order));
    match data.form {
        Form::Macro => {
            let keys: Vec<String> = keys.map(|(key, order)| format!("{key} = {order}")).collect();
            format!("assert_growth!({})", keys.join(", "))
        }
        Form::Method => {
            let calls = keys.map(|(key, order)| format!(".{key}(Order::{order:?})"));
            format!("Growth::new(){}", calls.collect::<String>())
        }
    }
}

/// What is wrong with sizes that tell nothing, and which would do.
fn no_plan(data: &OutgrownData) -> String {
    let sizes = &data.sizes;
    let list = sizes.iter().map(|size| grouped(*size as u64)).collect::<Vec<_>>().join(", ");
    let first = sizes.first().map_or(LEAST_LAST, |first| (*first).max(LEAST_FACTOR));
    let last = first.saturating_mul(LEAST_FACTOR);
    let factor = LEAST_FACTOR;
    let example = match data.form {
        Form::Macro => format!("sizes = [{first}, {last}]"),
        Form::Method => format!(".sizes(&[{first}, {last}])"),
    };
    format!(
        "At the sizes [{list}] no order can be told from the next. The last must be {factor} times \
         the first at least, and {LEAST_LAST} at least: write `{example}`, or further apart"
    )
}

fn push_table(text: &mut Styled, data: &OutgrownData, judged: &[Judged]) {
    let mut rows = vec![vec!["n".to_owned()]];
    rows[0].extend(judged.iter().map(|judged| judged.metric.label(false).to_owned()));
    for sample in data.rows() {
        let numbers = judged.iter().map(|judged| grouped(sample.number(judged.metric)));
        rows.push([grouped(sample.size as u64)].into_iter().chain(numbers).collect());
    }
    let mut push = |name: &str, cell: fn(&Judged) -> String| {
        rows.push([name.to_owned()].into_iter().chain(judged.iter().map(cell)).collect());
    };
    push("fits", |judged| match judged.fits {
        Fits { least, most } if least < most => format!("{least} to {most}"),
        Fits { least, .. } => least.to_string(),
    });
    push("allowed", |judged| judged.allowed.to_string());
    push("", |judged| {
        match judged.verdict() {
            Verdict::Ok => "ok",
            Verdict::Outgrown => "too fast",
            Verdict::Unclear => "unclear",
        }
        .to_owned()
    });
    let widest = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=judged.len()).map(widest).collect();
    for (number, row) in rows.iter().enumerate() {
        let mut line = Styled::from(format!("  {:width$}", row[0], width = widths[0]));
        // Those that say what fits, and whether that is allowed.
        let is_of_verdict = [3, 1].contains(&(rows.len() - number));
        for (judged, (cell, width)) in judged.iter().zip(row.iter().zip(&widths).skip(1)) {
            let cell = format!("  {cell:>width$}");
            match judged.verdict() {
                Verdict::Outgrown if is_of_verdict => line.push_in(Style::Broken, &cell),
                _ => line.push(&cell),
            }
        }
        push_line(text, line);
    }
}

/// Which sizes would tell.
fn push_unclear(text: &mut Styled, data: &OutgrownData, judged: &[Judged]) {
    let last = data.sizes.last().copied().unwrap_or(LEAST_LAST);
    for judged in judged.iter().filter(|judged| judged.verdict() == Verdict::Unclear) {
        let (metric, allowed) = (judged.metric.label(false), judged.allowed);
        let further = grouped(last.saturating_mul(LEAST_FACTOR) as u64);
        text.push("\n");
        push_paragraph(
            text,
            2,
            0,
            &format!(
                "{metric}: at these sizes noise of plus or minus one decides whether it is \
                 {allowed}. Give `sizes` that are further apart, up to {further} for example"
            ),
        );
    }
}

#[cfg(not(feature = "backtraces"))]
fn push_sites(text: &mut Styled, _: &OutgrownData, _: &Measured, _: &[Judged]) {
    text.push("\n  no call sites: mod-alloc is built without its feature `backtraces`\n");
}

/// Of each metric that grows too fast, the sites that do.
#[cfg(feature = "backtraces")]
fn push_sites(text: &mut Styled, data: &OutgrownData, measured: &Measured, judged: &[Judged]) {
    use super::sites;
    use crate::budget::{mode, Metric, Mode};
    use crate::call_sites::detailed::{push_stacks, shortcomings};
    use crate::call_sites::{starts_threads, SortBy};
    use crate::number::counted;
    use crate::report::command::command;

    if let Some(reason) = crate::walk::UNAVAILABLE {
        return text.push(&format!("\n  {reason}\n"));
    }
    if mode() == Mode::Off {
        return text.push("\n  no call sites: the environment has MOD_ALLOC_BACKTRACE=off\n");
    }
    let (mut is_any_listed, mut given) = (false, Vec::new());
    for judged in judged.iter().filter(|judged| judged.verdict() == Verdict::Outgrown) {
        let metric = judged.metric;
        let reasons = sites::at_last_size(data, metric, |sites| {
            let reasons = shortcomings(sites, &|count| counted(count, "allocation"));
            (sites.has_debug_info, reasons)
        });
        let (has_lines, mut reasons) = reasons.unwrap_or((false, Vec::new()));
        // They may be the same for each metric.
        reasons.retain(|reason| !given.contains(reason));
        given.extend(reasons.iter().cloned());
        if has_lines || !reasons.is_empty() {
            text.push("\n");
        }
        if has_lines {
            push_list(text, judged, &sites::sites(data, measured, metric));
        }
        if mode() == Mode::Full {
            let (order, first) = match metric.is_of_bytes() {
                true => (SortBy::Bytes, "bytes"),
                false => (SortBy::Allocations, "allocations"),
            };
            sites::at_last_size(data, metric, |sites| {
                let last = data.sizes.last().map_or(0, |last| *last as u64);
                let last = grouped(last);
                push_line(text, format!("\n  all stacks at n = {last}, most {first} first"));
                text.push_with(Style::Stacks, |text| push_stacks(text, sites, order, "    "));
            });
        }
        for reason in reasons {
            let (indent, start) = if has_lines { (4, "and") } else { (2, "no call sites:") };
            push_paragraph(text, indent, 4, &format!("{start} {reason}"));
        }
        is_any_listed |= has_lines;
    }
    if is_any_listed && mode() == Mode::Short {
        text.push("\n");
        let in_test = sites::at_last_size(data, Metric::Allocations, |sites| sites.is_in_test);
        let test = data.thread.as_deref().filter(|_| in_test == Some(true));
        let command = command("MOD_ALLOC_BACKTRACE=full", test);
        push_line(text, Style::Detail.of("  full stacks: ").then(command));
    }
    let is_shared = data.rows().any(|sample| sample.measurement.is_shared);
    let starts = sites::at_last_size(data, Metric::Allocations, starts_threads);
    if !is_shared && starts == Some(true) {
        let note = "not counted: what the threads allocate that it starts \
                    (`AllocScope::current()` attaches them)";
        text.push("\n");
        push_paragraph(text, 2, 0, note);
    }
}

/// So many sites are listed of one metric.
#[cfg(feature = "backtraces")]
const MAX_SITES: usize = 6;

#[cfg(feature = "backtraces")]
fn push_list(text: &mut Styled, judged: &Judged, sites: &[super::sites::SiteGrowth]) {
    use crate::number::counted;
    use crate::report::layout::CODE_WIDTH;
    use crate::report::site_list::fit;

    let (metric, allowed) = (judged.metric.label(false), Fit::Order(judged.allowed));
    let mut listed: Vec<_> = sites.iter().filter(|site| site.fits.least > allowed).collect();
    let count = counted(listed.len() as u64, "call site");
    let grow = if listed.len() == 1 { "grows" } else { "grow" };
    let mut heading = format!("{metric}: {count} {grow} faster than {allowed}");
    if listed.is_empty() {
        heading =
            format!("{metric}: no call site alone grows faster than {allowed}; the largest are");
        listed.extend(sites);
    }
    push_line(text, format!("  {heading}"));
    for site in listed.iter().take(MAX_SITES) {
        let numbers = site.numbers.iter().map(|number| grouped(*number)).collect::<Vec<_>>();
        let (name, grows) = (&site.name, site.fits.least.grows());
        let start = text.as_str().len() + 4;
        push_paragraph(text, 4, 4, &format!("{name}: {}: {grows}", numbers.join(", ")));
        text.style_if_there(start, &site.place, Style::Place);
        if let Some(code) = &site.code {
            push_line(text, Style::Code.of(&fit(&format!("        {code}"), CODE_WIDTH)));
        }
    }
    if listed.len() > MAX_SITES {
        let more = (listed.len() - MAX_SITES) as u64;
        push_line(text, format!("    and {}", counted(more, "more site")));
    }
}
