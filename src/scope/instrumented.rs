//! Cold: `Instrumented`, a future whose thread is attached to a scope while it is polled and while
//! it is dropped.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::handle::ScopeHandle;
use crate::pinned::pin_project;
use crate::threads::AttachedThread;

/// The future of [`ScopeHandle::instrument`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct Instrumented<F> {
    handle: ScopeHandle,
    future: ManuallyDrop<F>,
}

pin_project!(Instrumented { future: ManuallyDrop<F> }, drop within attached_for_drop);

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
        let _attached = self.handle.attach_or_warn("a task");
        self.project().poll(cx)
    }
}

impl<F> Instrumented<F> {
    /// Counts what the drop of the future frees.
    fn attached_for_drop(&self) -> Option<AttachedThread> {
        self.handle.attach_quietly()
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented").finish_non_exhaustive()
    }
}
