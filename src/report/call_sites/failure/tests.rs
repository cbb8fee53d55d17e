//! Cold: tests of `failure`.

use super::super::fixture::{tally, Program};
use super::{fit_chain, push_call_sites, CallSites, List, Mode, Order, Subject, DHAT_HINT, WIDTH};
use crate::record::{Growth, Tally};
use crate::walk::Stop;

fn push(text: &mut String, program: &Program<'_>, mode: Mode, order: Order) {
    let (sites, subject) = (CallSites::new(program.data()), Subject::Allocated);
    push_call_sites(text, &[List { sites, subject, order, attribute: None }], mode);
    // With the feature `dhat-compat` it says one thing more.
    *text = text.replace(DHAT_HINT, "");
}

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
    push(&mut text, &program, mode, order);
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
    assert!(text.ends_with("\n\n  allocation 11, the first past the budget: src/parser.rs:14\n"));
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
fn a_function_that_calls_itself_on_one_line_is_one_site() {
    let places = "1 t::main @ /none/tests/header.rs:19\n2 t::main @ /none/tests/header.rs:20\n\
                  3 p::list @ /none/src/list.rs:5\n4 p::list @ /none/src/list.rs:6\n\
                  8 alloc::alloc::alloc @ /rustc/5/library/alloc/src/alloc.rs:5";
    let tallies: &[(&[usize], Tally)] = &[
        (&[2, 3, 8], tally(1, 0, 1)),
        (&[2, 3, 3, 8], tally(1, 0, 1)),
        (&[2, 3, 3, 3, 8], tally(1, 0, 1)),
        (&[2, 4, 3, 3, 8], tally(1, 0, 1)),
    ];
    let text = report(
        Program { places, tallies, first_past: None, ..PARSER },
        Mode::Short,
        Order::Allocations,
    );
    let expected = "\
table

  call sites, most allocations first (4 allocations at 2 sites)
    3 x      3 B  src/list.rs:5  list
                  called from tests/header.rs:20 main
    1 x      1 B  src/list.rs:5  list
                  called from src/list.rs:6 list < tests/header.rs:20 main

  full stacks: MOD_ALLOC_BACKTRACE=full
";
    assert_eq!(text, expected);
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
    let copy = std::env::temp_dir().join(format!("mod-alloc-excerpt-{}.rs", std::process::id()));
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
    let program = Program { places, location: &file, tallies: &[(&[2], tally(1, 0, 8))], ..PARSER };
    let mut text = String::new();
    push(&mut text, &program, Mode::Short, Order::Allocations);
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
    let text = report(Program { lost: tally(5, 0, 8), ..PARSER }, Mode::Short, Order::Allocations);
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
