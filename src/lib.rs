// Cold: the crate's front page. Documentation and re-exports; no logic.

//! docs

mod allocator;
mod budget;
mod count;
mod installed;
mod macros;
mod process;
mod report;
mod scope;

pub use allocator::ModAlloc;
pub use budget::{Budget, CheckFuture, EnforceFuture, Exceeded, Repeated};
pub use count::AllocStats;
pub use mod_alloc_macros::alloc_budget;
pub use process::Profiler;
pub use scope::{measure, uncounted, AllocScope};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(test)]
#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();
