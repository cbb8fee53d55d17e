//! Cold: tests of `diff`.

use super::{CallSitesDiff, Change};
use crate::call_sites::snapshot::Row;
use crate::counters::ignored;

/// Of lines `count  site`.
fn rows(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let (count, site) = line.trim().split_once("  ").expect("a count and a site");
        (site.to_owned(), count.parse().expect("a count"))
    };
    text.trim().lines().map(row).collect()
}

fn diff(before: &str, after: &str) -> CallSitesDiff {
    ignored(|at_work| CallSitesDiff::new(at_work, &rows(before), &rows(after)))
}

/// The kinds of the changes, with the function and both counts.
fn check(before: &str, after: &str, expected: &[(Change, &str, u64, u64)]) {
    let diff = diff(before, after);
    let changes = diff.changes().iter();
    let changes = changes.map(|c| (c.change(), c.function(), c.count_before(), c.count_after()));
    assert_eq!(changes.collect::<Vec<_>>(), expected, "{diff}");
    assert_eq!(diff.is_empty(), expected.is_empty());
}

#[test]
fn sites_are_new_gone_grown_or_shrunk() {
    check("2  a f < t t", "2  a f < t t", &[]);
    check("", "2  a f < t t", &[(Change::New, "a f", 0, 2)]);
    check("2  a f < t t", "", &[(Change::Gone, "a f", 2, 0)]);
    check("2  a f < t t", "3  a f < t t", &[(Change::Grown, "a f", 2, 3)]);
    check("3  a f < t t", "2  a f < t t", &[(Change::Shrunk, "a f", 3, 2)]);
    let both = &[(Change::Grown, "a f", 1, 4), (Change::Shrunk, "a f", 4, 1)];
    check("1  a f < a g\n4  a f < a h", "4  a f < a g\n1  a f < a h", both);
}

#[test]
fn a_function_with_other_callers_has_moved_if_its_sum_is_the_same() {
    check("2  a f < t t", "2  a f < a g < t t", &[(Change::Moved, "a f", 2, 2)]);
    let split = "2  a f < a g\n3  a f < a h";
    check("5  a f < t t", split, &[(Change::Moved, "a f", 5, 5)]);
    check(split, "5  a f < t t", &[(Change::Moved, "a f", 5, 5)]);
    let more = &[(Change::New, "a f", 0, 6), (Change::Gone, "a f", 5, 0)];
    check("5  a f < t t", "6  a f < a g < t t", more);
    // One that stayed is no part of it.
    check(
        "1  a f < a g\n5  a f < t t",
        "2  a f < a g\n5  a f < a h",
        &[(Change::Grown, "a f", 1, 2), (Change::Moved, "a f", 5, 5)],
    );
}

#[test]
fn a_function_in_another_file_has_moved_if_its_sum_is_the_same() {
    check("2  a.rs f < t t", "2  b.rs f < t t", &[(Change::Moved, "b.rs f", 2, 2)]);
    check("2  my a.rs f", "2  b.rs f < t t", &[(Change::Moved, "b.rs f", 2, 2)]);
    // The same file comes first.
    check(
        "2  a f < t t\n2  b f < t t",
        "2  a f < t u\n3  c f < t t",
        &[(Change::New, "c f", 0, 3), (Change::Gone, "b f", 2, 0), (Change::Moved, "a f", 2, 2)],
    );
    let other = &[(Change::New, "a g", 0, 2), (Change::Gone, "a f", 2, 0)];
    check("2  a f < t t", "2  a g < t t", other);
}

#[test]
fn the_text_has_a_line_for_each_change_and_the_callers_below_it() {
    let before = "
        9  src/parser.rs tokens < src/parser.rs parse < tests/header.rs parses_header
        2  src/fmt.rs label < tests/header.rs parses_header
        1200  src/old.rs trim < tests/header.rs parses_header
        1  tests/header.rs parses_header";
    let after = "
        11  src/parser.rs tokens < src/parser.rs parse < tests/header.rs parses_header
        3  src/fmt.rs pad < src/fmt.rs label < tests/header.rs parses_header
        2  src/fmt.rs label < src/fmt.rs page < tests/header.rs parses_header
        1  tests/header.rs parses_header
        4  (not attributed: no room for more stacks)";
    let expected = "\
21 allocations, 1,212 before
-1,200 at src/old.rs trim: gone
       called from tests/header.rs parses_header
    +4 at (not attributed: no room for more stacks): new
    +3 at src/fmt.rs pad: new
       called from src/fmt.rs label < tests/header.rs parses_header
    +2 at src/parser.rs tokens: 9 -> 11
       called from src/parser.rs parse < tests/header.rs parses_header
     0 at src/fmt.rs label: 2 moved
       called from src/fmt.rs page < tests/header.rs parses_header
       before: src/fmt.rs label < tests/header.rs parses_header
";
    assert_eq!(diff(before, after).to_string(), expected);
    assert_eq!(diff(after, after).to_string(), "21 allocations at the same sites as before\n");
    assert_eq!(diff("", "").to_string(), "0 allocations at the same sites as before\n");
}

#[test]
fn what_moved_tells_its_sites_before_and_after() {
    let diff = diff("5  a f < t t", "2  a f < a g\n3  a f < a h");
    let change = &diff.changes()[0];
    assert_eq!(change.sites_before().collect::<Vec<_>>(), [("a f < t t", 5)]);
    assert_eq!(change.sites_after().collect::<Vec<_>>(), [("a f < a g", 2), ("a f < a h", 3)]);
}
