//! Hot: what the loader of Linux tells of the files that are loaded. Declared here once, for the
//! walker and for `symbolize`.
//!
//! Relies on: the layouts of the System V ABI, and of `dl_phdr_info` in glibc since 2.4 and musl
//! since 1.0.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::mem::size_of;

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

// Where stacks are walked, words have 64 bits.
const _: () = assert!(size_of::<usize>() != 8 || size_of::<Info>() == 48);
const _: () = assert!(size_of::<usize>() != 8 || size_of::<ProgramHeader>() == 56);

pub(crate) type Callback = extern "C" fn(*const Info, usize, *mut c_void) -> c_int;

extern "C" {
    /// Calls back for each file in turn, the program first, until the callback returns another
    /// number than 0.
    pub(crate) fn dl_iterate_phdr(callback: Callback, argument: *mut c_void) -> c_int;
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use std::mem::size_of;

    use super::{Info, ProgramHeader};
    use crate::sys::headers::{compare, is_field};

    #[test]
    fn what_the_loader_tells_is_laid_out_as_in_the_headers() {
        let conditions = [
            is_field!(Info, bias, "struct dl_phdr_info", "dlpi_addr"),
            is_field!(Info, name, "struct dl_phdr_info", "dlpi_name"),
            is_field!(Info, headers, "struct dl_phdr_info", "dlpi_phdr"),
            is_field!(Info, header_count, "struct dl_phdr_info", "dlpi_phnum"),
            is_field!(Info, loaded, "struct dl_phdr_info", "dlpi_adds"),
            is_field!(Info, unloaded, "struct dl_phdr_info", "dlpi_subs"),
            is_field!(ProgramHeader, kind, "ElfW(Phdr)", "p_type"),
            is_field!(ProgramHeader, flags, "ElfW(Phdr)", "p_flags"),
            is_field!(ProgramHeader, offset, "ElfW(Phdr)", "p_offset"),
            is_field!(ProgramHeader, address, "ElfW(Phdr)", "p_vaddr"),
            is_field!(ProgramHeader, physical, "ElfW(Phdr)", "p_paddr"),
            is_field!(ProgramHeader, file_size, "ElfW(Phdr)", "p_filesz"),
            is_field!(ProgramHeader, memory_size, "ElfW(Phdr)", "p_memsz"),
            is_field!(ProgramHeader, alignment, "ElfW(Phdr)", "p_align"),
            format!("sizeof(ElfW(Phdr)) == {}", size_of::<ProgramHeader>()),
        ];
        compare(&["link.h"], &conditions);
    }
}
