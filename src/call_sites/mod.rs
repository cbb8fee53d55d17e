//! Cold: call sites, the stacks of a recording as lines of the user's code: data, texts, and their part of a failure report.

pub(crate) mod advice;
pub(crate) mod built;
pub(crate) mod code;
mod cut;
mod cycles;
pub(crate) mod detailed;
#[cfg(test)]
pub(crate) mod fixture;
mod folded;
mod frames;
pub(crate) mod harness;
mod model;
mod names;
mod order;
mod paths;
pub(crate) mod place;
pub(crate) mod rows;
pub(crate) mod sites;
mod snapshot;
pub(crate) mod source;
mod thread_start;
mod threads;

#[cfg(feature = "dhat-compat")]
pub(crate) use cut::common as common_with_opening;
pub(crate) use model::call_sites;
#[cfg(feature = "dhat-compat")]
pub(crate) use names::is_allocator_shim;
pub(crate) use order::Order;
pub(crate) use sites::Numbers;
pub use sites::{CallSites, Frame, Site, SortBy};
pub(crate) use thread_start::may_be_thread_start;
pub(crate) use threads::starts_threads;
