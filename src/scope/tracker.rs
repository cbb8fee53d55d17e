//! Cold: `Tracker`, which of a budget's blocks are live at its end.
//!
//! When a thread ends, std frees what it has allocated to start it. Who joins the thread comes after that, but
//! `std::thread::scope` waits only for what its threads do. So a limit that would not hold is looked at again for as long as
//! threads are there that have begun within, up to a bound.

use std::thread;
use std::time::{Duration, Instant};

use super::later_threads::has_later_threads;
use crate::count::{Live, Tracking};

/// The most blocks that a budget lets live at its end, and the most bytes in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MostLive {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl MostLive {
    fn holds(self, live: Live) -> bool {
        live.blocks + live.lost <= self.blocks && live.bytes <= self.bytes
    }
}

pub(crate) struct Tracker {
    tracking: Tracking,
    most: MostLive,
    begun: Instant,
}

/// For how long to wait for threads that may end, and where nobody says whether there are any.
const WAIT: Duration = Duration::from_secs(1);
const BLIND_WAIT: Duration = Duration::from_millis(10);

impl Tracker {
    pub(super) fn new(tracking: Tracking, most: MostLive) -> Self {
        Self { tracking, most, begun: Instant::now() }
    }

    pub(super) fn tracking(&self) -> &Tracking {
        &self.tracking
    }

    /// What is live now that the code has come to its end, if that was asked for.
    pub(super) fn live_at_end(&self) -> Option<Live> {
        let live = self.tracking.live()?;
        Some(if self.most.holds(live) { live } else { self.wait_for_ends(live) })
    }

    #[cold]
    fn wait_for_ends(&self, mut live: Live) -> Live {
        let start = Instant::now();
        loop {
            let wait = match has_later_threads(self.begun) {
                Some(true) => WAIT,
                Some(false) => Duration::ZERO,
                None => BLIND_WAIT,
            };
            // After that question: a thread that has ended by then has freed all that it frees.
            live = self.tracking.live().unwrap_or(live);
            let waited = start.elapsed();
            if self.most.holds(live) || waited >= wait {
                return live;
            }
            if waited < BLIND_WAIT {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
