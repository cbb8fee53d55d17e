//! Cold: call sites, the stacks of a recording as lines of the user's code: data, texts, and their part of a failure report.

mod advice;
mod built;
mod code;
mod cut;
mod cycles;
mod detailed;
mod failure;
#[cfg(test)]
mod fixture;
mod folded;
mod frames;
pub(crate) mod harness;
mod model;
mod names;
mod order;
mod paths;
mod place;
mod rows;
mod sites;
mod snapshot;
mod source;
mod thread_start;
mod threads;

#[cfg(feature = "dhat-compat")]
pub(crate) use cut::common as common_with_opening;
pub(crate) use failure::{push_call_sites, List, Mode, Subject};
pub(crate) use model::call_sites;
#[cfg(feature = "dhat-compat")]
pub(crate) use names::is_allocator_shim;
pub(crate) use order::Order;
pub(crate) use sites::Numbers;
pub use sites::{CallSites, Frame, Site, SortBy};
pub(crate) use thread_start::may_be_thread_start;
pub(crate) use threads::starts_threads;
