//! Cold: DHAT's file format: the text that is made of a profile, and where it is written.
//!
//! - [`document`]: the text; [`frame_table`]: which frames are in it; [`json`]: how strings are
//!   written; [`to_json`]: the text of call sites;
//! - [`file`]: replaces a file as a whole; [`lock`]: a lock that a forked child cannot wait for;
//! - [`broken_budget`]: the file of a broken budget.

mod broken_budget;
mod document;
mod file;
mod frame_table;
mod json;
mod lock;
mod to_json;

pub(crate) use broken_budget::save_in;
pub(crate) use document::text;
pub(crate) use file::write;
pub(crate) use lock::lock;
