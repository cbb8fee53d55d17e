//! Hot: call sites. While a scope records, every allocation event of its thread is walked (`walk`), its stack interned
//! ([`stack`]) and counted in a table of the scope ([`tallies`]). Called by `count` from the slow half of an event; read by
//! `scope` and `process` when a report is made.
//!
//! - [`tracer`]: a thread's walker, from registers to an interned stack;
//! - [`layer`]: what one scope keeps; layers nest as the scopes do;
//! - [`retained`] and [`live`]: which blocks of a scope are live, for leaks;
//! - [`profile`]: the counts of the whole process, kept with the stacks, for profilers;
//! - [`points`]: heap profiles, of a scope or [of the process](of_process): what the blocks of each stack come to, and when.

mod birth;
mod breakpoint;
mod clock;
mod first_past;
mod layer;
mod live;
mod nodes;
mod of_process;
mod point;
mod points;
mod profile;
#[cfg(test)]
mod random_tests;
mod retained;
mod shared_sums;
mod shared_tallies;
mod side_stack;
mod stack;
mod stack_index;
mod tallies;
mod tally;
mod tracer;

pub(crate) use breakpoint::{is_passed, set as set_breakpoint, stop};
pub(crate) use first_past::{FirstPast, Sums};
pub(crate) use layer::{Layers, Records};
pub(crate) use live::{forget, put_back, take, Taken};
pub(crate) use of_process::{enter_block, reenter_block, OfProcess};
pub(crate) use point::{Blocks, Point, PointNumbers};
pub(crate) use points::{Points, Times};
pub(crate) use profile::{is_profiling, profile_event, profiled, start_profiling, stop_profiling};
pub(crate) use retained::{is_tracking, Retained};
pub(crate) use shared_sums::{SharedSums, Watch};
pub(crate) use shared_tallies::SharedTallies;
pub(crate) use side_stack::SideStack;
#[cfg(test)]
pub(crate) use stack::made_up_stack;
pub(crate) use stack::{interrupting_stack, visit_stacks, Stack};
pub(crate) use tally::{Event, Growth, Tally};
pub(crate) use tracer::Tracer;
