//! Cold: the call sites in the report of a broken budget, below its table.
//!
//! ```text
//!   call sites, most allocations first (14 allocations at 3 sites)
//!     9 x      9 B  src/parser.rs:14  tokens::{closure}
//!                   14 | s.split(' ').map(|t| t.to_string()).collect()
//!                   called from src/parser.rs:15 parse < tests/header.rs:20 parses_header
//!     3 x    672 B  src/parser.rs:14  tokens                           1 allocation, 2 reallocations
//!                   grew 96 > 192 > 384: reserve the capacity up front
//!     2 x    223 B  src/fmt.rs:8      label
//!
//!   allocation 11, the first past the budget: src/parser.rs:14
//!   full stacks: MOD_ALLOC_BACKTRACE=full
//! ```
//!
//! The user's innermost line leads, whatever it called: growth of a `Vec` is no place of the user's. Stacks with the same lines of the
//! user's are one site here.

use std::iter;

use super::detailed::{growth, push_stacks, shortcomings};
use super::place::{calls, dependency, function, place};
use super::rows::{rows, Row};
use super::sites::{CallSites, Data};
use super::source::Sources;
use super::Order;
use crate::report::number::{counted, grouped};

const WIDTH: usize = 100;

/// So many sites are listed, and so many further lines about them, the first sites first: with the table, a report has some 25 lines.
const MAX_SITES: usize = 6;
const MAX_DETAILS: usize = 7;

/// Files are at most so wide in the list. A longer one shifts its own line, and is not cut: editors find their way by it.
const MAX_PLACE_WIDTH: usize = 40;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Short,
    /// Every stack, with all of its frames.
    Full,
}

/// Nothing at all where nothing was allocated. To be called inside `count::ignored`.
pub(crate) fn push_call_sites(text: &mut String, sites: &CallSites, mode: Mode, order: Order) {
    push(text, sites.data(), mode, order);
}

fn push(text: &mut String, data: &Data, mode: Mode, order: Order) {
    let shortcomings = shortcomings(data);
    let is_listed = !data.sites.is_empty() && (data.has_debug_info || mode == Mode::Full);
    if !is_listed && shortcomings.is_empty() {
        return;
    }
    text.push_str(if text.is_empty() || text.ends_with('\n') { "\n" } else { "\n\n" });
    if is_listed {
        match mode {
            Mode::Short => push_rows(text, data, order),
            Mode::Full => {
                push_heading(text, data, data.sites.len(), order);
                push_stacks(text, data, order, "    ");
            }
        }
    }
    for line in shortcomings {
        let (indent, start) = if is_listed { (4, "and") } else { (2, "no call sites:") };
        push_sentence(text, indent, &format!("{start} {line}"));
    }
    let mut notes = Vec::new();
    if let Some((event, frame)) = data.first_past.as_ref().filter(|_| is_listed) {
        let place = frame.as_ref().map_or_else(|| "at no known site".to_owned(), place);
        notes.push(format!("  allocation {}, the first past the budget: {place}", grouped(*event)));
    }
    if is_listed && mode == Mode::Short {
        notes.push("  full stacks: MOD_ALLOC_BACKTRACE=full".to_owned());
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        push_line(text, &note);
    }
}

fn push_heading(text: &mut String, data: &Data, count: usize, order: Order) {
    let sum = |number: fn(&super::sites::Numbers) -> u64| {
        data.sites.iter().fold(0_u64, |sum, site| sum.wrapping_add(number(&site.numbers)))
    };
    let (first, total) = match order {
        Order::Allocations => ("allocations", counted(sum(|numbers| numbers.events), "allocation")),
        Order::Bytes => ("bytes", counted(sum(|numbers| numbers.bytes), "byte")),
    };
    let sites = counted(u64::try_from(count).unwrap_or(u64::MAX), "site");
    push_line(text, &format!("  call sites, most {first} first ({total} at {sites})"));
}

