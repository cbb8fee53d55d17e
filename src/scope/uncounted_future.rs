//! Cold: `UncountedFuture`, a future that the scopes around it leave out while it is polled, and
//! while it is dropped because it is done.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::uncounted::open_uncounted;
use crate::pinned::pin_project;

pub(crate) struct UncountedFuture<F> {
    /// `None` once it is done.
    future: Option<F>,
}

pin_project!(UncountedFuture { future: Option<F> });

impl<F> UncountedFuture<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: Future> Future for UncountedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut future = self.project();
        let here = 0_u8;
        let _stretch = open_uncounted(std::ptr::addr_of!(here) as usize);
        let Some(running) = future.as_mut().as_pin_mut() else {
            panic!("`async fn` resumed after completion")
        };
        let polled = running.poll(cx);
        if polled.is_ready() {
            future.set(None);
        }
        polled
    }
}
