//! Hot: what a walk has of the processor, on aarch64.
//!
//! - [`registers`]: where a walk begins; [`step`]: one of its steps; [`rule`]: a rule in 30 bits;
//! - [`loops`]: the three loops of a walk, in assembly;
//! - [`call_aside`]: a call on another stack.
//!
//! `dwarf.rs` stands beside it in the list of a target with ELF: which rows of unwind tables have a
//! rule.

pub(crate) mod call_aside;
pub(crate) mod loops;
pub(crate) mod registers;
pub(crate) mod rule;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod test_functions;
