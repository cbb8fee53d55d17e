//! Hot: the walker of aarch64 on Apple's systems: what it is made of.
#![allow(dead_code)] // Frame records need no more than a part of what rules do.

#[path = "../apple/aarch64.rs"]
pub(crate) mod arch;
#[path = "../apple/bounds.rs"]
pub(crate) mod bounds;
#[path = "../common/mod.rs"]
pub(crate) mod common;
#[path = "../aarch64/dwarf.rs"]
pub(crate) mod dwarf;
#[path = "../unix/forks.rs"]
pub(crate) mod forks;
#[path = "../common/side_stack.rs"]
pub(crate) mod side_stack;
#[path = "../apple/mod.rs"]
pub(crate) mod tables;

pub(crate) use arch::registers::Registers;
pub(crate) use bounds::is_on_first_stack;
pub(crate) use common::Walker;
pub(crate) use forks::{is_forked, watch_forks};
pub(crate) use side_stack::SideStack;
pub(crate) use tables::{caller_at, prepare};

/// Stacks can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> = None;
