//! Hot: `Tracked`, where the blocks of a scope are entered, if somebody asks which of them are
//! live, for their heap profile, or for the largest one.

use super::heap_profile::HeapProfile;
use super::leak_counter::LeakCounter;
use crate::counters::Event;
use crate::stacks::{LargestBlocks, Stack};

/// Where the blocks of a scope are entered.
#[derive(Clone, Copy)]
pub(crate) struct Tracked {
    pub(crate) leak_counter: Option<(&'static LeakCounter, u64)>,
    pub(crate) heap_profile: Option<(&'static HeapProfile, u64)>,
    pub(crate) largest: Option<&'static LargestBlocks>,
}

impl Tracked {
    /// Whether somebody asks which blocks are live, or were when.
    #[inline]
    pub(crate) fn has_entries(self) -> bool {
        self.leak_counter.is_some() || self.heap_profile.is_some()
    }

    /// A fresh block belongs to the scope, and to no other yet if `is_first`.
    #[inline]
    pub(crate) fn insert(self, event: &Event, stack: Option<&'static Stack>, is_first: bool) {
        let (address, size) = (event.address, event.size());
        if let Some((leak_counter, serial)) = self.leak_counter.filter(|_| address != Event::GONE) {
            leak_counter.insert(serial, address, size, stack, is_first);
        }
        if let Some((heap_profile, serial)) = self.heap_profile {
            heap_profile.enter(
                serial,
                address,
                size,
                stack,
                is_first && self.leak_counter.is_none(),
            );
        }
    }

    /// A block was reallocated in the scope.
    #[inline]
    pub(crate) fn count_moved(self, event: &Event, stack: Option<&'static Stack>) {
        if let Some((heap_profile, serial)) = self.heap_profile {
            heap_profile.reenter(serial, event.address, event.size(), stack);
        }
    }
}
