//! Hot: the walker for x86_64 Linux with glibc or musl.
//!
//! From the walk inwards:
//! - [`walker`]: walks, and remembers the last walk in order to verify it instead of repeating it;
//! - [`loops`]: its three loops, in assembly;
//! - [`registers`]: where a walk begins; [`bounds`]: how far a thread's stack reaches;
//! - [`rules`]: the rules known so far; what to do at one that is not;
//! - [`modules`]: which program or library an address lies in, as [`find_object`] or else [`iterate`] says, with [`elf`];
//!   [`replaced`]: whether one lies in place of another;
//! - [`header`], [`eh_frame`], [`bytes`]: from a module's unwind tables to a rule. Pure functions of bytes.

mod bounds;
mod bytes;
mod eh_frame;
mod elf;
#[cfg_attr(not(target_env = "gnu"), path = "no_find_object.rs")]
mod find_object;
mod header;
mod iterate;
mod loops;
#[cfg(test)]
mod made_up_tests;
mod modules;
mod registers;
mod replaced;
mod rules;
#[cfg(test)]
mod tests;
mod walker;

use super::{rule, Caller, Cfa, SavedRbp, Stop, Walked, MAX_FRAMES};

pub(crate) use bounds::is_on_first_stack;
pub(crate) use iterate::{is_forked, prepare, watch_forks};
pub(crate) use registers::Registers;
pub(crate) use rules::caller_at;
pub(crate) use walker::Walker;

/// Stacks can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> = None;
