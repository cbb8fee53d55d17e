//! Hot: the stacks that are kept, and what was counted at each. While a scope records, each
//! allocation event of its thread is walked (`walk`), its stack is interned, and it is counted in a
//! table of the scope.
//!
//! - [`tracer`]: a thread's way from its registers to an interned stack;
//! - [`stack`]: the interned stacks;
//! - [`site_counts`]: what is counted at one stack; [`site_table`] and [`shared_site_table`]: at
//!   all stacks of a scope;
//! - [`scope_record`]: what one scope keeps; these nest as the scopes do;
//! - [`largest_blocks`]: the largest block at each stack of a scope, for those who ask;
//!   [`held_code`]: whose budget that is;
//! - [`first_overrun`] and [`shared_sums`]: the event that first goes past a limit;
//!   [`breakpoint`]: stops there for a debugger;
//! - [`process_counts`]: what the whole process has counted at a stack, kept with the stack;
//!   [`process_sites`]: counts there, and reads it.

mod breakpoint;
mod first_overrun;
mod held_code;
mod largest_blocks;
mod process_counts;
mod process_sites;
mod scope_record;
mod shared_site_table;
mod shared_sums;
mod site_counts;
mod site_table;
mod stack;
mod stack_index;
mod tracer;

pub(crate) use breakpoint::{has_passed_breakpoint, set_breakpoint, stop_in_debugger};
pub(crate) use first_overrun::FirstOverrun;
pub(crate) use held_code::HeldCode;
pub(crate) use largest_blocks::LargestBlocks;
pub(crate) use process_sites::{
    is_profiling, profile_event, profiled, start_profiling, stop_profiling,
};
pub(crate) use scope_record::{Records, ScopeRecords};
pub(crate) use shared_site_table::SharedSiteTable;
pub(crate) use shared_sums::{SharedSums, Watch};
pub(crate) use site_counts::{Growth, SiteCounts};
pub(crate) use stack::{interrupting_stack, visit_stacks, Stack};
#[cfg(test)]
pub(crate) use stack::{made_up_stack, made_up_walk};
pub(crate) use tracer::Tracer;
