//! test-case: what a budget covers depends on which of the two attributes stands above.
//!
//! - Above `#[test_case]`, the budget is on the test's own body. The values of cases are not
//!   charged. Limits may name the parameters.
//! - Below `#[test_case]`, the budget is on each generated test. The values of cases are charged,
//!   and so is the check of `=> expected`.
//!
//! If there is more than one case, test-case does not keep the order of the attributes below it.
//! Where the order matters, as with `#[tokio::test]`, the budget goes above.

use std::hint::black_box;

use mod_alloc::{alloc_budget, ModAlloc};
use test_case::{test_case, test_matrix};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate(times: usize) {
    (0..times).for_each(|n| drop(black_box(Box::new(black_box(n)))));
}

#[alloc_budget(exact = times, max_bytes = 8 * times)]
#[test_case(0)]
#[test_case(1; "once")]
#[test_case(100; "many times")]
fn above_the_cases_a_limit_may_name_them(times: usize) {
    allocate(times);
}

#[alloc_budget(max = 0, max_deallocs = 0)]
#[test_case(vec![1]; "a list")]
#[test_case(Vec::with_capacity(1); "a buffer")]
fn above_the_cases_their_values_are_not_charged(list: Vec<u64>) {
    assert_eq!(list.capacity(), 1);
}

#[test_case(vec![1]; "a list")]
#[test_case(Vec::with_capacity(1); "a buffer")]
#[alloc_budget(exact = 1, max_bytes = 8)]
fn below_the_cases_their_values_are_charged(list: Vec<u64>) {
    assert_eq!(list.capacity(), 1);
}

#[alloc_budget(exact = 1)]
#[test_case("a" => "a.".to_owned(); "one letter")]
#[test_case("" => ".".to_owned(); "no letter")]
fn above_the_cases_the_expected_value_is_not_charged(text: &str) -> String {
    let mut sentence = String::with_capacity(8);
    sentence.push_str(text);
    sentence.push('.');
    black_box(sentence)
}

#[test_case("a" => "a.".to_owned(); "one letter")]
#[alloc_budget(exact = 1 + 1)]
fn below_the_cases_the_expected_value_is_charged(text: &str) -> String {
    let mut sentence = String::with_capacity(8);
    sentence.push_str(text);
    sentence.push('.');
    black_box(sentence)
}

#[alloc_budget(max = 1)]
#[test_case(1; "fits")]
#[test_case(2 => panics "allocations       1         2  +1"; "breaks")]
fn one_case_of_several_may_break_the_budget(times: usize) {
    allocate(times);
}

#[alloc_budget(exact = lists * boxes)]
#[test_matrix([0, 1, 2], [1, 5])]
fn every_combination_of_a_matrix_has_its_own_budget(lists: usize, boxes: usize) {
    (0..lists).for_each(|_| allocate(boxes));
}

#[alloc_budget(exact = 1)]
#[test_case("7" => Ok(7); "a number")]
#[test_case("seven" => matches Err(_); "a word")]
fn a_case_may_return_a_result(text: &str) -> Result<u64, std::num::ParseIntError> {
    allocate(1);
    text.parse()
}

#[alloc_budget(exact = times)]
#[test_case(1; "once")]
#[test_case(2; "twice")]
#[tokio::test]
async fn above_the_cases_an_async_case_is_counted_in_its_polls(times: usize) {
    allocate(times);
}

#[alloc_budget(max = 1)]
#[test_case(2; "twice")]
#[tokio::test]
#[should_panic(expected = "allocation budget exceeded")]
async fn an_async_case_that_allocates_too_much_fails(times: usize) {
    allocate(times);
}

/// Each case has a record of its own, `alloc_budgets/test_case/..`: the harness names its thread.
#[alloc_budget(recorded)]
#[test_case(0)]
#[test_case(1; "once")]
#[test_case(100; "many times")]
fn above_the_cases_each_has_its_record(times: usize) {
    allocate(times);
}

#[test_case(1; "once")]
#[test_case(100; "many times")]
#[alloc_budget(recorded)]
fn below_the_cases_each_has_its_record(times: usize) {
    allocate(times);
}

#[alloc_budget(max = 1)]
mod a_module {
    use test_case::test_case;

    use super::allocate;

    #[test_case(0)]
    #[test_case(1; "once")]
    fn each_case_is_held(times: usize) {
        allocate(times);
    }

    #[test_case(2 => panics "allocation budget exceeded: a_module::a_case_breaks_it")]
    fn a_case_breaks_it(times: usize) {
        allocate(times);
    }
}
