//! Cold: `Metered`, a future that counts what each of its polls allocates, on whichever thread polls it.
#![allow(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::open;
use crate::count::{Above, AllocStats, Counts, Kind};

/// Counts per poll: what a thread does between the polls, for other tasks, is not seen. Resolves to the output and
/// what all polls together have counted.
pub(crate) struct Metered<F> {
    /// `None` once it is done, if it was hidden.
    future: Option<F>,
    kind: Kind,
    tag: u64,
    counts: Counts,
    peak: i64,
}

impl<F: Future> Metered<F> {
    /// `tag` is for [`count::freeze`](crate::count::freeze), which ends the count within a poll; 0 for none.
    pub(crate) fn new(future: F, tag: u64) -> Self {
        Self { future: Some(future), kind: Kind::Scope, tag, counts: Counts::ZERO, peak: 0 }
    }

    /// Hides its polls from the scopes around, and its drop when it is done.
    pub(crate) fn hidden(future: F) -> Self {
        Self { kind: Kind::Hidden, ..Self::new(future, 0) }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = (F::Output, AllocStats);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is not moved out of `this`, nor is `this` replaced; the other fields are `Unpin`.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `future` is pinned as its owner is: it is reached through here only, and `Metered` has no `Drop`.
        let mut future = unsafe { Pin::new_unchecked(&mut this.future) };
        let frame = open(this.kind, this.tag);
        let Some(running) = future.as_mut().as_pin_mut() else {
            panic!("`async fn` resumed after completion")
        };
        let polled = running.poll(cx);
        if polled.is_ready() && this.kind == Kind::Hidden {
            future.set(None);
        }
        let Some(measured) = frame.close() else {
            panic!("this is a bug in mod-alloc: a poll has outlived the counters of its thread")
        };
        this.peak = this.peak.max(this.counts.current().wrapping_add(measured.peak));
        this.counts += measured.counts;
        let above = Above { current: this.counts.current(), peak: this.peak };
        polled.map(|output| (output, AllocStats::new(this.counts, above)))
    }
}
