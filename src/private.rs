//! Cold: what the expansions of the macros may name, and nothing else. Not public API: it changes
//! without notice.

use std::fmt;
use std::future::Future;

use crate::budget::{self, Closer, Counted};
use crate::growth::{self, Outgrown};
use crate::value::{Output, Value};
use crate::Repeated;

pub use crate::budget::{fail, fail_with, Exceeded, Guard, Origin, Setting};
#[cfg(feature = "dhat-compat")]
pub use crate::dhat::assert::fails as dhat_fails;
pub use crate::growth::{fail as fail_growth, fail_with as fail_growth_with};
pub use crate::growth::{Growth, Order};
pub use mod_alloc_macros::{assert_allocs, assert_growth, assert_no_alloc};

/// The value of a limit, as `u64`.
///
/// # Panics
/// If it is negative or above `u64::MAX`, by the name of its key.
#[track_caller]
pub fn limit(key: &'static str, value: impl Integer) -> u64 {
    match value.to_u64() {
        Some(limit) => limit,
        None => panic!("`{key} = {value}`: a limit is a number from 0 to {}", u64::MAX),
    }
}

/// All integer types, so that `max = input.len() + 1` needs no cast. For other types the compiler
/// names this trait, so its name says what is expected. (`diagnostic::on_unimplemented`, which
/// would allow a text, came with Rust 1.78.)
pub trait Integer: Copy + fmt::Display + sealed::Sealed {
    /// `None` if it does not fit.
    fn to_u64(self) -> Option<u64>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! limits {
    ($($int:ty)*) => {$(
        impl sealed::Sealed for $int {}
        impl Integer for $int {
            fn to_u64(self) -> Option<u64> {
                u64::try_from(self).ok()
            }
        }
    )*};
}
limits!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// Hands on the value of a block, which must not be a future or a closure that the block only made.
///
/// It is a function because a call hands the expected type on to the block; a `match` or a closure
/// would not. The second argument is what is done after the block.
#[inline(always)]
#[allow(non_camel_case_types)]
pub fn value<T, for_a_future_use_check_future>(value: T, (): ()) -> T
where
    T: Value<for_a_future_use_check_future>,
{
    value
}

/// Hands on what a function under the attribute returns, which must not be a future that it only
/// made. Else it is as [`value`].
#[inline(always)]
#[allow(non_camel_case_types)]
pub fn output<T, for_a_future_make_it_an_async_fn>(output: T, (): ()) -> T
where
    T: Output<for_a_future_make_it_an_async_fn>,
{
    output
}

/// What the closure of a repeated body returns. `return` and `?` in such a body would end one run
/// instead of leaving the function, and nobody would notice. This type makes them compile errors.
#[derive(Debug)]
pub struct RunsSeveralTimes<R>(pub R);

/// Runs `body` as often as `settings` say, and returns the last value.
#[track_caller]
pub fn repeat<R>(
    settings: &[Setting],
    origin: Origin,
    mut body: impl FnMut() -> RunsSeveralTimes<R>,
) -> (R, Option<Exceeded>) {
    let repeated = Repeated::of_settings(settings);
    let (value, exceeded) = repeated.run(origin, move || body().0);
    (value, budget::unless_panicking(exceeded))
}

/// Holds the body of an `async fn` to a budget.
#[track_caller]
pub fn counted_future<Fut: Future>(
    settings: &[Setting],
    origin: Origin,
    body: impl FnOnce(Closer) -> Fut,
) -> impl Future<Output = (Fut::Output, Option<Exceeded>)> {
    let closer = Closer::new();
    let tag = closer.tag();
    Counted::new(budget::of_settings(settings), origin, body(closer), tag).enforced()
}

/// Runs the body of an `async fn` as often as `settings` say, and returns the last output.
#[track_caller]
pub fn repeat_future<R, F, Fut>(
    settings: &[Setting],
    origin: Origin,
    body: F,
) -> impl Future<Output = (R, Option<Exceeded>)>
where
    F: FnMut(Closer) -> Fut,
    Fut: Future<Output = RunsSeveralTimes<R>>,
{
    let runs = Repeated::of_settings(settings).run_future(origin, body);
    async move {
        let (output, exceeded) = runs.await;
        (output.0, budget::unless_panicking(exceeded))
    }
}

/// The verdict of `assert_growth!`.
#[track_caller]
#[allow(non_camel_case_types)]
pub fn growth<F, W, R, for_a_future_block_on_it>(growth: Growth<'_>, set_up: F) -> Option<Outgrown>
where
    F: FnMut(usize) -> W,
    W: FnOnce() -> R,
    R: Value<for_a_future_block_on_it>,
{
    growth.run(growth::Form::Macro, set_up)
}
