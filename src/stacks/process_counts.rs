//! Hot: `ProcessCounts`, what all threads together have counted at one stack, while anyone
//! profiled. Each stack has one.

use std::sync::atomic::Ordering::Relaxed;

use super::site_counts::SiteCounts;
use crate::counters::Event;
use crate::sys::AtomicU64;

pub(super) struct ProcessCounts {
    allocs: AtomicU64,
    reallocs: AtomicU64,
    bytes: AtomicU64,
}

impl ProcessCounts {
    pub(super) const fn new() -> Self {
        Self { allocs: AtomicU64::new(0), reallocs: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    pub(super) fn count(&self, event: &Event) {
        self.bytes.fetch_add(event.size(), Relaxed);
        let events = if event.is_fresh() { &self.allocs } else { &self.reallocs };
        events.fetch_add(1, Relaxed);
    }

    pub(super) fn load(&self) -> SiteCounts {
        SiteCounts {
            allocs: self.allocs.load(Relaxed),
            reallocs: self.reallocs.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            ..SiteCounts::ZERO
        }
    }
}
