//! Hot: `Module`, a program or a library that is loaded, as unwinding needs it.
//!
//! Windows' own function for this, `RtlLookupFunctionEntry`, may wait for the loader, and gives
//! tables that a program has made at run time, too. Here the kernel is asked which file was mapped
//! at an address, and that file's headers are read: it waits for nobody, and what lies in no file
//! has no rule.
//!
//! Relies on: the kernel, for where a file is mapped; "PE Format", for what can be read of it. A
//! module whose code this thread runs is not unloaded meanwhile, and of others nobody asks but
//! `symbolize`, which holds them.
#![allow(unsafe_code)]

use super::image::{Headers, HEADERS_BYTES};
use super::unwind_info::{frame_at, Frame, Function, Section};
use crate::sys::win32::{memory_at, MEM_IMAGE};

pub(super) struct Module {
    /// The address of its first byte.
    pub(super) start: usize,
    pub(super) headers: Headers<'static>,
}

impl Module {
    pub(super) fn at(address: usize) -> Option<Self> {
        let memory = memory_at(address).filter(|memory| memory.kind == MEM_IMAGE)?;
        let start = memory.allocation;
        // SAFETY: the headers of a file that is mapped are readable, whole pages of them.
        let bytes = unsafe { std::slice::from_raw_parts(start as *const u8, HEADERS_BYTES) };
        Some(Self { start, headers: Headers::read(bytes)? })
    }

    pub(super) fn frame(&self, return_address: usize) -> Option<Frame> {
        let place = return_address.wrapping_sub(self.start);
        let function = Function::at(self.table()?, place)?;
        frame_at(self.section_at(function.information & !1)?, function, place)
    }

    /// Its table of functions.
    pub(super) fn table(&self) -> Option<&'static [u8]> {
        let (start, size) = self.headers.functions;
        let section = self.section_at(start)?;
        section.bytes.get(start.checked_sub(section.start)?..)?.get(..size)
    }

    pub(super) fn section_at(&self, place: usize) -> Option<Section<'static>> {
        let (start, end) = self.headers.section_at(place)?;
        let first = self.start.checked_add(start)? as *const u8;
        // SAFETY: of a file that is mapped, by its headers, and stays, as said above.
        let bytes = unsafe { std::slice::from_raw_parts(first, end - start) };
        Some(Section { start, bytes })
    }
}
