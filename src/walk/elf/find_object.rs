//! Hot: asks `_dl_find_object` of glibc 2.35 and later for the module of an address: without a
//! lock, from any context.
//!
//! Relies on: glibc, for the function and its `struct dl_find_object`, which are part of its ABI;
//! ELF, for the first page of a module. A module whose code this thread runs is not unloaded
//! meanwhile.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_ulong, c_void};
use std::mem::size_of;

use super::module::{LastModule, Module, Place};
use super::segment::segment_at;
use crate::sys::loader::ProgramHeader;
use crate::sys::process::getauxval;
use crate::walk::target::weak;

/// `struct dl_find_object`
#[repr(C)]
pub(super) struct Found {
    flags: u64,
    start: usize,
    end: usize,
    link_map: *const LinkMap,
    eh_frame_header: usize,
    reserved: [u64; 7],
}

const _: () = assert!(size_of::<Found>() == 96);

/// The beginning of `struct link_map`.
#[repr(C)]
struct LinkMap {
    bias: usize,
}

/// The beginning of an ELF file.
#[repr(C)]
struct ElfHeader {
    identification: [u8; 16],
    kind: u16,
    machine: u16,
    version: u32,
    entry: u64,
    program_headers: u64,
    section_headers: u64,
    flags: u32,
    size: u16,
    program_header_size: u16,
    program_header_count: u16,
}

// As large as the whole header, which ends with three more numbers of 16 bits.
const _: () = assert!(size_of::<ElfHeader>() == 64);

type Function = unsafe extern "C" fn(*const c_void, *mut Found) -> c_int;

/// The function, where the C library has it.
#[inline(never)]
pub(super) fn function() -> Option<Function> {
    // SAFETY: a null or a function of this type; `Option` of a function pointer has 0 for `None`.
    unsafe { std::mem::transmute::<usize, Option<Function>>(weak::dl_find_object()) }
}

pub(super) fn find(function: Function, pc: usize, last: &LastModule) -> Option<Module> {
    // Zeroed, as the function leaves the reserved words alone.
    let mut found = Found {
        flags: 0,
        start: 0,
        end: 0,
        link_map: std::ptr::null(),
        eh_frame_header: 0,
        reserved: [0; 7],
    };
    // SAFETY: any address may be asked for, and `found` is writable.
    if unsafe { function(pc as *const c_void, &mut found) } != 0 || found.link_map.is_null() {
        return None;
    }
    let Found { start, end, link_map, eh_frame_header: header, .. } = found;
    if header == 0 {
        return None;
    }
    let place = Place { start, end, header, description: link_map as usize };
    // SAFETY: the loader says so, and code of the module runs in this thread.
    if let Some(module) = unsafe { last.at(place) } {
        return Some(module);
    }
    // SAFETY: the loader's description of a module whose code runs in this thread, so it stays.
    let bias = unsafe { (*link_map).bias };
    let segment = [headers_at(start), program_headers()].into_iter().flatten().find_map(
        // SAFETY: the module stays, as above; the program does anyway.
        |headers| unsafe { segment_at(header, headers, bias) },
    );
    // A program that was started by naming the loader, and has holes between its segments, has no
    // rules: to ask `dl_iterate_phdr` could be to wait for a lock whose holder waits for this
    // thread.
    Some(Module::new(place, segment?))
}

/// The program headers of a module that begins at this address, in its first page. A program with
/// holes between its segments is described by the one that holds the code, and so does not.
fn headers_at(start: usize) -> Option<&'static [ProgramHeader]> {
    const PAGE: u64 = 4096;
    // SAFETY: a page of a module is mapped there, and any bytes are valid.
    let header = unsafe { &*(start as *const ElfHeader) };
    let size = size_of::<ProgramHeader>();
    let count = usize::from(header.program_header_count);
    let end = header.program_headers.checked_add((count * size) as u64)?;
    if !header.identification.starts_with(b"\x7fELF\x02\x01")
        || usize::from(header.program_header_size) != size
        || header.program_headers % 8 != 0
        || end > PAGE
    {
        return None;
    }
    let first = (start as *const u8).wrapping_add(header.program_headers as usize);
    // SAFETY: aligned, in the first page, and any bytes are valid.
    Some(unsafe { std::slice::from_raw_parts(first.cast(), count) })
}

/// Those of the program, as the kernel tells them.
fn program_headers() -> Option<&'static [ProgramHeader]> {
    const AT_PHDR: c_ulong = 3;
    const AT_PHNUM: c_ulong = 5;
    // SAFETY: takes any number.
    let first = unsafe { getauxval(AT_PHDR) } as *const ProgramHeader;
    // SAFETY: takes any number.
    let count = unsafe { getauxval(AT_PHNUM) } as usize;
    if first.is_null() || first as usize % 8 != 0 {
        return None;
    }
    // SAFETY: the kernel's word on the program, or on the loader; both stay.
    Some(unsafe { std::slice::from_raw_parts(first, count) })
}

#[cfg(test)]
mod tests {
    use super::super::iterate;
    use super::super::segment::EH_FRAME;
    use super::*;
    use crate::sys::headers::{compare, is_field};

    #[test]
    fn what_is_declared_here_begins_as_in_the_headers() {
        let conditions = [
            is_field!(LinkMap, bias, "struct link_map", "l_addr"),
            is_field!(ElfHeader, program_headers, "ElfW(Ehdr)", "e_phoff"),
            is_field!(ElfHeader, program_header_size, "ElfW(Ehdr)", "e_phentsize"),
            is_field!(ElfHeader, program_header_count, "ElfW(Ehdr)", "e_phnum"),
            format!("sizeof(ElfW(Ehdr)) == {}", size_of::<ElfHeader>()),
        ];
        compare(&["link.h"], &conditions);
    }

    #[test]
    fn the_kernel_tells_of_the_programs_segments() {
        let searched = iterate::find(function as *const () as usize).expect("a module");
        let headers = program_headers().expect("told");
        let entry = |header: &&ProgramHeader| header.kind == EH_FRAME;
        let table = headers.iter().find(entry).expect("unwind tables").address as usize;
        let bias = searched.place.header.wrapping_sub(table);
        // SAFETY: the program's own.
        let segment =
            unsafe { segment_at(searched.place.header, headers, bias) }.expect("a segment");
        assert_eq!(segment.address, searched.segment.address);
        assert_eq!(segment.bytes.len(), searched.segment.bytes.len());
    }
}
