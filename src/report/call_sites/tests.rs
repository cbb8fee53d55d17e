//! Cold: tests of `call_sites` and `site_list`.

use super::super::layout::{push_notes, CODE_WIDTH};
use super::super::site_list::{caret, chain, window, UNREAD};
use super::{push_lists, List, Mode, Notes, SortBy, Subject, DHAT_HINT};
use crate::call_sites::fixture::{counts, Program};
use crate::call_sites::CallSites;
use crate::counters::ignored;
use crate::stacks::{Growth, SiteCounts};
use crate::styled::Styled;
use crate::walk::Stop;

fn push(text: &mut String, program: &Program<'_>, mode: Mode, order: SortBy) {
    let sites = ignored(|at_work| CallSites::new(at_work, program.data()));
    let subject = Subject::Allocated;
    let list = List { sites, subject, order, attribute: None, is_warm: false, run: None };
    let mut styled = Styled::from(&**text);
    ignored(|at_work| {
        let thread = Some("t::reads");
        let Notes { first, last } = push_lists(at_work, &mut styled, &[list], mode, thread);
        push_notes(&mut styled, [first, last].concat());
    });
    // With the feature `dhat-compat` it says one thing more, and one of sources that are not there,
    // as nearly all here.
    *text = styled.as_str().replace(&format!("  {DHAT_HINT}\n"), "");
    *text =
        text.split_inclusive('\n').filter(|line| !line.ends_with(&format!("{UNREAD}\n"))).collect();
}

const PARSER: Program<'_> = Program {
    places: "
            1 t::parses_header @ /none/tests/header.rs:19:1
            2 t::parses_header @ /none/tests/header.rs:20:1
            3 p::parse @ /none/src/parser.rs:15:1
            4 p::tokens @ /none/src/parser.rs:14:40
            5 p::tokens::{{closure}} @ /none/src/parser.rs:14:27
            6 p::label @ /none/src/fmt.rs:8
            7 alloc::raw_vec::finish_grow @ /rustc/5/library/alloc/src/raw_vec.rs:5
            7 alloc::vec::Vec<T>::push @ /rustc/5/library/alloc/src/vec/mod.rs:5
            8 alloc::vec::Vec<T>::with_capacity @ /rustc/5/library/alloc/src/vec/mod.rs:5
            9 serde_json[1]::de::from_str @ /c/registry/src/i/serde_json-1.0.1/src/de.rs:7
            10 to_vec<u8> @ /c/registry/src/i/x-y-0.1.0/src/lib.rs:7
        ",
    location: "tests/header.rs",
    openings: &[&[1]],
    stacks: &[
        (&[2, 3, 4, 5, 8], counts(9, 0, 9)),
        (&[2, 3, 4, 8], counts(1, 0, 96)),
        (
            &[2, 3, 4, 7],
            SiteCounts {
                growth: Growth {
                    sizes: [96, 192, 384, 0],
                    last: 384,
                    steps: 2,
                    count: 2,
                    gained: 288,
                    least: 96,
                    most: 384,
                },
                ..counts(0, 2, 576)
            },
        ),
        (&[2, 6, 8], counts(2, 0, 223)),
    ],
    first_overrun: Some((11, Some(&[2, 3, 4, 7]))),
    ..Program::NONE
};

fn report(program: Program<'_>, mode: Mode, order: SortBy) -> String {
    let mut text = String::from("table\n");
    push(&mut text, &program, mode, order);
    assert!(text.lines().all(|line| line.chars().count() <= CODE_WIDTH), "{text}");
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    text
}

