//! Cold: what all targets have in common where stacks are walked: [`resolve`], with [`layout`] and
//! [`parse`]. `tests` is listed for the targets where it holds.
//!
//! A file of `symbolize/targets` puts beside it, for each target:
//! - `arch`: `trampoline`, the call from which an unwinder climbs into memory of our own;
//! - `files`: `Modules`, what is loaded and what std may be asked of it; `caller`, which addresses
//!   may be laid out; `hold`, while nothing is unloaded;
//! - `threads`: `on_a_roomy_thread` and `start_thread`; `waiting`: how long one is waited for.

mod layout;
pub(crate) mod parse;
pub(crate) mod resolve;

pub(crate) use resolve::resolve;
