//! Cold: the detailed text, `{:#}` of `CallSites`: all that is known, for people.

use super::built::without_lines;
use super::frame::Frame;
use super::site::{NumberedSite, SiteData, SortBy};
use crate::files::built;
use crate::number::{counted, grouped};
use crate::sort::sort_by;
use crate::stacks::Growth;
use crate::walk::Stop;

pub(crate) fn text(data: &SiteData) -> String {
    let total = data.total();
    let (events, bytes) = (counted(total.events(), "allocation"), counted(total.bytes, "byte"));
    let mut text = format!("{events}, {bytes} at {}\n", counted(data.sites.len() as u64, "site"));
    push_stacks(&mut text, data, data.order, "");
    for line in shortcomings(data, &|count| counted(count, "allocation")) {
        text.push_str(&format!("\n{line}\n"));
    }
    text
}

/// Every site with all of its frames.
pub(crate) fn push_stacks(text: &mut String, data: &SiteData, order: SortBy, indent: &str) {
    let mut sites: Vec<&NumberedSite> = data.sites.iter().collect();
    sort_by(&mut sites, |a, b| order.compare(a, b));
    let mut line = |frame: &Frame| {
        let mark = if frame.is_user() { '>' } else { ' ' };
        format!("{indent}  {mark} {frame}\n")
    };
    let lines = data.chains.list.map(&mut line);
    for site in sites {
        text.push_str(&format!("\n{indent}{}\n", heading(site, data.has_peak)));
        for (index, frame) in (0..).zip(data.numbers(site)) {
            if site.gap == Some(index) {
                let reason = Stop::MiddleLeftOut.reason();
                text.push_str(&format!(
                    "{indent}    .. the middle of the stack is left out: {reason}\n"
                ));
            }
            text.push_str(&lines[*frame as usize]);
        }
        if let Some(reason) = site.cut_off.map(Stop::reason) {
            text.push_str(&format!("{indent}    .. the stack is not complete: {reason}\n"));
        }
    }
}

fn heading(site: &NumberedSite, has_peak: bool) -> String {
    let counts = site.counts();
    let reallocs = match counts.reallocs {
        0 => String::new(),
        reallocs => format!(" ({})", counted(reallocs, "reallocation")),
    };
    let grew = growth(&counts.growth).map_or_else(String::new, |sizes| format!(", grew {sizes}"));
    let at_peak = match has_peak {
        true => format!(", {} at the peak", counted(counts.at_peak.bytes, "byte")),
        false => String::new(),
    };
    let events = counted(counts.events(), "allocation");
    let bytes = counted(counts.bytes, "byte");
    format!("{events}{reallocs}, {bytes}{at_peak}{grew}")
}

/// The sizes of a block that was reallocated: `96 > 192 > 384`;
/// `96 > 192 > 384 > 768 > 2 more > 6,144` where only so many are known, and `8 > 5 more > 512`
/// where the block grew in turn at several stacks.
pub(crate) fn growth(growth: &Growth) -> Option<String> {
    let (first, last, steps) = match growth.whole() {
        Some(whole) if whole.2 > growth.steps => whole,
        _ => (growth.sizes[0], growth.last, growth.steps),
    };
    if steps == 0 {
        return None;
    }
    let mut sizes = vec![grouped(first)];
    if steps == growth.steps {
        let between = usize::try_from(steps - 1).unwrap_or(usize::MAX);
        sizes.extend(growth.sizes.iter().skip(1).take(between).map(|size| grouped(*size)));
    }
    let more = steps - sizes.len() as u64;
    if more > 0 {
        sizes.push(format!("{} more", grouped(more)));
    }
    sizes.push(grouped(last));
    Some(sizes.join(" > "))
}

/// The size that [`growth`] ends with, if all the blocks that grew have come to that.
pub(crate) fn final_size(growth: &Growth) -> Option<u64> {
    let (_, most, steps) = growth.whole()?;
    (steps > growth.steps || most == growth.last).then_some(most)
}