#[test]
fn it_names_the_users_lines() {
    let expected = "\
table

  call sites, most allocations first (14 allocations at 3 sites)
    9 x      9 B  src/parser.rs:14:27  tokens::{closure}
                  called from src/parser.rs:15 parse < tests/header.rs:20 parses_header
    3 x    672 B  src/parser.rs:14:40  tokens
                  1 allocation, 2 reallocations, same caller
                  grew 96 > 192 > 384: reserve 384 bytes up front
    2 x    223 B  src/fmt.rs:8         label
                  called from tests/header.rs:20 parses_header

  allocation 11, the first past the budget: src/parser.rs:14:40
  full stacks: MOD_ALLOC_BACKTRACE=full
";
    assert_eq!(report(PARSER, Mode::Short, SortBy::Allocations), expected);
}

#[test]
fn with_a_limit_on_bytes_the_most_bytes_come_first() {
    let text = report(PARSER, Mode::Short, SortBy::Bytes);
    let lines: Vec<_> = text.lines().skip(2).collect();
    assert_eq!(lines[0], "  call sites, most bytes first (904 bytes at 3 sites)");
    assert!(lines[1].starts_with("    3 x    672 B"), "{text}");
}

#[test]
fn the_full_list_has_every_frame() {
    let text = report(PARSER, Mode::Full, SortBy::Allocations);
    let start = "\
table

  call sites, most allocations first (14 allocations at 4 sites)

    9 allocations, 9 bytes
        alloc::vec::Vec<T>::with_capacity at /rustc/5/library/alloc/src/vec/mod.rs:5
      > p::tokens::{closure} at src/parser.rs:14:27
      > p::tokens at src/parser.rs:14:40
      > p::parse at src/parser.rs:15:1
      > t::parses_header at tests/header.rs:20:1

    2 allocations (2 reallocations), 576 bytes, grew 96 > 192 > 384
        alloc::raw_vec::finish_grow at /rustc/5/library/alloc/src/raw_vec.rs:5
";
    assert!(text.starts_with(start), "{text}");
    let end = "\n\n  allocation 11, the first past the budget: src/parser.rs:14:40\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn a_dependency_is_named_behind_the_users_line() {
    let check = |stack: &[usize], expected: &str| {
        let stacks = &[(stack, counts(1, 0, 8))];
        let text = report(Program { stacks, ..PARSER }, Mode::Short, SortBy::Allocations);
        assert_eq!(text.lines().nth(3), Some(expected));
    };
    check(&[2, 6, 9, 7], "    1 x      8 B  src/fmt.rs:8  label, in serde_json::from_str");
    check(&[2, 6, 8, 9, 10, 7], "    1 x      8 B  src/fmt.rs:8  label, in serde_json::from_str");
    check(&[2, 6, 10, 9, 7], "    1 x      8 B  src/fmt.rs:8  label, in x_y::to_vec");
    check(&[9, 6, 7], "    1 x      8 B  src/fmt.rs:8  label");
}

