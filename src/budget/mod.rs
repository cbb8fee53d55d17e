//! Cold: budgets, which are sets of limits on what a piece of code may allocate, and the ways to
//! hold code to them. Here is only judged: `report` makes the text of a broken budget.
//!
//! - [`builder`]: `Budget`; [`limits`]: what can be limited; [`setting`]: what the macros set;
//! - [`enforce`]: holds a closure or a block to one, [`future`] a future, [`repeated`] several
//!   runs;
//! - [`origin`]: which code that was; [`environment`]: the variables that are asked;
//! - [`broken`]: what broke a budget, without the test harness; [`runs`]: in several runs;
//!   [`exceeded`]: the error that users get; [`panics`]: the panic with its report, which is
//!   printed in colour where [`colour`] says so;
//! - [`recorded`]: limits that are kept in files; [`literal`]: numbers of the source that are
//!   updated;
//! - [`elsewhere`]: what other threads have allocated meanwhile; [`refused`]: which line asked for
//!   a block that the allocator refuses.

mod broken;
mod builder;
mod colour;
mod elsewhere;
mod enforce;
mod environment;
mod exceeded;
mod future;
mod held;
mod limits;
mod literal;
mod log;
mod origin;
mod panics;
mod recorded;
mod refused;
mod repeated;
mod runs;
mod say;
mod setting;
mod warnings;

pub use builder::Budget;
pub use exceeded::Exceeded;
pub use future::{CheckFuture, EnforceFuture};
pub use repeated::Repeated;

#[cfg(feature = "backtraces")]
pub(crate) use broken::sites as sites_without_harness;
pub(crate) use broken::Broken;
pub(crate) use enforce::unless_panicking;
pub use enforce::{fail, fail_with, Guard};
pub(crate) use environment::are_call_sites_recorded;
#[cfg(feature = "backtraces")]
pub(crate) use environment::{dhat_folder, mode, Mode};
pub(crate) use exceeded::ExceededData;
pub(crate) use future::{Closer, Counted};
pub(crate) use limits::{Limit, Metric};
pub(crate) use origin::Entrance;
pub use origin::Origin;
pub(crate) use panics::panic_with;
pub(crate) use recorded::{Recorded, Verdict};
pub(crate) use runs::Runs;
pub(crate) use setting::budget as of_settings;
pub use setting::Setting;
