//! Cold: the files that are loaded, on Windows: [`modules`]; and which addresses the system's
//! unwinder may be shown.
//!
//! Relies on: Windows, for a function that only looks.
#![allow(unsafe_code)]

mod modules;

use std::ptr;

use crate::sys::win32::RtlLookupFunctionEntry;
use crate::walk::target::tables::frame_size;
use crate::walk::{caller_at, Caller};

pub(crate) use modules::Modules;

/// The rule of an address, unless the system's unwinder might follow one there that we do not know:
/// then there is no telling what it would read.
pub(crate) fn caller(return_address: usize) -> Option<Caller> {
    let caller = caller_at(return_address);
    if caller == Caller::Unknown {
        let mut module = 0;
        // SAFETY: any address may be asked for, and `module` is writable.
        let function =
            unsafe { RtlLookupFunctionEntry(return_address, &mut module, ptr::null_mut()) };
        return function.is_null().then_some(caller);
    }
    Some(caller)
}

/// How far it must be to the next frame, where unwinders go by it.
///
/// Where the code at an address is an epilogue, Windows' unwinder follows the code instead of the
/// table: by the stack pointer, also where the table counts from `rbp`. So both must lead to the
/// same place.
pub(crate) fn size_of_frame(return_address: usize) -> Option<usize> {
    frame_size(return_address)
}

/// While `work` runs, nothing is unloaded that it needs: [`Modules`] holds that.
pub(crate) fn hold<R>(work: impl FnOnce() -> R) -> Option<R> {
    Some(work())
}