#[test]
fn functions_have_their_types_and_packages() {
    let check = |frames: &str, expected: &str| {
        let places =
            &format!("1 t::main @ /none/t.rs:1\n{}", frames.replace("HOME", "/c/registry/src/i"));
        let stack: Vec<usize> = (2..2 + frames.lines().count()).collect();
        let stacks: &[(&[usize], SiteCounts)] = &[(&stack, counts(1, 0, 8))];
        let program =
            Program { places, location: "t.rs", openings: &[&[1]], stacks, ..Program::NONE };
        let text = report(program, Mode::Short, SortBy::Allocations);
        let line = text.lines().nth(3).expect("a site");
        assert_eq!(line.strip_prefix("    1 x      8 B  t.rs:2  "), Some(expected), "{text}");
    };
    check("2 <t::M as core::clone::Clone>::clone @ /none/t.rs:2", "M::clone");
    check("2 t::M<T>::get::{{closure}} @ /none/t.rs:2", "M::get::{closure}");
    check("2 t::TEXT::__init @ /none/t.rs:2", "thread_local!");
    check("2 new<t::M> @ /none/t.rs:2", "new");
    let user = "2 t::f @ /none/t.rs:2";
    let of_package = "3 <x_y::Text as core::fmt::Display>::fmt @ HOME/x-y-0.1.0/src/lib.rs:7";
    check(&format!("{user}\n{of_package}"), "f, in x_y::Text::fmt");
    let of_folder = "3 shop_core::words @ /c/git/checkouts/shop-0a1b2c3d/36adb5e/core/src/lib.rs:7";
    check(&format!("{user}\n{of_folder}"), "f, in shop_core::words");
    let inlined = "3 words @ /c/git/checkouts/words-list-0a1b2c3d/36adb5e/src/lib.rs:7";
    check(&format!("{user}\n{inlined}"), "f, in words_list::words");
    let of_std = "3 std::collections::hash::map::HashMap<K,V,S,A>::insert @ \
                  /rustc/5/library/std/src/collections/hash/map.rs:3\n\
                  4 hashbrown::raw::alloc::inner::do_alloc @ \
                  /rust/deps/hashbrown-0.16.1/src/raw/alloc.rs:19";
    check(&format!("{user}\n{of_std}"), "f, in HashMap::insert");
    let inlined = of_std.replace("std::collections::hash::map::HashMap<K,V,S,A>::", "");
    check(&format!("{user}\n{inlined}"), "f, in HashMap::insert");
}

#[test]
fn recursion_shows_once() {
    let check = |places: &str, stacks: &[&[usize]], expected: &[&str]| {
        let places =
            &format!("1 t::main @ /none/tests/t.rs:1\n2 t::main @ /none/tests/t.rs:2\n{places}");
        let stacks: Vec<_> = stacks.iter().map(|stack| (*stack, counts(1, 0, 1))).collect();
        let program = Program {
            places,
            location: "tests/t.rs",
            openings: &[&[1]],
            stacks: &stacks,
            ..Program::NONE
        };
        let text = report(program, Mode::Short, SortBy::Allocations);
        let lines: Vec<&str> = text.lines().skip(3).map(str::trim_start).collect();
        assert_eq!(&lines[..lines.len() - 2], expected, "{text}");
    };
    let caller = "called from tests/t.rs:2 main";
    check(
        "3 p::list @ /none/src/p.rs:5\n4 p::list @ /none/src/p.rs:6",
        &[&[2, 3], &[2, 3, 3], &[2, 3, 3, 3], &[2, 4, 3, 3]],
        &["4 x      4 B  src/p.rs:5  list", caller],
    );
    check(
        "3 p::expr @ /none/src/p.rs:6\n4 p::factor @ /none/src/p.rs:11\n\
         5 p::expr @ /none/src/p.rs:8",
        &[&[2, 5], &[2, 3, 4, 5], &[2, 3, 4, 3, 4, 5]],
        &["3 x      3 B  src/p.rs:8  expr", caller],
    );
    check(
        "3 p::walk @ /none/src/p.rs:7\n4 p::walk::{{closure}} @ /none/src/p.rs:6\n\
         5 p::walk @ /none/src/p.rs:8",
        &[&[2, 5], &[2, 3, 4, 5], &[2, 3, 4, 3, 4, 5]],
        &["3 x      3 B  src/p.rs:8  walk", caller],
    );
    check(
        "3 p::f @ /none/src/p.rs:3\n4 p::f::{{closure}} @ /none/src/p.rs:4\n\
         5 p::g @ /none/src/p.rs:5\n6 p::f::{{closure}} @ /none/src/p.rs:6",
        &[&[2, 3, 4, 5, 6]],
        &[
            "1 x      1 B  src/p.rs:6  f::{closure}",
            "called from src/p.rs:5 g < src/p.rs:4 f::{closure} < .. < tests/t.rs:2 main",
        ],
    );
}

