//! Hot: the counting core. Each thread writes its own [`ledger`]; scopes read it by subtraction, process totals by
//! summing all ledgers. Called by the allocator at each event, and by `scope` and `process` to read the numbers.
//!
//! The parts, from the event outwards:
//! - [`events`]: what an allocation event does, a fast half and a rare half;
//! - [`ledger`]: a thread's counters; [`current`]: which ledger the current thread writes;
//! - [`frames`]: the scopes open on a thread, innermost last;
//! - [`thread`]: what a thread does with its own ledger; [`open_frame`]: a scope's hold on it;
//! - [`shared`]: a scope that other threads add to; [`attached`]: their hold on it;
//! - [`interruptions`]: what signal handlers do while the thread's frames are in use;
//! - [`registry`]: all ledgers; a thread that starts adopts one, a thread that ends returns it;
//! - [`tracking`]: which blocks of a scope are live;
//! - [`peak`]: the highest net bytes of the process, for `snapshot()` and each running profiler.

mod attached;
mod counts;
mod current;
mod events;
mod frames;
mod interruptions;
mod ledger;
mod open_frame;
mod peak;
mod pool;
mod registry;
mod shared;
mod stats;
mod thread;
mod thread_exit;
mod tracking;

pub(crate) use crate::record::is_tracking;
pub(crate) use attached::{attach, attach_for_good, AttachedFrame};
pub(crate) use counts::Counts;
pub(crate) use current::{ignored, ignored_allocs};
pub(crate) use events::{on_alloc, on_dealloc, on_realloc, slow_dealloc};
pub(crate) use frames::{Kind, Reading};
pub(crate) use open_frame::{
    freeze, is_inside, open, open_hidden, open_recording, share_innermost, stack_here, OpenFrame,
    ShareError,
};
pub(crate) use peak::{process_peak, restart_process_peak, start_peak, Above, PeakFrom};
pub(crate) use registry::{
    events_elsewhere, events_everywhere, is_first_thread, record_everywhere, totals,
    EveryAllocation,
};
pub(crate) use shared::{Shared, SharedRef};
pub use stats::AllocStats;
pub(crate) use thread::{flush, put_back, take};
pub(crate) use tracking::{profile_process, track, Live, ProcessProfile, Track, Tracking};
