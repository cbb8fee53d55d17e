//! Cold: `Asked`, what a budget wants to know of the scope that counts for it.

use super::open::{open, open_recording, track};
use super::tracker::{MostLive, Tracker};
use crate::open_scopes::Kind;
use crate::stacks::FirstOverrun;
use crate::threads::{OpenScope, Track};

/// What a budget asks of the scope that counts for it.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// The peak.
    pub(crate) peak: bool,
    /// Call sites, and what to look out for.
    pub(crate) record: Option<FirstOverrun>,
    /// About its blocks.
    pub(crate) track: Track,
    pub(crate) most_live: MostLive,
    /// What other threads allocate meanwhile.
    pub(crate) elsewhere: bool,
}

impl Asked {
    #[track_caller]
    #[inline]
    pub(super) fn open(self, tag: u64) -> OpenScope {
        match self.record {
            None => open(Kind::Scope, tag, self.peak),
            Some(first_overrun) => open_recording(tag, self.peak, first_overrun),
        }
    }

    /// Begins to track blocks, if it asks for that.
    #[track_caller]
    pub(super) fn track(self) -> Option<Tracker> {
        self.track.any().then(|| Tracker::new(track(self.track), self.most_live))
    }
}
