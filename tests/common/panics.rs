//! What panics say.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

use std::panic::{catch_unwind, AssertUnwindSafe};

/// What `work` panics with.
#[track_caller]
pub(crate) fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(work)) else { panic!("no panic") };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
    }
}
