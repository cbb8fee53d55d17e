//! Hot: where rules come from on x86_64 Windows: the modules (the program and its libraries) that
//! are loaded, and their unwind tables, `.pdata` and `.xdata`.
//!
//! - [`modules`]: from an address to its rule; [`module`]: one of the modules; [`seen`]: which of
//!   them rules were taken from, and whether any has gone;
//! - [`image`], [`unwind_info`]: from a module's bytes to a frame. Pure functions.

mod image;
mod module;
mod modules;
mod seen;
#[cfg(test)]
mod tests;
mod unwind_info;

#[cfg(test)]
pub(crate) use modules::own_functions;
pub(crate) use modules::{find_caller, frame_size, Tables};
pub(crate) use seen::{prepare, stays};

/// Rules say which frame is the outermost; a null in the frame pointer says nothing.
pub(crate) const NULL_ENDS: bool = false;
