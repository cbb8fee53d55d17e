//! Cold: what people read: the text of a broken budget, and `AllocStats` in words.

#[cfg(feature = "backtraces")]
mod call_sites;
mod number;
mod stats;
mod text;

#[cfg(feature = "backtraces")]
pub(crate) use call_sites::{call_sites, harness, may_be_thread_start, Numbers};
#[cfg(feature = "dhat-compat")]
pub(crate) use call_sites::{common_with_opening, is_allocator_shim};
#[cfg(feature = "backtraces")]
pub use call_sites::{CallSites, Frame, Site, SortBy};
pub(crate) use number::counted;
#[cfg(feature = "dhat-compat")]
pub(crate) use number::grouped;
pub(crate) use text::text;
