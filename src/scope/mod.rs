//! Cold: scopes, which attribute what a thread allocates to a stretch of its code. They are thin
//! guards over the scopes that `threads` keeps, with the checks that keep a wrong use from giving
//! wrong numbers.
//!
//! - [`alloc_scope`]: the guard that users hold; [`mod@measure`]: a closure in one;
//!   [`mod@uncounted`]: a stretch that is left out; [`mod@permit`]: the same with a reason;
//!   [`uncounted_future`]: the same for a future.
//! - [`handle`]: how other threads add to a scope; [`instrumented`]: how a future does.
//! - [`budgeted`]: the scope of code that is held to a budget; [`metered`]: that of a future;
//!   [`measurement`]: what either says at its end.
//! - [`tracker`]: which blocks are live at the end, with [`later_threads`], which says whether
//!   threads are ending that will free some.
//! - [`wants`]: what somebody wants to know of a scope, which opens it accordingly; [`opened`]:
//!   panics where there is no memory for one; [`unmeasured`]: why one has no numbers.
//!
//! What is generic, and what is `inline`, is compiled in the user's crate. So the work is done by
//! functions that are neither, and `inline` stands on what users call only without debug
//! assertions: a user who optimises this package alone in debug builds gets optimised scopes.

mod alloc_scope;
mod budgeted;
mod handle;
mod instrumented;
mod later_threads;
mod measure;
mod measurement;
mod metered;
mod opened;
mod permit;
mod tracker;
mod uncounted;
mod uncounted_future;
mod unmeasured;
mod wants;

pub use alloc_scope::AllocScope;
pub(crate) use budgeted::Budgeted;
pub use handle::{Attached, ScopeHandle};
pub use instrumented::Instrumented;
pub use measure::measure;
pub(crate) use measurement::{Measured, Measurement};
pub(crate) use metered::Metered;
pub use permit::permit;
pub use uncounted::uncounted;
pub(crate) use uncounted_future::UncountedFuture;
pub(crate) use unmeasured::Unmeasured;
pub(crate) use wants::{MostLive, Wants};
