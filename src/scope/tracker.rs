//! Cold: `Tracker`, which of a budget's blocks are live at its end.
//!
//! When a thread ends, std frees what it has allocated to start it. Who joins the thread comes after that, but
//! `std::thread::scope` waits only for what its threads do. So a limit that would not hold is looked at again for as long as
//! threads are busy that have begun within, up to a bound. What is known not to be std's is not waited for: else it would hang on
//! what other tests do meanwhile whether a block that is freed a little later counts as leaked.

use std::thread;
use std::time::{Duration, Instant};

use super::later_threads::{later_threads, Later};
#[cfg(feature = "backtraces")]
use crate::call_sites;
#[cfg(feature = "backtraces")]
use crate::counters;
use crate::threads::{Live, Tracking};

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

/// For how long to wait for threads that are busy, and may be at their end.
const WAIT: Duration = Duration::from_secs(1);

/// For how long to wait while all of them sleep, as no thread at its end does for long, or nobody says what they do.
const SHORT_WAIT: Duration = Duration::from_millis(5);

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

    /// What was allocated by others than std for its threads, as far as stacks tell.
    #[cfg(feature = "backtraces")]
    fn beside_thread_starts(&self) -> Live {
        counters::ignored(|_| {
            let mut blocks = Vec::new();
            self.tracking.visit_live(&mut |stack, size| blocks.push((stack, size)));
            let mut live = Live::default();
            for (stack, size) in blocks {
                if stack.is_some_and(|stack| !call_sites::may_be_thread_start(stack)) {
                    live.blocks += 1;
                    live.bytes = live.bytes.saturating_add(size);
                }
            }
            live
        })
    }

    #[cfg(not(feature = "backtraces"))]
    fn beside_thread_starts(&self) -> Live {
        Live::default()
    }

    #[cold]
    fn wait_for_ends(&self, mut live: Live) -> Live {
        let least = self.beside_thread_starts();
        let start = Instant::now();
        // From when on all of them slept.
        let mut asleep = None;
        loop {
            let later = later_threads(self.begun);
            // After that question: a thread that has ended by then has freed all that it frees.
            live = self.tracking.live().unwrap_or(live);
            live.blocks = live.blocks.max(least.blocks);
            live.bytes = live.bytes.max(least.bytes);
            let is_rest = live.blocks + live.lost == least.blocks;
            if self.most.holds(live) || is_rest || later == Some(Later::Ended) {
                return live;
            }
            asleep = match later {
                Some(Later::Busy) => None,
                _ => asleep.or_else(|| Some(Instant::now())),
            };
            let is_long_asleep = asleep.is_some_and(|since| since.elapsed() >= SHORT_WAIT);
            if is_long_asleep || start.elapsed() >= WAIT {
                return live;
            }
            if start.elapsed() < SHORT_WAIT {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_millis(1));
            }
        }
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
