//! Cold: `Value`, what code may return that was measured, and `Output`, the same of a function. Not
//! a future or a closure: the code has only made it, what it would allocate when it runs is not
//! counted, and every budget would hold.
//!
//! The compiler is made to refuse these two without a feature that Rust 1.75 lacks, and without a
//! hand in inference: every type has one `impl` of `Value`, a future or a closure has a second one.
//! Which of them is meant is a parameter that nothing but inference fills, so it is ambiguous there
//! (E0283 or E0282). The error prints the names of the parameter and of the types here and no text
//! of ours; that is why these names are the advice.

use std::future::{Future, IntoFuture};

/// Implemented for every type, and twice for those that are not to be measured.
pub trait Value<Run> {}

/// Anything else.
#[derive(Debug)]
pub struct Measured;

/// Not polled, so nothing was counted; or what `.await` first makes a future of.
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct a_future_is_not_polled_here__use_check_future__or_return_it_in_a_tuple;

/// Not called, so nothing was counted. One with parameters is not found.
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct a_closure_is_not_called_here__call_it__or_return_it_in_a_tuple<R>(R);

impl<T> Value<Measured> for T {}

impl<T: IntoFuture> Value<a_future_is_not_polled_here__use_check_future__or_return_it_in_a_tuple>
    for T
{
}

impl<T, R> Value<a_closure_is_not_called_here__call_it__or_return_it_in_a_tuple<R>> for T where
    T: FnOnce() -> R
{
}

/// The same of what a function under the attribute returns, by whatever name of its type. A closure
/// may be what it is there to make.
pub trait Output<Run> {}

/// Not polled, so nothing was counted.
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct a_function_that_returns_a_future_only_makes_it__make_it_an_async_fn;

impl<T> Output<Measured> for T {}

impl<T: Future> Output<a_function_that_returns_a_future_only_makes_it__make_it_an_async_fn> for T {}
