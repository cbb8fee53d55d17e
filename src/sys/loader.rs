//! Hot: what the loader of Linux tells of the files that are loaded. Declared here once, for the
//! walker and for `symbolize`.
//!
//! Relies on: the layouts of the System V ABI, and of `dl_phdr_info` in glibc since 2.4 and musl
//! since 1.0.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

/// `struct dl_phdr_info`. Older C libraries end before `loaded`: a callback is told the size.
#[repr(C)]
pub(crate) struct Info {
    /// What is added to the addresses in the file.
    pub(crate) bias: usize,
    pub(crate) name: *const c_char,
    pub(crate) headers: *const ProgramHeader,
    pub(crate) header_count: u16,
    /// Files loaded and unloaded so far.
    pub(crate) loaded: u64,
    pub(crate) unloaded: u64,
}

/// The ELF program header (System V ABI, "Program header").
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ProgramHeader {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) physical: u64,
    pub(crate) file_size: u64,
    pub(crate) memory_size: u64,
    pub(crate) alignment: u64,
}

pub(crate) type Callback = extern "C" fn(*const Info, usize, *mut c_void) -> c_int;

extern "C" {
    /// Calls back for each file in turn, the program first, until the callback returns another
    /// number than 0.
    pub(crate) fn dl_iterate_phdr(callback: Callback, argument: *mut c_void) -> c_int;
}
