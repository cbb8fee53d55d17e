//! Cold: copies of what the hot tables hold. Reports, snapshots and profiles are made from them.
//!
//! - [`recording`]: what a scope has recorded, in [`compact_counts`]; [`process_recorder`]: the
//!   same of the process; [`program_points`]: a heap profile; [`dhat_profile`]: any of these, as
//!   DHAT has it.
//! - [`mod@return_addresses`]: those of one stack.

mod compact_counts;
#[cfg(feature = "dhat-compat")]
mod dhat_profile;
#[cfg(feature = "backtraces")]
mod process_recorder;
mod program_points;
mod recording;
#[cfg(feature = "backtraces")]
mod return_addresses;

pub(crate) use compact_counts::CompactCounts;
#[cfg(feature = "dhat-compat")]
pub(crate) use dhat_profile::{DhatKind, DhatProfile};
#[cfg(feature = "backtraces")]
pub(crate) use process_recorder::ProcessRecorder;
pub(crate) use program_points::ProgramPoints;
pub(crate) use recording::Recording;
#[cfg(feature = "backtraces")]
pub(crate) use return_addresses::return_addresses;
