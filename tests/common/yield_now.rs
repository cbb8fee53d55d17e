//! A future that suspends the task that awaits it.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

use std::future::poll_fn;
use std::mem::replace;
use std::task::Poll;

/// Is pending once, and allocates nothing.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|_| if replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
