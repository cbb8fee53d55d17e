//! Cold: call sites, the stacks of a recording as lines of the user's code: data, texts, and their
//! part of a failure report.

pub(crate) mod advice;
pub(crate) mod built;
mod chain;
pub(crate) mod code;
mod cycles;
pub(crate) mod detailed;
#[cfg(test)]
pub(crate) mod fixture;
mod folded;
mod frame;
mod frames;
pub(crate) mod harness;
mod items;
mod list;
mod names;
mod of_recording;
mod opening;
mod paths;
pub(crate) mod place;
mod resolver;
pub(crate) mod rows;
pub(crate) mod site;
mod snapshot;
pub(crate) mod source;
mod thread_start;
mod threads;
mod tokens;

pub use frame::Frame;
pub use list::CallSites;
#[cfg(feature = "dhat-compat")]
pub(crate) use names::is_allocator_shim;
pub(crate) use of_recording::of_recording;
#[cfg(feature = "dhat-compat")]
pub(crate) use opening::common as common_with_opening;
pub use site::{Site, SortBy};
pub(crate) use thread_start::may_be_thread_start;
pub(crate) use threads::starts_threads;
