//! Functions that are the same, and calls that end their function. An optimised build merges the
//! ones, and makes jumps of the others. Frames may be missing then, but none may be made up.

use std::hint::black_box;

use mod_alloc::AllocScope;

use crate::lines::{assert_same_sum, at, noted, user_lines};
use crate::needs_call_sites::needs_call_sites;

const FIRST: u32 = line!() + 3;
#[inline(never)]
fn first_of_two() -> Vec<u64> {
    vec![7; black_box(3)]
}

const SECOND: u32 = line!() + 3;
#[inline(never)]
fn second_of_two() -> Vec<u64> {
    vec![7; black_box(3)]
}

#[test]
fn of_two_functions_with_the_same_body_either_may_be_named_but_their_callers_are_told_apart() {
    needs_call_sites!();
    noted();
    let scope = AllocScope::with_call_sites();
    drop(black_box(at!(first_of_two())));
    let from_first = noted();
    for _ in 0..2 {
        drop(black_box(at!(second_of_two())));
    }
    let from_second = noted();
    let sites = scope.call_sites();
    assert_same_sum(&sites, scope.exit());
    assert_eq!(sites.sites().len(), 2, "{sites:#}");
    for (site, (count, own, caller)) in
        sites.sites().iter().zip([(2, SECOND, from_second[0]), (1, FIRST, from_first[0])])
    {
        let lines = user_lines(site);
        assert_eq!((site.alloc_count(), lines[1]), (count, caller), "{sites:#}");
        let may_be = if cfg!(debug_assertions) { [own; 2] } else { [FIRST, SECOND] };
        assert!(may_be.contains(&lines[0].1), "{sites:#}");
    }
}

#[inline(never)]
fn tail(size: usize) -> Vec<u8> {
    at!(tail_of_tail(size + 1))
}

#[inline(never)]
fn tail_of_tail(size: usize) -> Vec<u8> {
    at!(Vec::with_capacity(size + 1))
}

/// The lines that are there are noted ones, in their order. That of the test itself is there for
/// certain, for the test goes on after the call.
#[test]
fn a_function_that_ends_with_a_call_may_be_missing_but_nothing_is_in_its_place() {
    needs_call_sites!();
    noted();
    let scope = AllocScope::with_call_sites();
    let made = at!(tail(black_box(3)));
    let sites = scope.call_sites();
    let expected = noted();
    assert_same_sum(&sites, scope.exit());
    drop(black_box(made));
    let [site] = sites.sites() else { panic!("one line allocates: {sites:#}") };
    let lines = user_lines(site);
    let mut rest = expected.iter();
    assert!(lines.iter().all(|line| rest.any(|expected| expected == line)), "{sites:#}");
    assert_eq!(lines.last(), expected.last(), "{sites:#}");
    if cfg!(debug_assertions) {
        assert_eq!(lines, expected, "{sites:#}");
    }
}
