//! Hot: the walker of x86_64 Linux, with glibc or musl: what it is made of.

#[path = "../x86_64/mod.rs"]
pub(crate) mod arch;
#[path = "../linux/bounds.rs"]
pub(crate) mod bounds;
#[path = "../common/mod.rs"]
pub(crate) mod common;
#[path = "../x86_64/dwarf.rs"]
pub(crate) mod dwarf;
#[path = "../unix/forks.rs"]
pub(crate) mod forks;
#[path = "../linux/x86_64.rs"]
pub(crate) mod kernel;
#[path = "../common/side_stack.rs"]
pub(crate) mod side_stack;
#[path = "../elf/mod.rs"]
pub(crate) mod tables;
#[cfg(target_env = "gnu")]
#[path = "../elf/weak_x86_64.rs"]
pub(crate) mod weak;
#[cfg(not(target_env = "gnu"))]
#[path = "../elf/no_weak.rs"]
pub(crate) mod weak;

#[cfg(test)]
#[path = "../common/code_tests.rs"]
mod code_tests;
#[cfg(test)]
#[path = "../common/made_up_tests.rs"]
mod made_up_tests;
#[cfg(test)]
#[path = "../common/tests.rs"]
mod tests;

// What is pure is tested on all targets.
#[cfg(test)]
#[path = "../aarch64/dwarf.rs"]
pub(crate) mod aarch64_dwarf;
#[cfg(test)]
#[path = "../aarch64/rule.rs"]
pub(crate) mod aarch64_rule;
#[cfg(test)]
pub(crate) use {arch::rule as x86_64_rule, dwarf as x86_64_dwarf};

pub(crate) use arch::registers::Registers;
pub(crate) use bounds::is_on_first_stack;
pub(crate) use common::{caller_at, Walker};
pub(crate) use forks::{is_forked, watch_forks};
pub(crate) use side_stack::SideStack;
pub(crate) use tables::prepare;

/// Stacks can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> = None;
