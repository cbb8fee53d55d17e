//! Cold: numbers in the source of a budget that are updated, as `MOD_ALLOC_UPDATE` asks: an `exact`
//! that was not measured, and under `lower` a `max` that is higher than what was.
//!
//! - [`update`]: which number becomes which; [`written`]: what this process has written, and how;
//! - [`text`]: where the number stands in a source;
//! - [`refusal`]: why one stays as it is.

mod refusal;
mod text;
mod update;
mod written;

pub(crate) use refusal::Refusal;
pub(super) use update::{update, update_held};
