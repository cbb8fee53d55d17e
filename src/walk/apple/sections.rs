//! Hot: `Sections`, the unwind tables of a file that is loaded, as dyld tells of them: the system's
//! unwinder asks it the same.
//!
//! Relies on: dyld, for where the tables are. They can be read for as long as the file is loaded.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::sys::apple::{_dyld_find_unwind_sections, UnwindSections};

pub(super) struct Sections {
    /// Where the file begins.
    pub(super) file: usize,
    pub(super) unwind_info: &'static [u8],
    pub(super) eh_frame: &'static [u8],
}

impl Sections {
    /// Those of the file that an address lies in.
    pub(super) fn around(address: usize) -> Option<Self> {
        let mut found = MaybeUninit::<UnwindSections>::zeroed();
        // SAFETY: takes any address, and there is room for the answer.
        if !unsafe { _dyld_find_unwind_sections(address, found.as_mut_ptr()) } {
            return None;
        }
        // SAFETY: all zeros is one, too.
        let found = unsafe { found.assume_init() };
        // SAFETY: dyld says so.
        let unwind_info = unsafe { bytes(found.unwind_info, found.unwind_info_length) };
        // SAFETY: likewise.
        let eh_frame = unsafe { bytes(found.eh_frame, found.eh_frame_length) };
        Some(Self { file: found.file, unwind_info, eh_frame })
    }
}

/// # Safety
/// So many bytes can be read there, unless it is null.
unsafe fn bytes(start: *const u8, length: usize) -> &'static [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: the contract.
    unsafe { std::slice::from_raw_parts(start, length) }
}
