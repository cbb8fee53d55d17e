//! Cold: `UncountedFuture`, a future whose polls, and whose drop when it is done, no scope around it sees.
#![allow(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::open::open_uncounted;

pub(crate) struct UncountedFuture<F> {
    /// `None` once it is done.
    future: Option<F>,
}

impl<F> UncountedFuture<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: Future> Future for UncountedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned as its owner is: it is reached through here only, and nothing here has a `Drop`.
        let mut future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        let here = 0_u8;
        let _hidden = open_uncounted(std::ptr::addr_of!(here) as usize);
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
