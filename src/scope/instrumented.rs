//! Cold: `Instrumented`, a future that is attached to a scope while it is polled and while it is dropped.
#![allow(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::handle::ScopeHandle;

/// The future of [`ScopeHandle::instrument`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct Instrumented<F> {
    handle: ScopeHandle,
    future: ManuallyDrop<F>,
}

impl ScopeHandle {
    /// A future whose polls are attached, on whichever thread they run, and so is its drop.
    ///
    /// Between its polls, what the threads do for other tasks is not counted.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        Instrumented { handle: self.clone(), future: ManuallyDrop::new(future) }
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _attached = self.handle.attach_frame("a task");
        // SAFETY: `future` is pinned as its owner is: it is reached through here only, and `drop` leaves it in its place.
        let future = unsafe { self.map_unchecked_mut(|this| &mut *this.future) };
        future.poll(cx)
    }
}

impl<F> Drop for Instrumented<F> {
    fn drop(&mut self) {
        let _attached = self.handle.attach_quietly();
        // SAFETY: `self` is being dropped, once: nothing uses `future` after this.
        unsafe { ManuallyDrop::drop(&mut self.future) }
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented").finish_non_exhaustive()
    }
}
