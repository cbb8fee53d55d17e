//! Cold: the files that are loaded, on Apple's systems: [`modules`], by what dyld tells.

mod mach_o;
mod modules;

pub(crate) use modules::Modules;

use crate::walk::{caller_at, Caller};

/// The rule of an address, if the system's unwinder has one there that we know.
pub(crate) fn caller(return_address: usize) -> Option<Caller> {
    let caller = caller_at(return_address);
    matches!(caller, Caller::Frame { .. }).then_some(caller)
}

/// There is nothing that keeps files from being unloaded.
pub(crate) fn hold<R>(_work: impl FnMut() -> R) -> Option<R> {
    None
}

/// How far it must be to the next frame, where unwinders go by it: they do not.
pub(crate) fn size_of_frame(_return_address: usize) -> Option<usize> {
    None
}
