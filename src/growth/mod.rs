//! Cold: how what code allocates grows with the size of its input, and whether that is allowed.
//!
//! - [`order`]: `Order`; [`builder`]: `Growth`, which order is allowed of each metric, with
//!   [`limits`];
//! - [`enforce`]: measures, and holds what was measured to one;
//! - [`plan`]: at which sizes to measure; [`samples`]: what was measured; [`rule`]: the order that
//!   fits the numbers;
//! - [`outgrown`]: the error that users get; [`report`]: its text; [`sites`]: how each call site
//!   grows.

mod builder;
mod enforce;
mod limits;
mod order;
mod outgrown;
mod plan;
mod report;
mod rule;
mod samples;
#[cfg(feature = "backtraces")]
mod sites;

pub use builder::Growth;
pub use enforce::{fail, fail_with};
pub use order::Order;
pub(crate) use outgrown::Form;
pub use outgrown::Outgrown;
