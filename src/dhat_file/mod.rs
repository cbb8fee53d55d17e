//! Cold: DHAT's file format: the text that is made of a profile, and where it is written.
//!
//! - [`document`]: the text; [`frame_table`]: which frames are in it; [`to_json`]: the text of call
//!   sites;
//! - [`broken_budget`]: the file of a broken budget.

mod broken_budget;
mod document;
mod frame_table;
mod to_json;

pub(crate) use broken_budget::save_in;
pub(crate) use document::text;