fn push_rows(text: &mut String, data: &Data, order: Order) {
    let rows = rows(data, order);
    push_heading(text, data, rows.len(), order);
    let (shown, others) = rows.split_at(MAX_SITES.min(rows.len()));
    let widest = |width: fn(&Row<'_>) -> usize| shown.iter().map(width).max().unwrap_or(0);
    let count_width = widest(|row| grouped(row.numbers.events).len());
    let bytes_width = widest(|row| grouped(row.numbers.bytes).len()).max(6);
    let place_width = widest(|row| {
        Some(place(row.leading).chars().count()).filter(|w| *w <= MAX_PLACE_WIDTH).unwrap_or(0)
    });
    let indent = 4 + count_width + 3 + bytes_width + 4;

    let mut details_left = MAX_DETAILS;
    let mut sources = Sources::default();
    let mut previous: Option<&Row<'_>> = None;
    for row in shown {
        let head = format!(
            "    {:>count_width$} x {:>bytes_width$} B  {:place_width$}  {}",
            grouped(row.numbers.events),
            grouped(row.numbers.bytes),
            place(row.leading),
            named(row),
        );
        let mut details = details(row, previous, WIDTH - indent, &mut sources);
        match reallocations(row) {
            Some(note) if head.chars().count() + 2 + note.len() <= WIDTH => {
                let gap = WIDTH - head.chars().count() - note.len();
                push_line(text, &format!("{head}{:gap$}{note}", ""));
            }
            note => {
                push_line(text, &head);
                details.splice(0..0, note);
            }
        }
        details.truncate(details_left);
        details_left -= details.len();
        for detail in &details {
            push_line(text, &format!("{:indent$}{detail}", ""));
        }
        previous = Some(row);
    }
    if !others.is_empty() {
        let left = others.iter().fold((0_u64, 0_u64), |(events, bytes), row| {
            (events.wrapping_add(row.numbers.events), bytes.wrapping_add(row.numbers.bytes))
        });
        push_line(
            text,
            &format!(
                "    and {} with {}, {}",
                counted(u64::try_from(others.len()).unwrap_or(u64::MAX), "more site"),
                counted(left.0, "allocation"),
                counted(left.1, "byte"),
            ),
        );
    }
}

/// The function, and the one of a dependency that it called.
fn named(row: &Row<'_>) -> String {
    let function = function(row.leading);
    match row.dependency {
        Some(frame) => format!("{function}, in {}", dependency(frame)),
        None => function,
    }
}

/// `1 allocation, 2 reallocations`; nothing where there are no reallocations.
fn reallocations(row: &Row<'_>) -> Option<String> {
    let reallocs = row.numbers.reallocs;
    let fresh = row.numbers.events.wrapping_sub(reallocs);
    match (fresh, reallocs) {
        (_, 0) => None,
        (0, _) => Some(counted(reallocs, "reallocation")),
        _ => {
            Some(format!("{}, {}", counted(fresh, "allocation"), counted(reallocs, "reallocation")))
        }
    }
}

/// What else there is to say of a site, except what the one before it has just said.
fn details(
    row: &Row<'_>,
    previous: Option<&Row<'_>>,
    width: usize,
    sources: &mut Sources,
) -> Vec<String> {
    let mut details = Vec::new();
    let line = |row: &Row<'_>| (place(row.leading), row.leading.is_user());
    if previous.map(line) != Some(line(row)) && row.leading.is_user() {
        if let (Some(path), Some(number)) = (&row.leading.parts.path, row.leading.line()) {
            let code = sources.line(path, number);
            details.extend(code.map(|code| fit(&format!("{number} | {code}"), width)));
        }
    }
    let callers = |row: &Row<'_>| calls(row.leading, &row.callers);
    let called_from = callers(row);
    if !called_from.is_empty() && previous.map(callers).as_ref() != Some(&called_from) {
        details.push(fit_chain("called from ", &called_from, width));
    }
    if let Some(sizes) = growth(&row.growth) {
        // Only the user's own code can reserve.
        let advice = if row.dependency.is_none() { ": reserve the capacity up front" } else { "" };
        details.push(fit(&format!("grew {sizes}{advice}"), width));
    }
    details
}

/// As many links as fit.
fn fit_chain(start: &str, links: &[String], width: usize) -> String {
    let mut text = start.to_owned();
    for (index, link) in links.iter().enumerate() {
        let before = if index == 0 { "" } else { " < " };
        let after = if index + 1 < links.len() { " < ..".len() } else { 0 };
        let length = text.chars().count() + before.len() + link.chars().count() + after;
        if length > width && index > 0 {
            text.push_str(" < ..");
            break;
        }
        text.push_str(before);
        text.push_str(link);
    }
    fit(&text, width)
}

fn fit(text: &str, width: usize) -> String {
    match text.chars().count() {
        count if count <= width => text.to_owned(),
        _ => text.chars().take(width.saturating_sub(2)).chain("..".chars()).collect(),
    }
}

/// As many lines as it takes, all but the first further to the right.
fn push_sentence(text: &mut String, indent: usize, sentence: &str) {
    let mut line = " ".repeat(indent.saturating_sub(1));
    for word in sentence.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push_line(text, &line);
            line = " ".repeat(indent + 3);
        }
        line.push(' ');
        line.push_str(word);
    }
    push_line(text, &line);
}

