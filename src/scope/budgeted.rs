//! Cold: `Budgeted`, the scope of one run of code that is held to a budget.

use super::measurement::{stats, Measured, Measurement};
use super::permit::Opening;
use super::tracker::Tracker;
use super::unmeasured::Unmeasured;
use super::wants::Wants;
use crate::counters::AllocStats;
use crate::installed;
use crate::reading::Recording;
use crate::threads::{self, OpenScope};

pub(crate) struct Budgeted {
    scope: OpenScope,
    tracker: Option<Tracker>,
    opening: Opening,
    /// What other threads had allocated before, if somebody asks.
    elsewhere: Option<i64>,
}

impl Budgeted {
    /// Begins to count. The function that calls this, or that calls it through others of this
    /// library, must end it, too.
    #[track_caller]
    pub(crate) fn enter(wants: &Wants) -> Self {
        installed::require();
        let tracker = Tracker::begin(wants);
        let scope = wants.open(0, true);
        if let Some(tracker) = &tracker {
            scope.set_tracked(tracker.tracking());
        }
        let elsewhere = if wants.elsewhere { Some(scope.events_elsewhere()) } else { None };
        Self { scope, tracker, opening: Opening::now(), elsewhere }
    }

    /// The numbers, once the code has come to its end.
    pub(crate) fn measured(&self) -> Measured {
        let reading = self.scope.measure();
        let (live, largest_block) = match &self.tracker {
            Some(tracker) => (tracker.live_at_end(), tracker.largest_block()),
            None => (None, 0),
        };
        let unmeasured = Unmeasured::at_end(reading.as_ref());
        match &reading {
            Some(reading) => {
                let uncounted = reading.uncounted().unsigned_abs();
                Measured { stats: stats(reading), live, largest_block, uncounted, unmeasured }
            }
            None => {
                let stats = AllocStats::default();
                Measured { stats, live, largest_block, uncounted: 0, unmeasured }
            }
        }
    }

    /// The allocation events of other threads since it began, if somebody asked for that. Where
    /// threads are attached, nobody needs to be told, and what is left is mostly what starting them
    /// takes.
    pub(crate) fn elsewhere(&self) -> Option<u64> {
        let before = self.elsewhere.filter(|_| self.scope.shared().is_none())?;
        u64::try_from(self.scope.events_elsewhere().wrapping_sub(before)).ok()
    }

    /// Ends it, and says more of it than the numbers.
    pub(crate) fn finish(self, measured: Measured) -> Measurement {
        let elsewhere = self.elsewhere();
        let attached = self.scope.shared().map(|shared| shared.attached());
        let tracking = self.tracker.as_ref().map(Tracker::tracking);
        let recording = Recording::of(&self.scope, threads::stack_here());
        let mut permitted = None;
        self.opening.add_permitted(&mut permitted);
        Measurement::new(measured, recording, tracking, attached, permitted, elsewhere)
    }
}
