//! Runs the futures of tests.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use mod_alloc::uncounted;

use crate::waker;

/// Polls a future until it is done. `between` runs after each poll that is not the last. The waker
/// is uncounted.
pub(crate) fn drive<F: Future>(future: F, mut between: impl FnMut()) -> F::Output {
    let waker = uncounted(waker::idle);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            uncounted(|| drop(waker));
            return output;
        }
        between();
    }
}