/// Their lines may be those of the macro.
#[test]
fn a_function_that_a_dependencys_macro_made_is_the_users() {
    let places = "
        1 t::main @ /none/t.rs:1
        2 t::main @ /none/t.rs:2
        3 t::holds @ /c/registry/src/i/proptest-1.0.0/src/sugar.rs:163
        4 proptest::run @ /c/registry/src/i/proptest-1.0.0/src/runner.rs:7
    ";
    let check = |stack: &[usize], expected: &str| {
        let stacks = &[(stack, counts(1, 0, 8))];
        let program =
            Program { places, location: "t.rs", openings: &[&[1]], stacks, ..Program::NONE };
        let text = report(program, Mode::Short, SortBy::Allocations);
        assert_eq!(text.lines().nth(3), Some(expected), "{text}");
    };
    check(&[3, 4], "    1 x      8 B  proptest-1.0.0/src/sugar.rs:163  holds");
    check(&[2, 3], "    1 x      8 B  t.rs:2  main");
    check(&[2, 3, 4], "    1 x      8 B  t.rs:2  main, in proptest::run");
}

#[test]
fn where_the_user_has_no_part_the_innermost_known_frame_leads() {
    let check = |stack: &[usize], expected: &str| {
        let stacks = &[(stack, counts(1, 0, 8))];
        let text = report(Program { stacks, ..PARSER }, Mode::Short, SortBy::Allocations);
        assert_eq!(text.lines().nth(3), Some(expected));
    };
    check(&[9, 7], "    1 x      8 B  serde_json-1.0.1/src/de.rs:7  from_str");
    check(&[7, 8], "    1 x      8 B  alloc/src/vec/mod.rs:5  Vec::with_capacity");
    check(&[77], "    1 x      8 B  0x4d");
}

#[test]
fn three_places_of_one_line_are_three_sites() {
    let copy = std::env::temp_dir().join(format!("mod-alloc-excerpt-{}.rs", std::process::id()));
    let source = "fn main() {\n\tlet x = (a.clone(), b.clone(), vec![1]);   \n}\n";
    std::fs::write(&copy, source).expect("a folder to write to");
    let text = |path: &std::path::Path| path.to_string_lossy().replace('\\', "/");
    let (folder, copy) = (text(copy.parent().expect("it has one")), text(&copy));
    let places = &format!(
        "1 main @ {folder}/main.rs:1\n2 main @ {copy}:2:13\n3 main @ {copy}:2:24\n\
         4 main @ {copy}:2:33\n5 main @ {copy}:2\n6 main @ {copy}:2:99"
    );
    let stacks: Vec<_> = (2..=6).map(|address| [address]).collect();
    let stacks: Vec<_> = stacks.iter().map(|stack| (&stack[..], counts(1, 0, 4))).collect();
    let program = Program { places, location: "main.rs", stacks: &stacks, ..PARSER };
    let text = report(program, Mode::Short, SortBy::Allocations);
    std::fs::remove_file(&copy).expect("it was there");
    let name = copy.rsplit('/').next().expect("a name").to_owned();
    let lines = text.lines().skip(2).take(14).map(|line| line.replace(&name, "x.rs") + "\n");
    let expected = "  call sites, most allocations first (5 allocations at 5 sites)
    1 x      4 B  x.rs:2  main
                  2 | let x = (a.clone(), b.clone(), vec![1]);
    1 x      4 B  x.rs:2:13  main
                  2 | let x = (a.clone(), b.clone(), vec![1]);
                    |            ^
    1 x      4 B  x.rs:2:24  main
                  2 | let x = (a.clone(), b.clone(), vec![1]);
                    |                       ^
    1 x      4 B  x.rs:2:33  main
                  2 | let x = (a.clone(), b.clone(), vec![1]);
                    |                                ^
    1 x      4 B  x.rs:2:99  main
                  2 | let x = (a.clone(), b.clone(), vec![1]);
";
    let squeezed = |line: String| match line.split_once("  main") {
        Some((place, _)) => format!("{}  main\n", place.trim_end()),
        None => line,
    };
    assert_eq!(lines.map(squeezed).collect::<String>(), expected);
}

