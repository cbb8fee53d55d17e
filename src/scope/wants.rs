//! Cold: `Wants`, what somebody wants to know of a scope beside its counts, and what opens a scope
//! that finds it out.

use super::opened::opened;
use crate::open_scopes::Kind;
use crate::stacks::{FirstOverrun, LargestBlocks};
use crate::threads::{self, Live, OpenScope, Tracking};

#[derive(Clone, Copy)]
pub(crate) struct Wants {
    /// The peak, also where other threads attach. Without them it is known anyway.
    pub(crate) peak: bool,
    /// Where the allocations are made, and which of them is the first past a limit.
    pub(crate) call_sites: Option<FirstOverrun>,
    /// Which blocks are live at the end. They are waited for while there are more than these.
    pub(crate) leaks: Option<MostLive>,
    /// Which blocks were live when, by call site.
    pub(crate) heap_profile: bool,
    /// The largest block that is requested. [`track`](Self::track) takes it over.
    pub(crate) largest_blocks: Option<&'static LargestBlocks>,
    /// What other threads allocate meanwhile.
    pub(crate) elsewhere: bool,
}

/// The most blocks that a budget lets live at its end, and the most bytes in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MostLive {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl MostLive {
    pub(super) fn holds(self, live: Live) -> bool {
        live.blocks + live.lost <= self.blocks && live.bytes <= self.bytes
    }
}

impl Wants {
    /// What `AllocScope` tells without recording anything.
    pub(super) const COUNTS: Self = Self {
        peak: true,
        call_sites: None,
        leaks: None,
        heap_profile: false,
        largest_blocks: None,
        elsewhere: false,
    };

    /// `tag` is for [`threads::freeze`]; 0 for none. `closed_by_opener` is as for
    /// [`threads::open_recording`].
    #[track_caller]
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn open(&self, tag: u64, closed_by_opener: bool) -> OpenScope {
        opened(match self.call_sites {
            None => threads::open(Kind::Scope, tag, self.peak),
            Some(first_overrun) => {
                threads::open_recording(tag, self.peak, first_overrun, closed_by_opener)
            }
        })
    }

    /// Begins to follow blocks, if somebody wants to know of them.
    ///
    /// # Panics
    /// Without memory.
    #[track_caller]
    pub(super) fn track(&self) -> Option<Tracking> {
        let leaks = self.leaks.is_some();
        if !leaks && !self.heap_profile && self.largest_blocks.is_none() {
            return None;
        }
        let tracking = threads::track(leaks, self.heap_profile, self.largest_blocks);
        assert!(tracking.is_some(), "no memory for the table of live blocks");
        tracking
    }
}

#[cfg(test)]
mod tests {
    use super::{Live, MostLive};

    #[test]
    fn blocks_that_found_no_room_are_looked_at_again_as_those_are_that_did() {
        let live = Live { blocks: 2, bytes: 10, lost: 3 };
        let holds = |blocks, bytes| MostLive { blocks, bytes }.holds(live);
        assert!(holds(5, 10) && !holds(4, 10) && !holds(5, 9));
    }
}
