//! Cold: call sites, the stacks of a recording as lines of the user's code.
//!
//! - `of_recording`: makes sites of a recording, with all that follows;
//! - [`frames`]: what is at its addresses; [`resolver`]: makes frames of symbols; [`code`]: whose
//!   code a frame is, by [`paths`] and by [`names`];
//! - [`source`]: the user's source files; [`items`]: which function is where in them;
//! - [`frame_list`]: a number for each distinct frame; [`opening`]: what lies above the scope;
//!   [`chain`]: what remains of a stack; [`merged`]: stacks that read the same; [`chains`]: all
//!   that remains, in order;
//! - [`frame`], [`site`], [`list`]: `Frame`, `Site` and `CallSites`, which users see;
//! - [`snapshot`], [`detailed`], [`folded`]: the texts of `CallSites`; [`diff`]: what changed
//!   between two of them;
//! - [`rows`], [`place`], [`advice`]: what a report says of a site; [`cycles`]: how recursion is
//!   left out;
//! - [`built`]: how the program was built; [`harness`], [`thread_start`]: what the test harness
//!   allocates, and what std does to start a thread.

pub(crate) mod advice;
pub(crate) mod built;
mod chain;
mod chains;
mod code;
mod cycles;
pub(crate) mod detailed;
pub(crate) mod diff;
#[cfg(test)]
pub(crate) mod fixture;
mod folded;
mod frame;
mod frame_list;
mod frames;
pub(crate) mod harness;
mod items;
mod list;
mod merged;
mod names;
mod of_recording;
mod opening;
mod paths;
pub(crate) mod place;
mod resolver;
pub(crate) mod rows;
pub(crate) mod site;
pub(crate) mod snapshot;
pub(crate) mod source;
mod thread_start;
mod through;

pub use diff::{CallSitesDiff, Change, SiteChange};
pub use frame::Frame;
pub use list::CallSites;
#[cfg(feature = "dhat-compat")]
pub(crate) use names::is_allocator_shim;
pub(crate) use of_recording::of_recording;
#[cfg(feature = "dhat-compat")]
pub(crate) use opening::common as common_with_opening;
pub use site::{Site, SortBy};
pub(crate) use thread_start::{may_be_thread_start, starts_threads};
