//! Every macro in every position, compiled by three packages: one each for the editions 2018, 2021
//! and 2024.
//!
//! All lints that a project is likely to turn on are errors here. Those that are allowed are about
//! this file's own code. No lint may be about what a macro expands to.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![warn(clippy::pedantic, clippy::nursery)]
#![warn(future_incompatible, let_underscore, nonstandard_style, rust_2018_idioms, unused)]
#![warn(
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents,
    meta_variable_misuse,
    missing_docs,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
// Of clippy's restrictions, these are the ones that projects turn on.
#![warn(
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::dbg_macro,
    clippy::else_if_without_else,
    clippy::exit,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::if_then_some_else_none,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::map_err_ignore,
    clippy::mem_forget,
    clippy::min_ident_chars,
    clippy::missing_assert_message,
    clippy::multiple_inherent_impl,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::pattern_type_mismatch,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::rest_pat_in_fully_bound_structs,
    clippy::same_name_method,
    clippy::self_named_module_files,
    clippy::semicolon_inside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::string_add,
    clippy::todo,
    clippy::unimplemented,
    clippy::unnecessary_self_imports,
    clippy::unneeded_field_pattern,
    clippy::unreachable,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::use_debug,
    clippy::verbose_file_reads,
    clippy::wildcard_enum_match_arm
)]

use std::future::Future;
use std::hint::black_box;
use std::num::ParseIntError;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use mod_alloc::{
    alloc_budget, assert_allocs, assert_growth, assert_no_alloc, measure, Budget, ModAlloc,
};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Makes one allocation of 8 bytes.
fn allocate() {
    drop(black_box(Box::new(black_box(7_u64))));
}

