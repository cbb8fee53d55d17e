//! A waker for tests that poll futures by hand.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

use std::sync::Arc;
use std::task::{Wake, Waker};

struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

/// A waker that wakes nobody. To make it takes one allocation.
pub(crate) fn idle() -> Waker {
    Waker::from(Arc::new(Idle))
}
