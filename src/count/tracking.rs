//! Hot: `Tracking`, a scope's hold on the table of live blocks: as long as there is one, all threads say which blocks they free.

use std::sync::atomic::Ordering::Relaxed;

use super::frames::Fresh;
use super::ledger::Word;
use super::pool::{Links, Pool, Pooled};
use super::registry::LEDGERS;
use super::thread::EVERY_DEALLOC;
use crate::record::{self, Retained, Stack};

static ITEMS: Pool<Item> = Pool::new();

struct Item {
    retained: Retained,
    links: Links<Item>,
}

impl Pooled for Item {
    const NEW: Self = Self { retained: Retained::NEW, links: Links::NEW };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The blocks that are allocated for one scope, and which of them are live. Dropping it ends that.
pub(crate) struct Tracking {
    item: &'static Item,
    tracked: Tracked,
}

/// Where frames enter the blocks of a scope.
#[derive(Clone, Copy)]
pub(crate) struct Tracked {
    retained: &'static Retained,
    serial: u64,
}

/// Blocks that are live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// How many found no room in the table; they are in no other number.
    pub(crate) lost: u64,
}

/// Begins to track; `None` without memory.
pub(crate) fn track() -> Option<Tracking> {
    let item = ITEMS.take()?;
    if !item.retained.begin() {
        item.links.give_back();
        return None;
    }
    let tracked = Tracked { retained: &item.retained, serial: item.retained.serial() };
    watch_all_frees();
    Some(Tracking { item, tracked })
}

/// Sends every deallocation of every thread to the slow half, as `registry::record_everywhere` does with allocations. `begin` has
/// raised the flag.
fn watch_all_frees() {
    for ledger in LEDGERS.iter() {
        ledger.word(Word::Floor).store(EVERY_DEALLOC, Relaxed);
    }
}

/// The blocks of the whole process, for one profiler at a time. Dropping it ends that.
pub(crate) struct TrackingAll(());

/// `None` if another profiler tracks them already, or there is no memory.
pub(crate) fn track_all() -> Option<TrackingAll> {
    if !record::track_all_blocks() {
        return None;
    }
    watch_all_frees();
    Some(TrackingAll(()))
}

impl Drop for TrackingAll {
    fn drop(&mut self) {
        record::stop_tracking_all();
    }
}

impl Tracking {
    pub(crate) fn tracked(&self) -> Tracked {
        self.tracked
    }

    pub(crate) fn live(&self) -> Live {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let retained = &self.item.retained;
        Live {
            blocks: number(retained.blocks()),
            bytes: number(retained.bytes()),
            lost: retained.lost(),
        }
    }

    /// Shows `visit` where each live block was allocated first, and its size.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        self.item.retained.visit(visit);
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        self.item.retained.end();
        self.item.links.give_back();
    }
}

impl Tracked {
    /// A fresh block belongs to the scope, and to no other yet if `is_first`.
    #[inline]
    pub(super) fn insert(self, fresh: Fresh, stack: Option<&'static Stack>, is_first: bool) {
        self.retained.insert(self.serial, fresh.address, fresh.size, stack, is_first);
    }
}

#[cfg(test)]
mod tests {
    use super::track;

    #[test]
    fn a_hold_that_is_dropped_tracks_no_more() {
        let tracking = track().expect("memory");
        let tracked = tracking.tracked();
        assert_eq!(tracked.retained.serial(), tracked.serial);
        drop(tracking);
        // Another test may have taken it since.
        assert_ne!(tracked.retained.serial(), tracked.serial);
    }
}