/// What is missing, and what to do about it, in a sentence each.
pub(crate) fn shortcomings(data: &SiteData, counted_events: &dyn Fn(u64) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(reason) = data.unavailable {
        lines.push(reason.to_owned());
    } else if !data.has_debug_info {
        lines.push(without_lines(data, &built()));
    }
    if data.unattributed.events() > 0 && data.unavailable.is_none() {
        let why = match data.unwalked {
            Some(reason) => format!("a stack could not be walked: {reason}"),
            None => "there was no room for more stacks".to_owned(),
        };
        let (events, bytes) = (data.unattributed.events(), data.unattributed.bytes);
        let (events, bytes) = (counted_events(events), counted(bytes, "byte"));
        lines.push(format!("{events}, {bytes} at no site: {why}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{counts, Program};
    use super::{final_size, growth, text};
    use crate::stacks::Growth;
    use crate::walk::Stop;

    #[test]
    fn growth_is_a_chain_of_sizes() {
        let check = |steps, last, expected: Option<&str>| {
            let sizes = [8, 16, 32, 6_400];
            let chain = Growth { sizes, last, steps, ..Growth::NONE };
            assert_eq!(growth(&chain).as_deref(), expected);
        };
        check(0, 0, None);
        check(1, 16, Some("8 > 16"));
        check(3, 6_400, Some("8 > 16 > 32 > 6,400"));
        check(4, 12_800, Some("8 > 16 > 32 > 6,400 > 12,800"));
        check(5, 25_600, Some("8 > 16 > 32 > 6,400 > 1 more > 25,600"));
        check(1_005, 25_600, Some("8 > 16 > 32 > 6,400 > 1,001 more > 25,600"));
        let in_turn = Growth { count: 6, gained: 504, least: 8, most: 512, ..Growth::NONE };
        assert_eq!(growth(&in_turn).as_deref(), Some("8 > 5 more > 512"));
        let twice = Growth { count: 2, gained: 504, least: 8, most: 512, ..in_turn };
        assert_eq!(growth(&twice).as_deref(), Some("8 > 1 more > 512"));
        let known = Growth { sizes: [8, 16, 0, 0], last: 512, steps: 2, ..twice };
        assert_eq!(growth(&known).as_deref(), Some("8 > 16 > 512"));
        let apart = Growth { gained: 500, ..in_turn };
        assert_eq!(growth(&apart), None);
    }

    #[test]
    fn the_final_size_is_known_where_it_is_one() {
        let check = |sizes, [last, steps, count, gained, least, most]: [u64; 6], expected| {
            let growth = Growth { sizes, last, steps, count, gained, least, most };
            assert_eq!(final_size(&growth), expected, "{growth:?}");
        };
        check([8, 16, 32, 0], [32, 2, 2, 24, 8, 32], Some(32));
        check([8, 16, 32, 0], [32, 2, 6, 72, 8, 32], Some(32)); // three alike
        check([8, 16, 0, 0], [16, 1, 6, 504, 8, 512], Some(512)); // in turn at several stacks
        check([8, 16, 32, 0], [32, 2, 3, 32, 8, 32], None); // one to 32, another one to 16
        check([8, 16, 0, 0], [16, 1, 3, 32, 8, 32], None);
        check([0; 4], [0, 0, 0, 0, u64::MAX, 0], None);
    }

    #[test]
    fn all_that_is_known_is_in_it() {
        let program = Program {
            places: "1 t::main @ /p/src/main.rs:1\n2 t::deep @ /p/src/main.rs:2:5\n3 ?libx.so+16",
            location: "src/main.rs",
            stacks: &[(&[2, 3], counts(1, 2, 1_000))],
            stop: Stop::TooDeep,
            unattributed: counts(1, 0, 5),
            ..Program::NONE
        };
        let expected = format!(
            "4 allocations, 1,005 bytes at 1 site\n\n\
             3 allocations (2 reallocations), 1,000 bytes\n    \
             libx.so+0x10\n  \
             > t::deep at src/main.rs:2:5\n    \
             .. the stack is not complete: {}\n\n\
             1 allocation, 5 bytes at no site: there was no room for more stacks\n",
            Stop::TooDeep.reason()
        );
        assert_eq!(text(&program.data()), expected);
    }

    #[test]
    fn where_there_is_nothing_to_compare_it_still_says_what_there_is() {
        let places = "1 t::main\n2 t::main";
        let stacks = &[(&[2][..], counts(1, 0, 1))];
        let stripped = Program { places, stacks, openings: &[&[1]], ..Program::NONE };
        assert!(
            text(&stripped.data()).contains("\n    t::main\n\nthe code has no debug information")
        );
        let unavailable = Program { unavailable: Some("not here"), ..Program::NONE };
        assert_eq!(text(&unavailable.data()), "0 allocations, 0 bytes at 0 sites\n\nnot here\n");
    }
}
