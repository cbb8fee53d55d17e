//! Futures that are ready at their first poll.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use crate::waker;

/// Polls a future once, and returns what it is ready with.
pub(crate) fn output_of_first_poll<F: Future>(future: F) -> F::Output {
    let waker = waker::idle();
    match pin!(future).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("pending"),
    }
}
