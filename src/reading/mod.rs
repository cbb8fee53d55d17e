//! Cold: copies of what the hot tables hold, made for a reader: what a report, a snapshot or a profile
//! is made from.
//!
//! - [`recording`]: what a scope has recorded; [`program_points`]: a heap profile;
//!   [`dhat_profile`]: either, as DHAT has it.

#[cfg(feature = "dhat-compat")]
mod dhat_profile;
mod program_points;
mod recording;

#[cfg(feature = "dhat-compat")]
pub(crate) use dhat_profile::{DhatKind, DhatProfile};
pub(crate) use program_points::ProgramPoints;
pub(crate) use recording::Recording;
