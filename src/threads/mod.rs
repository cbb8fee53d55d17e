//! Hot: what becomes of an allocation on the thread that makes it. The allocator reports each event
//! here; scope guards and profilers read here what was counted.
//!
//! From the event outwards:
//! - [`events`]: what an event does, a frequent half and a slow half;
//! - [`state`]: what there is of one thread: its counters, and the scopes that are open on it;
//! - [`current_thread`]: what a thread does with its own state; [`adoption`]: how it comes to one;
//!   [`retirement`] and [`thread_exit`]: how it gives that back, at its end;
//! - [`slow_event`]: what the slow half of an event does there; [`interruptions`]: what signal
//!   handlers do while the state is in use;
//! - [`open_scope`]: a scope's hold on its thread; [`attached`]: that of another thread on a scope;
//! - [`tracking`]: a scope's hold on the table of live blocks;
//! - [`registry`]: all threads; one that starts adopts a state that one that has ended gave back;
//! - [`flushed`] and [`process_peak`](mod@process_peak): the highest net bytes of the process.

mod adoption;
mod attached;
mod current_thread;
mod events;
mod flushed;
mod interruptions;
mod open_scope;
mod process_peak;
mod registry;
mod retirement;
mod slow_event;
mod state;
mod thread_exit;
mod tracking;

pub(crate) use attached::{attach, attach_for_good, AttachedThread};
pub(crate) use current_thread::flush;
pub(crate) use events::{after_realloc, before_realloc, frequent, on_alloc, on_realloc, SlowEvent};
pub(crate) use open_scope::{
    freeze, is_inside, open, open_recording, open_uncounted, share_innermost, stack_here,
    OpenScope, ShareError,
};
pub(crate) use process_peak::{process_peak, restart_process_peak, start_peak, PeakFrom};
pub(crate) use registry::{
    events_everywhere, is_first_thread, record_everywhere, totals, EveryAllocation,
};
pub(crate) use slow_event::{begin_realloc, end_realloc};
pub(crate) use tracking::{profile_process, track, Live, Tracking};
