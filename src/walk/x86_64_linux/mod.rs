//! Hot: the walker for x86_64 Linux with glibc or musl.
//!
//! From the walk inwards:
//! - [`walker`]: walks, and remembers the last walk in order to verify it instead of repeating it;
//! - [`walk`]: one walk, step by step; [`loops`]: the three loops of a walk, in assembly;
//! - [`side_stack`]: the stack on which that is done;
//! - [`registers`]: where a walk begins; [`bounds`]: how far a thread's stack reaches;
//!   [`forks`]: whether `fork` made this process;
//! - [`rules`]: the look-up of a rule; [`rule_table`]: those that are known;
//! - [`modules`]: which [`module`] (program or library) an address lies in, as [`find_object`] or
//!   else [`iterate`] says, with [`elf`], and what is kept of the last one; [`replaced`]: whether
//!   one lies in place of another;
//! - [`header`], [`eh_frame`], [`frame_program`], [`bytes`]: from a module's unwind tables to a
//!   rule. Pure functions of bytes.

mod bounds;
mod bytes;
mod eh_frame;
mod elf;
#[cfg_attr(not(target_env = "gnu"), path = "no_find_object.rs")]
mod find_object;
mod forks;
mod frame_program;
mod header;
mod iterate;
mod loops;
#[cfg(test)]
mod made_up_tests;
mod module;
mod modules;
mod registers;
mod replaced;
mod rule_table;
mod rules;
mod side_stack;
#[cfg(test)]
mod tests;
mod walk;
mod walker;

// For the files that the fuzz targets include, too: there `rule` is not below `walk`.
use super::rule;

pub(crate) use bounds::is_on_first_stack;
pub(crate) use forks::{is_forked, watch_forks};
pub(crate) use modules::prepare;
pub(crate) use registers::Registers;
pub(crate) use rules::caller_at;
pub(crate) use side_stack::SideStack;
pub(crate) use walker::Walker;

/// Stacks can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> = None;