/// A line, without space at its end.
fn push_line(text: &mut String, line: &str) {
    text.extend(line.trim_end().chars().chain(iter::once('\n')));
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{tally, Program};
    use super::{fit_chain, push, Mode, Order, WIDTH};
    use crate::record::{Growth, Tally};
    use crate::walk::Stop;

    const PARSER: Program<'_> = Program {
        places: "
            1 t::parses_header @ /none/tests/header.rs:19:1
            2 t::parses_header @ /none/tests/header.rs:20:1
            3 p::parse @ /none/src/parser.rs:15:1
            4 p::tokens @ /none/src/parser.rs:14:1
            5 p::tokens::{{closure}} @ /none/src/parser.rs:14:9
            6 p::label @ /none/src/fmt.rs:8:1
            7 alloc::raw_vec::finish_grow @ /rustc/5/library/alloc/src/raw_vec.rs:5
            8 alloc::vec::Vec<T>::with_capacity @ /rustc/5/library/alloc/src/vec/mod.rs:5
            9 serde_json[1]::de::from_str @ /c/registry/src/i/serde_json-1.0.1/src/de.rs:7
            10 to_vec<u8> @ /c/registry/src/i/x-y-0.1.0/src/lib.rs:7
        ",
        location: "tests/header.rs",
        openings: &[&[1]],
        tallies: &[
            (&[2, 3, 4, 5, 8], tally(9, 0, 9)),
            (&[2, 3, 4, 8], tally(1, 0, 96)),
            (
                &[2, 3, 4, 7],
                Tally {
                    growth: Growth { sizes: [96, 192, 384, 0], last: 384, steps: 2 },
                    ..tally(0, 2, 576)
                },
            ),
            (&[2, 6, 8], tally(2, 0, 223)),
        ],
        first_past: Some((11, Some(&[2, 3, 4, 7]))),
        ..Program::NONE
    };

    fn report(program: Program<'_>, mode: Mode, order: Order) -> String {
        let mut text = String::from("table\n");
        push(&mut text, &program.data(), mode, order);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
        text
    }

    #[test]
    fn it_names_the_users_lines() {
        let expected = "\
table

  call sites, most allocations first (14 allocations at 3 sites)
    9 x      9 B  src/parser.rs:14  tokens::{closure}
                  called from src/parser.rs:15 parse < tests/header.rs:20 parses_header
    3 x    672 B  src/parser.rs:14  tokens                             1 allocation, 2 reallocations
                  grew 96 > 192 > 384: reserve the capacity up front
    2 x    223 B  src/fmt.rs:8      label
                  called from tests/header.rs:20 parses_header

  allocation 11, the first past the budget: src/parser.rs:14
  full stacks: MOD_ALLOC_BACKTRACE=full
";
        assert_eq!(report(PARSER, Mode::Short, Order::Allocations), expected);
    }

    #[test]
    fn with_a_limit_on_bytes_the_most_bytes_come_first() {
        let text = report(PARSER, Mode::Short, Order::Bytes);
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines[0], "  call sites, most bytes first (904 bytes at 3 sites)");
        assert!(lines[1].starts_with("    3 x    672 B"), "{text}");
    }

    #[test]
    fn the_full_list_has_every_frame() {
        let text = report(PARSER, Mode::Full, Order::Allocations);
        let start = "\
table

  call sites, most allocations first (14 allocations at 4 sites)

    9 allocations, 9 bytes
        alloc::vec::Vec<T>::with_capacity at /rustc/5/library/alloc/src/vec/mod.rs:5
      > p::tokens::{closure} at src/parser.rs:14:9
      > p::tokens at src/parser.rs:14:1
      > p::parse at src/parser.rs:15:1
      > t::parses_header at tests/header.rs:20:1

    2 allocations (2 reallocations), 576 bytes, grew 96 > 192 > 384
        alloc::raw_vec::finish_grow at /rustc/5/library/alloc/src/raw_vec.rs:5
";
        assert!(text.starts_with(start), "{text}");
        assert!(
            text.ends_with("\n\n  allocation 11, the first past the budget: src/parser.rs:14\n")
        );
    }

    #[test]
    fn a_dependency_is_named_behind_the_users_line() {
        let check = |stack: &[usize], expected: &str| {
            let tallies = &[(stack, tally(1, 0, 8))];
            let text = report(Program { tallies, ..PARSER }, Mode::Short, Order::Allocations);
            assert_eq!(text.lines().nth(3), Some(expected));
        };
        check(&[2, 6, 9, 7], "    1 x      8 B  src/fmt.rs:8  label, in serde_json::from_str");
        check(&[2, 6, 9, 10, 7], "    1 x      8 B  src/fmt.rs:8  label, in x_y::to_vec");
        check(&[9, 6, 7], "    1 x      8 B  src/fmt.rs:8  label");
    }

    #[test]
    fn where_the_user_has_no_part_the_innermost_known_frame_leads() {
        let check = |stack: &[usize], expected: &str| {
            let tallies = &[(stack, tally(1, 0, 8))];
            let text = report(Program { tallies, ..PARSER }, Mode::Short, Order::Allocations);
            assert_eq!(text.lines().nth(3), Some(expected));
        };
        check(&[9, 7], "    1 x      8 B  serde_json-1.0.1/src/de.rs:7  from_str");
        check(&[7, 8], "    1 x      8 B  alloc/src/vec/mod.rs:5  with_capacity");
        check(&[77], "    1 x      8 B  0x4d");
    }

    #[test]
    fn source_lines_are_shown_where_they_can_be_read() {
        let copy =
            std::env::temp_dir().join(format!("mod-alloc-excerpt-{}.rs", std::process::id()));
        std::fs::write(&copy, "fn main() {\n    let x = vec![1];   \n}\n")
            .expect("a folder to write to");
        let folder = copy.parent().expect("it has one").display();
        let places = &format!("1 main @ {folder}/main.rs:1\n2 main @ {}:2", copy.display());
        let tallies = &[(&[2][..], tally(1, 0, 4))];
        let program = Program { places, location: "main.rs", tallies, ..PARSER };
        let text = report(program, Mode::Short, Order::Allocations);
        std::fs::remove_file(&copy).expect("it was there");
        assert_eq!(text.lines().nth(4), Some("                  2 | let x = vec![1];"));
    }

    #[test]
    fn a_long_list_ends_with_what_is_left() {
        let places: String = (1..=20)
            .map(|i| format!("{i} p::function_{i} @ /none/src/{}.rs:{i}\n", "x".repeat(i)))
            .collect();
        let tallies: Vec<([usize; 3], Tally)> =
            (1..=20).map(|i| ([20, 19, i], tally(1_000 * i as u64, 1, 10_000))).collect();
        let tallies: Vec<(&[usize], Tally)> = tallies.iter().map(|(s, t)| (&s[..], *t)).collect();
        let program = Program {
            places: &places,
            location: "src/x.rs",
            openings: &[],
            tallies: &tallies,
            ..PARSER
        };
        let text = report(program, Mode::Short, Order::Allocations);
        assert!(
            text.contains("\n    and 14 more sites with 105,014 allocations, 140,000 bytes\n"),
            "{text}"
        );
        assert!(text.lines().count() <= 25, "{text}");
    }

    #[test]
    fn a_long_place_is_not_cut() {
        let file = format!("src/{}.rs", "x".repeat(120));
        let places = &format!("1 p::f @ /p/{file}:1\n2 p::f @ /p/{file}:2");
        let program =
            Program { places, location: &file, tallies: &[(&[2], tally(1, 0, 8))], ..PARSER };
        let mut text = String::new();
        push(&mut text, &program.data(), Mode::Short, Order::Allocations);
        assert!(text.contains(&format!("\n    1 x      8 B  {file}:2  f\n")), "{text}");
    }

    #[test]
    fn a_chain_is_cut_between_its_links() {
        let links = ["aaaa".to_owned(), "bbbb".to_owned(), "cccc".to_owned()];
        let check = |width, expected: &str| assert_eq!(fit_chain("from ", &links, width), expected);
        check(23, "from aaaa < bbbb < cccc");
        check(22, "from aaaa < bbbb < ..");
        check(20, "from aaaa < ..");
        check(14, "from aaaa < ..");
        check(8, "from a..");
    }

    #[test]
    fn where_nothing_is_attributed_one_line_says_why() {
        let check = |program: Program<'_>, expected: &str| {
            let text = report(program, Mode::Short, Order::Allocations);
            assert_eq!(text.replace("\n      ", " "), format!("table{expected}"));
        };
        check(Program::NONE, "\n");
        let unavailable = Some("call sites need x86_64 Linux");
        let lost = tally(1, 0, 8);
        check(
            Program { unavailable, lost, ..Program::NONE },
            "\n\n  no call sites: call sites need x86_64 Linux\n",
        );
        check(
            Program { lost, ..Program::NONE },
            "\n\n  no call sites: 1 allocation, 8 bytes at no site: there was no room for more stacks\n",
        );
        check(
            Program { tallies: &[(&[], lost)], stop: Stop::TooDeep, ..Program::NONE },
            &format!(
                "\n\n  no call sites: 1 allocation, 8 bytes at no site: a stack could not be walked: {}\n",
                Stop::TooDeep.reason()
            ),
        );
        let places = "1 t::main\n2 t::main";
        check(
            Program { places, openings: &[&[1]], tallies: &[(&[2], lost)], ..Program::NONE },
            "\n\n  no call sites: the code has no debug information; set `debug = \"line-tables-only\"` in its \
             profile\n",
        );
    }

    #[test]
    fn what_has_no_site_is_said_below_the_others() {
        let text =
            report(Program { lost: tally(5, 0, 8), ..PARSER }, Mode::Short, Order::Allocations);
        assert!(
            text.contains(
                "\n    and 5 allocations, 8 bytes at no site: there was no room for more stacks\n"
            ),
            "{text}"
        );
        let first_past = Some((1_000, None));
        let text = report(Program { first_past, ..PARSER }, Mode::Short, Order::Allocations);
        assert!(text.contains("allocation 1,000, the first past the budget: at no known site\n"));
    }
}
