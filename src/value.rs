//! Cold: `Value`, what measured code may return, and `Output`, what a measured function may return.
//! It must not be a future or a closure. The code has only made it: what it allocates when it runs
//! would not be counted, and every budget would hold.
//!
//! The compiler refuses these two by features that Rust 1.75 has, and type inference stays as it
//! is. Every type has one `impl` of `Value`, a future or a closure has a second one. Which of them
//! is meant is a parameter that only inference fills, so for these types it is ambiguous (E0283 or
//! E0282). The error shows no text of ours, but the names of the parameter and of the types here.
//! That is why these names are the advice.

use std::future::{Future, IntoFuture};

/// Implemented for every type, and twice for those that are not to be measured.
pub trait Value<Run> {}

/// Anything else.
#[derive(Debug)]
pub struct Measured;

/// A future that is not polled, so nothing was counted; or what `.await` would make a future of.
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct a_future_is_not_polled_here__use_check_future__or_return_it_in_a_tuple;

/// A closure that is not called, so nothing was counted. A closure with parameters is not found.
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

/// The same for what a function under the attribute returns, whatever the name of its type. It may
/// be a closure: to make one may be what the function is there for.
pub trait Output<Run> {}

/// A future that is not polled, so nothing was counted.
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct a_function_that_returns_a_future_only_makes_it__make_it_an_async_fn;

impl<T> Output<Measured> for T {}

impl<T: Future> Output<a_function_that_returns_a_future_only_makes_it__make_it_an_async_fn> for T {}
