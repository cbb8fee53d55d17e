//! Cold: `Metered`, a future that counts what each of its polls allocates, on whichever thread
//! polls it, and what threads add that are attached to it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::measurement::{Measured, Measurement};
use super::permit::{Opening, Permitted};
use super::tracker::Tracker;
use super::unmeasured::Unmeasured;
use super::wants::Wants;
use crate::counters::{Above, AllocStats, Counts};
use crate::ignored::Ignored;
use crate::open_scopes::{Reading, SharedScopeRef};
use crate::pinned::pin_project;
use crate::reading::Recording;
use crate::threads::{self, OpenScope};

/// What a thread does between the polls, for other tasks, is not counted. Resolves to the output,
/// and to what all polls together have counted.
pub(crate) struct Metered<F> {
    future: F,
    tag: u64,
    /// `None` once it is done.
    count: Option<Count>,
}

pin_project!(Metered { future: F, count: Option<Count> });

/// What the polls have counted so far.
struct Count {
    wants: Wants,
    /// What all threads had allocated before the first poll, if somebody asks.
    elsewhere: Option<i64>,
    counts: Counts,
    peak: i64,
    uncounted: i64,
    /// What of that has a reason.
    permitted: Option<Ignored<Vec<Permitted>>>,
    /// Of the first poll that was not measured.
    unmeasured: Option<Unmeasured>,
    /// What was recorded, if it records.
    recording: Option<Ignored<Box<Recording>>>,
    tracker: Option<Tracker>,
    shared: Option<SharedCount>,
}

/// The scope, once it is shared.
struct SharedCount {
    scope: SharedScopeRef,
    /// What the polls had counted before the one that shared it: its sums begin there.
    earlier: Counts,
    earlier_peak: i64,
}

impl<F: Future> Metered<F> {
    /// `tag` is for [`threads::freeze`], which ends the count within a poll; 0 for none.
    #[track_caller]
    pub(crate) fn new(future: F, tag: u64, wants: Wants) -> Self {
        let count = Count {
            wants,
            elsewhere: None,
            counts: Counts::ZERO,
            peak: 0,
            uncounted: 0,
            permitted: None,
            unmeasured: None,
            recording: wants.call_sites.map(|_| Ignored::new(|_| Box::<Recording>::default())),
            tracker: Tracker::begin(&wants),
            shared: None,
        };
        Self { future, tag, count: Some(count) }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = (F::Output, Measurement);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let tag = self.tag;
        let (future, count_of_polls) = self.project();
        let Some(count) = count_of_polls else { panic!("`async fn` resumed after completion") };
        if count.wants.elsewhere && count.elsewhere.is_none() {
            count.elsewhere = Some(threads::events_everywhere());
        }
        let polled = {
            let scope = Some(count.open(tag));
            let _polling = Polling { count, scope, opening: Opening::now() };
            future.poll(cx)
        };
        let Poll::Ready(output) = polled else { return Poll::Pending };
        let measurement = count.finish();
        *count_of_polls = None;
        Poll::Ready((output, measurement))
    }
}

/// Takes in what a poll has counted when it is over, also by a panic: the future may be polled
/// again.
struct Polling<'a> {
    count: &'a mut Count,
    /// `None` once it is dropped.
    scope: Option<OpenScope>,
    opening: Opening,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if let Some(scope) = self.scope.take() {
            self.count.add(scope);
            self.opening.add_permitted(&mut self.count.permitted);
        }
    }
}

impl Count {
    /// Opens the scope of a poll.
    fn open(&self, tag: u64) -> OpenScope {
        let counted = self.counts.sums();
        let call_sites = self.wants.call_sites.map(|first_overrun| first_overrun.from(counted));
        let scope = Wants { call_sites, ..self.wants }.open(tag, false);
        if let Some(tracker) = &self.tracker {
            // The sums of a shared scope go on from poll to poll.
            if let (Some(largest), None) = (tracker.tracking().largest(), &self.shared) {
                largest.set_earlier(counted.events as u64);
            }
            scope.set_tracked(tracker.tracking());
        }
        if let Some(shared) = &self.shared {
            scope.set_shared(shared.scope.clone());
        }
        scope
    }

    /// Takes in what the poll has counted.
    fn add(&mut self, poll: OpenScope) {
        if let Some(recording) = &mut self.recording {
            let earlier = self.counts.sums().events as u64;
            poll.read_records(|records| recording.change(|all| all.add(records, earlier)));
        }
        let shared = poll.withdraw_shared();
        let reading = poll.close();
        self.unmeasured = self.unmeasured.or(Unmeasured::at_end(reading.as_ref()));
        let Some(Reading { own, .. }) = reading else { return };
        if let (None, Some(scope)) = (&self.shared, shared) {
            let (earlier, earlier_peak) = (self.counts, self.peak);
            self.shared = Some(SharedCount { scope, earlier, earlier_peak });
        }
        self.peak = self.peak.max(self.counts.net.saturating_add(own.peak));
        self.counts += own.counts;
        self.uncounted += own.uncounted;
    }

    /// Ends the count.
    fn finish(&mut self) -> Measurement {
        let (mut counts, mut peak, mut attached) = (self.counts, self.peak, None);
        if let Some(SharedCount { scope, earlier, earlier_peak }) = &self.shared {
            attached = Some(scope.attached());
            scope.end();
            let others = scope.others();
            counts += others.counts;
            self.uncounted += others.uncounted;
            if others.is_still_uncounted {
                self.unmeasured = Some(Unmeasured::StillUncounted);
            }
            let highest = others.highest.map(|highest| earlier.net.wrapping_add(highest));
            peak = highest.map_or(peak, |highest| highest.max(*earlier_peak)).max(counts.net);
            if let Some(recording) = &mut self.recording {
                let earlier = earlier.sums().events as u64;
                recording.change(|recording| recording.add_shared(scope, earlier));
            }
        }
        let stats = AllocStats::new(counts, Above { current: counts.net, peak });
        let live = self.tracker.as_ref().and_then(Tracker::live_at_end);
        let largest_block = self.tracker.as_ref().map_or(0, Tracker::largest_block);
        let (recording, tracker) = (self.recording.take(), self.tracker.take());
        let (uncounted, unmeasured) = (self.uncounted.unsigned_abs(), self.unmeasured);
        let measured = Measured { stats, live, largest_block, uncounted, unmeasured };
        let elsewhere = self.elsewhere(attached.is_some());
        let tracking = tracker.as_ref().map(Tracker::tracking);
        let permitted = self.permitted.take();
        Measurement::new(measured, recording, tracking, attached, permitted, elsewhere)
    }

    /// The allocation events on all threads since the first poll, apart from those in the polls.
    /// Where threads are attached nobody needs to be told, as for
    /// [`Budgeted`](super::budgeted::Budgeted).
    fn elsewhere(&self, is_shared: bool) -> Option<u64> {
        let before = self.elsewhere.filter(|_| !is_shared)?;
        let all = threads::events_everywhere().wrapping_sub(before);
        let in_polls = self.counts.sums().events.wrapping_add(self.uncounted);
        u64::try_from(all.wrapping_sub(in_polls)).ok()
    }
}

impl Drop for SharedCount {
    fn drop(&mut self) {
        // A future that is dropped before it is done ends its scope too.
        self.scope.end();
    }
}
