//! Cold: `Tracker`, which of a budget's blocks are live at its end, and which was the largest.
//!
//! When a thread ends, the standard library frees what it had allocated to start it. To join the
//! thread is to wait for that, but `std::thread::scope` waits only for the closures of its threads.
//! So a limit that would not hold is looked at again, for as long as there are busy threads that
//! have begun within the budget, up to a bound.
//!
//! Blocks that are known not to be of that kind are not waited for. Otherwise it would depend on
//! what other tests do meanwhile whether a block that is freed a little later counts as leaked.

use std::thread;
use std::time::{Duration, Instant};

use super::later_threads::{later_threads, Later};
use super::wants::{MostLive, Wants};
#[cfg(feature = "backtraces")]
use crate::call_sites;
#[cfg(feature = "backtraces")]
use crate::counters;
use crate::stacks::LargestBlocks;
use crate::threads::{Live, Tracking};

pub(crate) struct Tracker {
    tracking: Tracking,
    /// What the budget lets live at its end, if it limits that.
    most: Option<MostLive>,
    begun: Instant,
}

/// For how long to wait for threads that are busy, and may be at their end.
const WAIT: Duration = Duration::from_secs(1);

/// For how long to wait while all of them sleep, which a thread at its end does not do for long, or
/// while nobody says what they do.
const SHORT_WAIT: Duration = Duration::from_millis(5);

impl Tracker {
    /// Begins to follow blocks, if somebody wants to know of them.
    #[track_caller]
    pub(super) fn begin(wants: &Wants) -> Option<Self> {
        let tracking = wants.track()?;
        Some(Self { tracking, most: wants.leaks, begun: Instant::now() })
    }

    pub(super) fn tracking(&self) -> &Tracking {
        &self.tracking
    }

    /// What is live now that the code has come to its end, if that was asked for.
    pub(super) fn live_at_end(&self) -> Option<Live> {
        let (live, most) = (self.tracking.live()?, self.most?);
        Some(if most.holds(live) { live } else { self.wait_for_ends(live, most) })
    }

    /// The largest block that was requested; 0 if that was not asked for.
    pub(super) fn largest_block(&self) -> u64 {
        self.tracking.largest().map_or(0, LargestBlocks::largest)
    }

    /// What is live and was not allocated by the standard library to start a thread, as far as
    /// stacks tell.
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
    fn wait_for_ends(&self, mut live: Live, most: MostLive) -> Live {
        let least = self.beside_thread_starts();
        let start = Instant::now();
        // Since when all of them have been asleep.
        let mut asleep = None;
        loop {
            let later = later_threads(self.begun);
            // In this order: a thread that had ended then has freed all that it frees.
            live = self.tracking.live().unwrap_or(live);
            live.blocks = live.blocks.max(least.blocks);
            live.bytes = live.bytes.max(least.bytes);
            let is_rest = live.blocks + live.lost == least.blocks;
            if most.holds(live) || is_rest || later == Some(Later::Ended) {
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
