//! Hot: the walker of x86_64 Windows: what it is made of.

#[path = "../x86_64/windows.rs"]
pub(crate) mod arch;
#[path = "../windows/bounds.rs"]
pub(crate) mod bounds;
#[path = "../common/mod.rs"]
pub(crate) mod common;
#[path = "../windows/forks.rs"]
pub(crate) mod forks;
#[path = "../windows/side_stack.rs"]
pub(crate) mod side_stack;
#[path = "../windows/mod.rs"]
pub(crate) mod tables;

#[cfg(test)]
#[path = "../common/code_tests.rs"]
mod code_tests;
#[cfg(test)]
#[path = "../common/made_up_tests.rs"]
mod made_up_tests;

pub(crate) use arch::registers::Registers;
pub(crate) use bounds::is_on_first_stack;
pub(crate) use common::{caller_at, Walker};
pub(crate) use forks::{is_forked, watch_forks};
pub(crate) use side_stack::SideStack;
pub(crate) use tables::prepare;

/// Stacks can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> = None;