#[test]
fn a_caret_stands_below_its_place_or_nowhere() {
    let check = |code: &str, shown: &str, at: usize, expected: Option<&str>| {
        assert_eq!(caret(code, shown, at).as_deref(), expected, "{code:?} {at}");
    };
    let code = "a.clone()";
    check(code, code, 0, Some("^"));
    check(code, code, 2, Some("  ^"));
    check(code, code, 8, Some("        ^"));
    check(code, code, 9, None);
    check(code, code, usize::MAX, None);
    check(code, "a.clon..", 5, Some("     ^"));
    check(code, "a.clon..", 6, None);
    check("a b", "a b", 1, None);
    check("a\tb()", "a\tb()", 2, Some(" \t^"));
    let latin = "(\"é\", b)";
    check(latin, latin, 7, Some("      ^"));
    check(latin, latin, 3, None);
    let wide = "(\"日\", b)";
    check(wide, wide, 8, None);
}

#[test]
fn a_long_line_is_shown_around_its_place() {
    let code = "0123456789abcdefghijklmnopqrstuvwxyz";
    let check = |at, start, shown: &str| {
        assert_eq!(window(code, at, 20), (start, shown.to_owned()), "{at:?}");
        assert_eq!(shown.chars().count(), 20);
    };
    let head = "0123456789abcdefgh..";
    check(None, 0, head);
    check(Some(0), 0, head);
    check(Some(17), 0, head);
    check(Some(18), 8, "..89abcdefghijklmn..");
    check(Some(27), 17, "..hijklmnopqrstuvw..");
    check(Some(28), 18, "..ijklmnopqrstuvwxyz");
    check(Some(35), 18, "..ijklmnopqrstuvwxyz");
    assert_eq!(window("short", Some(4), 20), (0, "short".to_owned()));
    assert_eq!(window(code, Some(30), 8), (0, "012345..".to_owned()));
    let latin = "é".repeat(30);
    assert_eq!(window(&latin, Some(50), 20), (24, format!("..{}", "é".repeat(18))));
}

/// They would be as many as there are ways through the calls.
#[test]
fn columns_of_calls_make_no_sites() {
    let places = "
        1 t::main @ /none/t.rs:1
        2 t::main @ /none/t.rs:2:9
        3 t::fib @ /none/t.rs:3:20
        4 t::fib @ /none/t.rs:3:31
        5 t::fib @ /none/t.rs:3:5
        6 t::fib @ /none/t.rs:3:12
    ";
    let one = counts(1, 0, 8);
    let stacks: &[(&[usize], _)] =
        &[(&[2, 3, 4, 5], one), (&[2, 4, 3, 5], one), (&[2, 4, 4, 5], one), (&[2, 4, 3, 6], one)];
    let program = Program { places, location: "t.rs", openings: &[&[1]], stacks, ..Program::NONE };
    assert_eq!(program.data().listed().len(), 2);
    let text = report(program, Mode::Short, SortBy::Allocations);
    let rows = text.lines().filter(|line| line.contains(" x "));
    let rows: Vec<&str> = rows.map(|row| row.trim_end_matches("same caller").trim_end()).collect();
    assert_eq!(rows, ["    3 x     24 B  t.rs:3:5   fib", "    1 x      8 B  t.rs:3:12  fib"]);
}

#[test]
fn a_source_that_is_not_there_is_named_once() {
    let check = |program: &Program<'_>, expected: &[&str]| {
        let sites = ignored(|at_work| CallSites::new(at_work, program.data()));
        let subject = Subject::Allocated;
        let list = List {
            sites,
            subject,
            order: SortBy::Allocations,
            attribute: None,
            is_warm: false,
            run: None,
        };
        let mut text = Styled::default();
        ignored(|at_work| push_lists(at_work, &mut text, &[list], Mode::Short, None));
        let text = text.as_str();
        let lines: Vec<_> = text.lines().filter(|line| line.ends_with(UNREAD)).collect();
        assert_eq!(lines, expected, "{text}");
    };
    check(&PARSER, &[&format!("    src/parser.rs {UNREAD}")]);
    check(&Program { stacks: &[(&[9], counts(1, 0, 8))], ..PARSER }, &[]);
}

