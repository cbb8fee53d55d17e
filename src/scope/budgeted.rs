//! Cold: `Budgeted`, the scope of one run of code that is held to a budget.

use super::{stats, AllocScope, Asked, Measured, Measurement, Unmeasured};
use crate::count::{AllocStats, Shared, Tracking};
use crate::installed;

pub(crate) struct Budgeted {
    scope: AllocScope,
    tracking: Option<Tracking>,
}

impl Budgeted {
    /// Begins to count, as a budget asks for.
    #[track_caller]
    #[inline]
    pub(crate) fn enter(asked: Asked) -> Self {
        installed::require();
        let tracking = asked.track();
        let scope = AllocScope::new(asked.open(0));
        if let Some(tracking) = &tracking {
            scope.frame.set_tracked(tracking);
        }
        Self { scope, tracking }
    }

    /// The numbers, once the code has come to its end.
    #[inline]
    pub(crate) fn measured(&self) -> Measured {
        let reading = self.scope.frame.measure();
        let live = self.tracking.as_ref().and_then(Tracking::live);
        Measured {
            stats: reading.as_ref().map_or_else(AllocStats::default, stats),
            live,
            hidden: reading.map_or(0, |reading| reading.hidden().unsigned_abs()),
            unmeasured: Unmeasured::at_end(reading.as_ref()),
        }
    }

    /// Ends it, and says more of it than the numbers.
    pub(crate) fn finish(self, measured: Measured) -> Measurement {
        let attached = self.scope.frame.shared().map(Shared::attached);
        Measurement::new(measured, self.scope.recording(), self.tracking.as_ref(), attached)
    }
}
