//! Cold: `Metered`, a future that counts what each of its polls allocates, on whichever thread polls it.
#![allow(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{open, open_recording, Recording};
use crate::count::{Above, AllocStats, Counts, Kind};
use crate::record::FirstPast;
use crate::unseen::Unseen;

/// Counts per poll: what a thread does between the polls, for other tasks, is not seen. Resolves to the output and
/// what all polls together have counted.
pub(crate) struct Metered<F> {
    /// `None` once it is done, if it was hidden.
    future: Option<F>,
    kind: Kind,
    tag: u64,
    counts: Counts,
    peak: i64,
    /// What was recorded so far, and what to look out for, if it records.
    recording: Option<(Unseen<Recording>, FirstPast)>,
}

/// What a future has counted.
pub(crate) struct Measurement {
    pub(crate) stats: AllocStats,
    pub(crate) recording: Option<Unseen<Recording>>,
}

impl<F: Future> Metered<F> {
    /// `tag` is for [`count::freeze`](crate::count::freeze), which ends the count within a poll; 0 for none. Records
    /// if there is something to look out for.
    pub(crate) fn new(future: F, tag: u64, record: Option<FirstPast>) -> Self {
        let start = |first_past| (Unseen::new(Recording::default), first_past);
        Self {
            future: Some(future),
            kind: Kind::Scope,
            tag,
            counts: Counts::ZERO,
            peak: 0,
            recording: record.map(start),
        }
    }

    /// Hides its polls from the scopes around, and its drop when it is done.
    pub(crate) fn hidden(future: F) -> Self {
        Self { kind: Kind::Hidden, ..Self::new(future, 0, None) }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = (F::Output, Measurement);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is not moved out of `this`, nor is `this` replaced; the other fields are `Unpin`.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `future` is pinned as its owner is: it is reached through here only, and `Metered` has no `Drop`.
        let mut future = unsafe { Pin::new_unchecked(&mut this.future) };
        let frame = match &this.recording {
            None => open(this.kind, this.tag),
            Some((_, first_past)) => open_recording(this.tag, first_past.from(this.counts.sums())),
        };
        let Some(running) = future.as_mut().as_pin_mut() else {
            panic!("`async fn` resumed after completion")
        };
        let polled = running.poll(cx);
        if polled.is_ready() && this.kind == Kind::Hidden {
            future.set(None);
        }
        if let Some((recording, _)) = &mut this.recording {
            let earlier = this.counts.sums().events as u64;
            frame.read_records(|records| recording.change(|all| all.add(records, earlier)));
        }
        let Some(measured) = frame.close() else {
            panic!("this is a bug in mod-alloc: a poll has outlived the counters of its thread")
        };
        this.peak = this.peak.max(this.counts.current().wrapping_add(measured.peak));
        this.counts += measured.counts;
        let above = Above { current: this.counts.current(), peak: this.peak };
        let stats = AllocStats::new(this.counts, above);
        polled.map(|output| {
            let recording = this.recording.take().map(|(recording, _)| recording);
            (output, Measurement { stats, recording })
        })
    }
}
