//! rstest: what a budget covers depends on which of the two attributes stands above.
//!
//! - Above `#[rstest]`, the budget is on the test's own body. Fixtures and the values of cases are
//!   not charged, for they are ready when the body starts. Limits may name the test's parameters,
//!   as `max = words.len()`. Arguments are dropped after the body, and that is not counted.
//! - Below `#[rstest]`, the budget is on each generated test. Fixtures and the values of cases are
//!   charged. Limits name no parameters, since a generated test has none. That arguments are
//!   dropped is counted.
//!
//! Above is what one usually wants.

use std::hint::black_box;
use std::mem::size_of;

use mod_alloc::{alloc_budget, ModAlloc};
use rstest::{fixture, rstest};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Makes two allocations: the list and its string.
#[fixture]
fn words() -> Vec<String> {
    black_box(vec![black_box(String::from("alpha"))])
}

/// Makes three allocations: those of `words`, and one of its own.
#[fixture]
fn document(words: Vec<String>) -> String {
    words.concat()
}

fn allocate(times: usize) {
    (0..times).for_each(|n| drop(black_box(Box::new(black_box(n)))));
}

#[alloc_budget(max = 0, max_deallocs = 0)]
#[rstest]
fn above_rstest_a_fixture_is_not_charged(words: Vec<String>) {
    assert_eq!(words, ["alpha"]);
}

#[rstest]
#[alloc_budget(exact = 2, max_bytes = size_of::<String>() + "alpha".len())]
fn below_rstest_a_fixture_is_charged(words: Vec<String>) {
    assert_eq!(words, ["alpha"]);
}

#[rstest]
#[alloc_budget(max_deallocs = 1)]
#[should_panic(expected = "deallocations       1         2  +1")]
fn below_rstest_the_end_of_an_argument_is_charged(words: Vec<String>) {
    assert_eq!(words, ["alpha"]);
}

#[alloc_budget(exact = 1, max_bytes = 8)]
#[rstest]
fn above_rstest_a_fixture_of_fixtures_is_not_charged(document: String) {
    assert_eq!(document, "alpha");
    allocate(1);
}

#[rstest]
#[alloc_budget(exact = 3 + 1)]
fn below_rstest_a_fixture_of_fixtures_is_charged(document: String) {
    assert_eq!(document, "alpha");
    allocate(1);
}

#[rstest]
#[alloc_budget(max = 1)]
#[should_panic(expected = "allocations       1         2  +1")]
fn below_rstest_a_fixture_can_break_the_budget(words: Vec<String>) {
    assert_eq!(words, ["alpha"]);
}

#[alloc_budget(exact = times, max_bytes = 8 * times)]
#[rstest]
#[case(0)]
#[case::one(1)]
#[case::many(100)]
fn above_rstest_a_limit_may_name_the_case(#[case] times: usize) {
    allocate(times);
}

#[rstest]
#[case(Vec::with_capacity(3), 3)]
#[case(vec![1, 2, 3], 0)]
#[alloc_budget(exact = 1)]
fn below_rstest_the_value_of_the_case_is_charged(#[case] mut list: Vec<u64>, #[case] more: u64) {
    list.extend(0..more);
    assert_eq!(list.len(), 3);
}

#[alloc_budget(max = 0)]
#[rstest]
#[case(Vec::with_capacity(3), 3)]
#[case(vec![1, 2, 3], 0)]
fn above_rstest_the_value_of_the_case_is_not_charged(
    #[case] mut list: Vec<u64>,
    #[case] more: u64,
) {
    list.extend(0..more);
    assert_eq!(list.len(), 3);
}

/// An attribute below a single `#[case]` belongs to that case alone.
#[rstest]
#[case::fits(1)]
#[should_panic(expected = "allocation budget exceeded")]
#[case::breaks(2)]
#[alloc_budget(max = 1)]
fn one_case_of_several_may_break_the_budget(#[case] times: usize) {
    allocate(times);
}

#[alloc_budget(exact = lists * boxes)]
#[rstest]
fn every_combination_of_values_has_its_own_budget(
    #[values(0, 1, 2)] lists: usize,
    #[values(1, 5)] boxes: usize,
) {
    (0..lists).for_each(|_| allocate(boxes));
}

#[alloc_budget(exact = 1)]
#[rstest]
#[case("7", 7)]
#[case("8", 8)]
fn a_case_may_return_a_result(
    #[case] text: &str,
    #[case] expected: u64,
) -> Result<(), std::num::ParseIntError> {
    assert_eq!(*black_box(Box::new(text.parse::<u64>()?)), expected);
    Ok(())
}

/// Only the blocks of the body are freed within the count. `words`, which it owns, is dropped
/// later.
#[alloc_budget(exact = times, max_deallocs = times)]
#[rstest]
#[case(1)]
#[case(2)]
#[tokio::test]
async fn above_rstest_an_async_case_is_counted_in_its_polls(
    words: Vec<String>,
    #[case] times: usize,
) {
    assert_eq!(words.len(), 1);
    allocate(times);
}

/// rstest puts the attributes below it on each generated `async fn`, in their order: above
/// `#[tokio::test]`, as it must be. The generated function makes the fixture (2 allocations) and
/// awaits the case.
#[rstest]
#[case(1)]
#[case(1)]
#[alloc_budget(exact = 2 + 1)]
#[tokio::test]
async fn below_rstest_an_async_case_is_charged_for_its_fixture(
    words: Vec<String>,
    #[case] times: usize,
) {
    assert_eq!(words.len(), 1);
    allocate(times);
}

#[alloc_budget(max = 1)]
#[rstest]
#[case(2)]
#[case(3)]
#[tokio::test]
#[should_panic(expected = "allocation budget exceeded")]
async fn an_async_case_that_allocates_too_much_fails(#[case] times: usize) {
    allocate(times);
}

/// A fixture with a budget of its own. Every test that asks for the fixture holds it to that.
#[fixture]
#[alloc_budget(exact = 1, max_bytes = 64)]
fn buffer() -> Vec<u8> {
    Vec::with_capacity(64)
}

#[rstest]
fn a_fixture_may_have_a_budget(mut buffer: Vec<u8>) {
    buffer.push(1);
    assert_eq!(buffer.capacity(), 64);
}

/// Each case has a record of its own, `alloc_budgets/rstest/..`: the harness names its thread.
#[alloc_budget(recorded)]
#[rstest]
#[case::never(0)]
#[case::twice(2)]
fn above_rstest_each_case_has_its_record(#[case] times: usize) {
    allocate(times);
}

#[rstest]
#[case::never(0)]
#[case::twice(2)]
#[alloc_budget(recorded)]
fn below_rstest_each_case_has_its_record(#[case] times: usize, words: Vec<String>) {
    allocate(times + words.len());
}

#[alloc_budget(max = 1)]
mod a_module {
    use rstest::rstest;

    use super::allocate;

    #[rstest]
    #[case(0)]
    #[case::once(1)]
    fn each_case_is_held(#[case] times: usize) {
        allocate(times);
    }

    #[rstest]
    #[case(2)]
    #[should_panic(expected = "allocation budget exceeded: a_module::a_case_breaks_it")]
    fn a_case_breaks_it(#[case] times: usize) {
        allocate(times);
    }
}