/// Runs a future on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut pinned = Box::pin(future);
    loop {
        if let Poll::Ready(output) = pinned.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// Suspends once.
#[derive(Debug, Default)]
struct Again {
    suspended: bool,
}

impl Future for Again {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.suspended {
            return Poll::Ready(());
        }
        self.suspended = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Its limit names a parameter.
#[alloc_budget(max = text.len())]
fn letters(text: &str) -> Vec<String> {
    let mut list = Vec::with_capacity(text.len());
    list.extend(text.chars().skip(1).map(String::from));
    black_box(list)
}

/// Generics, a lifetime and a `where` clause.
#[alloc_budget(max = 0)]
fn first<'a, T, const N: usize>(items: &'a [T; N], other: &'a T) -> &'a T
where
    T: PartialEq,
{
    items.first().unwrap_or(other)
}

/// Early returns and `?`.
#[alloc_budget(max = 0)]
fn parse(text: &str) -> Result<u64, ParseIntError> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text.parse::<u64>()?;
    Ok(number)
}

/// A type that cannot be named.
#[alloc_budget(max = 0)]
fn evens(below: u64) -> impl Iterator<Item = u64> {
    (0..below).filter(|number| number % 2 == 0)
}

/// Nothing is returned, and nothing is awaited at the end.
#[alloc_budget(exact = 1)]
async fn wait(times: u64) {
    for _ in 0..times {
        Again::default().await;
    }
    allocate();
}

#[alloc_budget(exact = 1)]
async fn length<T: Sync>(items: &[T]) -> usize {
    Again::default().await;
    allocate();
    items.len()
}

#[derive(Debug, Default)]
struct Log {
    lines: Vec<u64>,
}

/// A trait with a provided method under a budget.
trait Sink {
    fn put(&mut self, line: u64);

    #[alloc_budget(max = 2)]
    fn put_both(&mut self, first: u64, second: u64) {
        self.put(first);
        self.put(second);
    }
}

impl Sink for Log {
    #[inline]
    #[alloc_budget(max = 1, max_reallocs = 1)]
    fn put(&mut self, line: u64) {
        self.lines.push(line);
    }
}

impl Log {
    #[must_use]
    #[alloc_budget(exact = 1)]
    fn with_capacity(lines: usize) -> Self {
        Self { lines: Vec::with_capacity(lines) }
    }

    #[alloc_budget(max = 0)]
    fn last(&self) -> Option<u64> {
        self.lines.last().copied()
    }

    #[alloc_budget(max = 0)]
    fn into_lines(self) -> Vec<u64> {
        self.lines
    }

    #[alloc_budget(exact = 2)]
    async fn put_later(&mut self, line: &u64) -> Result<usize, ParseIntError> {
        allocate();
        Again::default().await;
        self.lines.push(*line);
        self.lines.push("7".parse()?);
        allocate();
        Ok(self.lines.len())
    }
}

#[test]
#[alloc_budget(exact = 4, max_reallocs = 0, max_deallocs = 4)]
fn functions_have_budgets() {
    assert_eq!(letters("four"), ["o", "u", "r"]);
    assert_eq!(first(&[1, 2], &3), &1);
    assert_eq!(evens(10).sum::<u64>(), 20);
    assert_eq!((parse(""), parse("12")), (Ok(0), Ok(12)));
    assert!(parse("twelve").is_err());
}

#[test]
fn methods_have_budgets() {
    let mut log = Log::with_capacity(2);
    log.put(1);
    log.put_both(2, 3);
    assert_eq!(log.last(), Some(3));
    assert_eq!(log.into_lines(), [1, 2, 3]);
}

#[test]
#[alloc_budget(max = 0)]
fn a_test_may_return_a_result() -> Result<(), ParseIntError> {
    let number = parse("7")?;
    parse(if number == 7 { "0" } else { "not seven" }).map(drop)
}

#[test]
#[should_panic(expected = "allocation budget exceeded: a_test_breaks_its_budget")]
#[alloc_budget(max = 0)]
fn a_test_breaks_its_budget() {
    allocate();
}

#[test]
fn async_functions_have_budgets() {
    let mut log = Log::with_capacity(2);
    assert_eq!(block_on(log.put_later(&1)), Ok(2));
    assert_eq!(block_on(length(&log.into_lines())), 2);
    block_on(wait(3));
}

#[test]
#[should_panic(expected = "allocation budget exceeded: fails_when_it_is_done")]
fn an_async_function_breaks_its_budget() {
    #[alloc_budget(max = 0)]
    async fn fails_when_it_is_done() {
        Again::default().await;
        allocate();
    }
    block_on(fails_when_it_is_done());
}

#[test]
#[alloc_budget(max = 1, warmup = 2, runs = 3)]
fn a_test_is_repeated() {
    let mut log = Log::default();
    log.put(1);
    assert_eq!(log.last(), Some(1));
}

#[test]
fn an_async_function_is_repeated() {
    #[alloc_budget(exact = 1, warmup = 1, runs = 2)]
    async fn repeated() -> u64 {
        Again::default().await;
        allocate();
        7
    }
    assert_eq!(block_on(repeated()), 7);
}

#[test]
fn blocks_have_budgets() {
    let boxed = assert_allocs!(exact = 1, { Box::new(7_u64) });
    let list = assert_allocs!(max = 1, max_bytes = 2 * 8, { vec![*boxed, 8] }, "with {boxed}");
    assert_eq!(list, [7, 8]);
    assert_allocs!(min = 1, max_peak_bytes = list.len().pow(3), allocate());

    let mut buffer = Vec::with_capacity(4);
    assert_no_alloc! {
        buffer.push(1_u64);
        buffer.push(2);
    }
    let length = assert_no_alloc!(buffer.len());
    assert_no_alloc!(buffer.push(3), "{} of {} elements", length, buffer.capacity());
    assert_no_alloc!({ buffer.push(4) }, "the last one");
    assert_eq!(buffer, [1, 2, 3, 4]);
}

#[test]
fn blocks_are_repeated() {
    let mut buffer = Vec::new();
    let length = assert_allocs!(max = 0, warmup = 1, runs = 3, {
        buffer.clear();
        buffer.push(7_u64);
        buffer.len()
    });
    assert_eq!(length, 1);
    assert_allocs!(exact = 1, runs = 2, { allocate() }, "of {length} element");
}

#[test]
fn blocks_may_be_left_early() {
    fn sum(texts: &[&str]) -> Result<u64, ParseIntError> {
        let mut sum = 0_u64;
        for text in texts {
            let number: u64 = assert_no_alloc!({
                if text.is_empty() {
                    continue;
                }
                if *text == "end" {
                    break;
                }
                text.parse()?
            });
            sum = sum.saturating_add(number);
        }
        Ok(sum)
    }
    assert_eq!(sum(&["1", "", "2", "end", "x"]), Ok(3));
    assert!(sum(&["x"]).is_err());
}

#[test]
#[should_panic(expected = "with seven 7")]
fn a_block_breaks_its_budget_with_a_message() {
    let seven = 7;
    assert_no_alloc!({ allocate() }, "with seven {}", seven);
}

#[test]
#[should_panic(expected = "assert_allocs!(max = 1)")]
fn a_nested_block_breaks_the_budget_of_the_outer_one() {
    assert_allocs!(max = 1, {
        assert_allocs!(exact = 1, allocate());
        assert_allocs!(exact = 1, allocate());
    });
}

/// Stands for any caller's code, of which nothing is known.
fn within<T>(budget: Budget, work: impl FnOnce() -> T) -> T {
    let (value, _) = measure(|| budget.enforce(work));
    assert_no_alloc!({ value })
}

fn boxed<T>(value: T) -> Box<T> {
    assert_allocs!(max = 1, Box::new(value))
}

#[test]
fn types_are_inferred_from_what_values_are_used_for() {
    let budget = Budget::new().max(9);
    let parse = || "1 2".split(' ').map(|word| word.parse().unwrap_or_default()).collect();
    let (list, others): (Vec<u8>, Vec<u64>) = (
        assert_allocs!(max = 9, { "1 2".split(' ').flat_map(str::parse).collect() }),
        budget.enforce(parse),
    );
    assert_eq!((list.len(), others.len()), (2, 2));
    let (seven, default) = (assert_no_alloc!(7), assert_no_alloc!(Default::default()));
    assert_eq!(u8::min(seven, default), 0);
    let mut words = budget.runs(2).enforce(Vec::new);
    let none = assert_no_alloc!({ None });
    words.extend(none.or(Some("word")));
    assert_eq!(within(budget, || words.first().copied()), Some("word"));
    let reference: &[u64] = assert_no_alloc!({ &[1, 2] });
    let dynamic: Box<dyn Fn(u64) -> u64> = budget.enforce(|| Box::new(|number: u64| number.pow(2)));
    assert_eq!(reference.iter().map(|number| dynamic(*number)).sum::<u64>(), *boxed(5));
}

#[test]
#[should_panic(expected = "of any type")]
#[allow(clippy::panic, reason = "the subject")]
fn a_block_that_never_ends_has_any_type() {
    fn never() -> ! {
        assert_no_alloc!({ panic!("of any type") })
    }
    let left_early = || -> u64 { assert_no_alloc!({ return 7 }) };
    assert_eq!(left_early(), 7);
    Budget::new().max(0).enforce(|| never());
}

#[test]
fn a_future_or_a_closure_is_returned_in_a_tuple() {
    let (items,) = assert_no_alloc!((length(&[1_u64, 2]),));
    assert_eq!(block_on(items), 2);
    let (future,) = Budget::new().max(0).enforce(|| (async { 7 },));
    assert_eq!(block_on(future), 7);
    let (closure,) = assert_no_alloc!((|| 7,));
    assert_eq!(closure(), 7);
}

#[test]
fn growth() {
    let sizes = vec![64, 4_096];
    assert_growth!(max = O(n), max_bytes = O(n log n), sizes = sizes, |n| {
        let list = vec![1_u64; n];
        move || list.iter().map(|number| boxed(*number)).collect::<Vec<_>>()
    }, "of {}", sizes.len());
    assert_growth!(max_peak_bytes = O(n ^ 2), |_n| || ());
}
