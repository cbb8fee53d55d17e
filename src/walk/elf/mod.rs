//! Hot: where rules come from on systems with ELF: the modules (program and libraries) that are
//! loaded, and their unwind tables.
//!
//! - [`modules`]: which [`module`] an address lies in, as [`find_object`] or else [`iterate`] says,
//!   with [`segment`], and what is kept of the last one; [`replaced`]: whether one lies in place of
//!   another;
//! - [`header`], [`eh_frame`], [`frame_program`], [`row`], [`bytes`]: from a module's unwind tables
//!   to a rule. Pure functions of bytes, for any architecture.

mod bytes;
mod eh_frame;
#[cfg(test)]
mod eh_frame_aarch64_tests;
#[cfg(test)]
mod eh_frame_tests;
mod find_object;
mod frame_program;
mod header;
mod iterate;
mod module;
mod modules;
mod replaced;
pub(crate) mod row;
mod segment;

#[cfg(test)]
pub(crate) use modules::own_functions;
pub(crate) use modules::{find_caller, prepare, Tables};

/// Rules say which frame is the outermost; a null in the frame pointer says nothing.
pub(crate) const NULL_ENDS: bool = false;