#[test]
fn a_long_list_ends_with_what_is_left() {
    let places: String = (1..=20)
        .map(|i| format!("{i} p::function_{i} @ /none/src/{}.rs:{i}\n", "x".repeat(i)))
        .collect();
    let stacks: Vec<([usize; 3], SiteCounts)> =
        (1..=20).map(|i| ([20, 19, i], counts(1_000 * i as u64, 1, 10_000))).collect();
    let stacks: Vec<(&[usize], SiteCounts)> = stacks.iter().map(|(s, t)| (&s[..], *t)).collect();
    let program =
        Program { places: &places, location: "src/x.rs", openings: &[], stacks: &stacks, ..PARSER };
    let text = report(program, Mode::Short, SortBy::Allocations);
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
    let program = Program { places, location: &file, stacks: &[(&[2], counts(1, 0, 8))], ..PARSER };
    let mut text = String::new();
    push(&mut text, &program, Mode::Short, SortBy::Allocations);
    assert!(text.contains(&format!("\n    1 x      8 B  {file}:2  f\n")), "{text}");
}

#[test]
fn a_long_function_is_not_cut_but_one_of_more_than_a_line() {
    let check = |length: usize, expected: &str| {
        let function = "x".repeat(length);
        let places = &format!(
            "1 p::{function} @ /p/src/p.rs:1
             2 serde_json[1]::de::from_str @ /c/registry/src/i/serde_json-1.0.1/src/de.rs:7
             3 alloc::alloc @ /rustc/5/library/alloc/src/alloc.rs:1"
        );
        let stacks = &[(&[1, 2, 3][..], counts(1, 0, 8))];
        let program = Program { places, location: "src/p.rs", openings: &[], stacks, ..PARSER };
        let mut text = String::new();
        push(&mut text, &program, Mode::Short, SortBy::Allocations);
        assert!(text.contains(expected), "{text}");
    };
    check(75, &format!("  {}, in serde_json::from_str\n", "x".repeat(75)));
    check(120, &format!("  {}..{}, in serde_json::from_str\n", "x".repeat(49), "x".repeat(24)));
}

#[test]
fn a_chain_is_cut_in_its_middle_between_its_links() {
    let links = ["aaaa", "bbbb", "cccc", "dddd"].map(str::to_owned);
    let check = |width, expected: &[&str]| assert_eq!(chain("from ", &links, width), expected);
    check(30, &["from aaaa < bbbb < cccc < dddd"]);
    check(29, &["from aaaa < bbbb < .. < dddd"]);
    check(28, &["from aaaa < bbbb < .. < dddd"]);
    check(27, &["from aaaa < .. < dddd"]);
    check(21, &["from aaaa < .. < dddd"]);
    check(20, &["from aaaa < .. <", "     dddd"]);
    check(8, &["from a..", "     d.."]);
    assert_eq!(chain("from ", &links[..2], 15), ["from aaaa <", "     bbbb"]);
    assert_eq!(chain("from ", &links[..1], 8), ["from a.."]);
    let long = [format!("a.rs:1 {}_end", "x".repeat(50)), "b.rs:2 test".to_owned()];
    let cut = ["from a.rs:1 xxxxxxxxxx..xxxxxxxxxxxx_end"];
    assert_eq!(chain("from ", &long[..1], 40), cut);
    let cut = ["from a.rs:1 xxxxxx..xxxxxxxxx_end <", "     b.rs:2 test"];
    assert_eq!(chain("from ", &long, 40), cut);
}

