//! Hot: `Event`, what the allocator was asked to do, and has done.

use crate::blocks::{self, Block};
use crate::counters::Word;
use crate::stacks;

/// What an event adds to the counters of a thread.
#[derive(Clone, Copy)]
pub(super) struct Event {
    /// Which count goes up.
    pub(super) word: Word,
    /// Where the block is.
    pub(super) address: usize,
    pub(super) got: i64,
    pub(super) freed: i64,
}

impl Event {
    /// As call sites have it, who see no deallocations.
    pub(super) fn recorded(self) -> Option<stacks::Event> {
        let size = self.got as u64;
        match self.word {
            Word::Allocs => Some(stacks::Event { size, old_size: None }),
            Word::Reallocs => Some(stacks::Event { size, old_size: Some(self.freed as u64) }),
            _ => None,
        }
    }

    /// A block that is freed is no longer live. To be called before the inner allocator has it.
    pub(super) fn forget_freed(&self) {
        if self.word == Word::Deallocs && blocks::is_tracking() {
            blocks::forget(self.address);
        }
    }

    /// The block as it is after the event, unless that frees it.
    pub(super) fn block(self) -> Block {
        Block { address: self.address, size: self.got as u64 }
    }
}
