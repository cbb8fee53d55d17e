//! Cold: copies of what the hot tables hold, made for a reader: what a report, a snapshot or a profile
//! is made from.
//!
//! - [`recording`]: what a scope has recorded; [`program_points`]: a heap profile.

mod program_points;
mod recording;

pub(crate) use program_points::ProgramPoints;
pub(crate) use recording::Recording;
