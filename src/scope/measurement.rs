//! Cold: `Measurement`, what was measured of code that is held to a budget.

use super::permit::Permitted;
use super::unmeasured::Unmeasured;
use crate::counters::{Above, AllocStats};
use crate::ignored::Ignored;
use crate::open_scopes::Reading;
use crate::reading::{ProgramPoints, Recording};
use crate::threads::{Live, Tracking};

/// The numbers that decide.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) stats: AllocStats,
    /// The blocks that are live at the end, if the budget asks for them.
    pub(crate) live: Option<Live>,
    /// The largest block that was requested, likewise; else, and if there is none, 0.
    pub(crate) largest_block: u64,
    /// Allocation events in `uncounted`.
    pub(crate) uncounted: u64,
    /// Why the numbers are not those of the whole code, if they are not.
    pub(crate) unmeasured: Option<Unmeasured>,
}

#[inline]
pub(super) fn stats(reading: &Reading) -> AllocStats {
    let (counts, peak) = reading.total();
    AllocStats::new(counts, Above { current: counts.net, peak })
}

/// What a report needs.
pub(crate) struct Measurement {
    pub(crate) measured: Measured,
    /// Where the allocations were made, if that was recorded.
    pub(crate) recording: Option<Ignored<Box<Recording>>>,
    /// Where the blocks were allocated that are live at the end, likewise.
    pub(crate) retained: Option<Ignored<Box<Recording>>>,
    /// Whether other threads could add to it.
    pub(crate) is_shared: bool,
    /// How many threads were still attached by a guard.
    pub(crate) attached: usize,
    /// What of the uncounted events has a reason.
    pub(crate) permitted: Option<Ignored<Vec<Permitted>>>,
    /// Allocation events of other threads, none of them attached, if somebody asked.
    pub(crate) elsewhere: Option<u64>,
}

impl Measurement {
    /// `attached` says how many threads still were, if any could.
    pub(crate) fn new(
        measured: Measured,
        recording: Option<Ignored<Box<Recording>>>,
        tracking: Option<&Tracking>,
        attached: Option<usize>,
        permitted: Option<Ignored<Vec<Permitted>>>,
        elsewhere: Option<u64>,
    ) -> Self {
        let mut recording = recording;
        let mut retained = None;
        if let (Some(recording), Some(tracking)) = (&mut recording, tracking) {
            if let Some(profile) = tracking.points() {
                recording.change(|recording| recording.add_heap(ProgramPoints::of(profile)));
            }
            if let Some(largest) = tracking.largest() {
                recording.change(|recording| recording.add_largest_blocks(largest));
            }
            if tracking.live().is_some() {
                retained = Some(Ignored::new(|_| Box::new(recording.of_live_blocks(tracking))));
            }
        }
        let (is_shared, attached) = (attached.is_some(), attached.unwrap_or(0));
        Self { measured, recording, retained, is_shared, attached, permitted, elsewhere }
    }
}