#[test]
fn each_site_has_its_caller_or_says_that_it_is_the_same() {
    let places = "
        1 t::test @ /none/tests/t.rs:1
        2 t::test @ /none/tests/t.rs:2
        3 t::test @ /none/tests/t.rs:3
        4 p::f @ /none/src/p.rs:4
        5 p::f @ /none/src/p.rs:5
        6 p::f @ /none/src/p.rs:6
    ";
    let grown = |allocs| SiteCounts {
        growth: Growth { sizes: [8, 16, 0, 0], last: 16, steps: 1, ..Growth::NONE },
        ..counts(allocs, 1, 24)
    };
    let stacks: &[(&[usize], SiteCounts)] = &[
        (&[2, 4], grown(9)),
        (&[2, 5], grown(8)),
        (&[3, 5], grown(7)),
        (&[3, 6], grown(6)),
        (&[2, 6], grown(5)),
        (&[3], grown(4)),
    ];
    let program =
        Program { places, location: "tests/t.rs", openings: &[&[1]], stacks, ..Program::NONE };
    let text = report(program, Mode::Short, SortBy::Allocations);
    let of_callers: Vec<&str> = text
        .lines()
        .filter_map(|line| match line.split_once(" x ") {
            Some(_) if line.ends_with("same caller") => Some("the same"),
            Some(_) => None,
            None => Some(line.trim_start()).filter(|line| line.starts_with("called from")),
        })
        .collect();
    let [from_2, from_3] = [2, 3].map(|line| format!("called from tests/t.rs:{line} test"));
    assert_eq!(of_callers, [&*from_2, "the same", &*from_3, "the same", &*from_2], "{text}");
}

#[test]
fn where_nothing_is_attributed_one_line_says_why() {
    let check = |program: Program<'_>, expected: &str| {
        let text = report(program, Mode::Short, SortBy::Allocations);
        assert_eq!(text.replace("\n      ", " "), format!("table{expected}"));
    };
    check(Program::NONE, "\n");
    let unavailable = Some("not here");
    let unattributed = counts(1, 0, 8);
    check(
        Program { unavailable, unattributed, ..Program::NONE },
        "\n\n  no call sites: not here\n",
    );
    let none = "\n\n  no call sites: 1 allocation, 8 bytes at no site";
    check(
        Program { unattributed, ..Program::NONE },
        &format!("{none}: there was no room for more stacks\n"),
    );
    let reason = Stop::TooDeep.reason();
    check(
        Program { stacks: &[(&[], unattributed)], stop: Stop::TooDeep, ..Program::NONE },
        &format!("{none}: a stack could not be walked: {reason}\n"),
    );
    let places = "1 t::main\n2 t::main";
    let program =
        Program { places, openings: &[&[1]], stacks: &[(&[2], unattributed)], ..Program::NONE };
    let text = report(program, Mode::Short, SortBy::Allocations);
    let start = "table\n\n  no call sites: the code has no debug information; set\n      \
                 `debug = \"line-tables-only\"` under";
    assert!(text.starts_with(start), "{text}");
    assert!(
        text.ends_with("`strip`\n\n  names of functions: MOD_ALLOC_BACKTRACE=full\n"),
        "{text}"
    );
}

#[test]
fn what_has_no_site_is_said_below_the_others() {
    let text = report(
        Program { unattributed: counts(5, 0, 8), ..PARSER },
        Mode::Short,
        SortBy::Allocations,
    );
    assert!(
        text.contains(
            "\n    and 5 allocations, 8 bytes at no site: there was no room for more stacks\n"
        ),
        "{text}"
    );
    let first_overrun = Some((1_000, None));
    let text = report(Program { first_overrun, ..PARSER }, Mode::Short, SortBy::Allocations);
    assert!(text.contains("allocation 1,000, the first past the budget: at no known site\n"));
}
