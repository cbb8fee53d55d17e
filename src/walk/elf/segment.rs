//! Hot: the segments of a module, as ELF describes them.
//!
//! Relies on: the System V ABI, by which a segment is mapped as its header says; the callers, whose
//! module stays loaded.
#![allow(unsafe_code)]

use super::bytes::Segment;
use crate::sys::loader::ProgramHeader;

pub(super) const LOAD: u32 = 1;
pub(super) const EH_FRAME: u32 = 0x6474_e550;
pub(super) const READABLE: u32 = 4;

/// The readable segment around the address of `.eh_frame_hdr`, if these headers, moved by `bias`,
/// are those of its module.
///
/// # Safety
/// The headers must be those of a module that stays loaded.
pub(super) unsafe fn segment_at(
    address: usize,
    headers: &[ProgramHeader],
    bias: usize,
) -> Option<Segment<'static>> {
    let is_table = |header: &ProgramHeader| {
        header.kind == EH_FRAME && bias.wrapping_add(header.address as usize) == address
    };
    if !headers.iter().any(is_table) {
        return None;
    }
    let around = |header: &&ProgramHeader| {
        let start = bias.wrapping_add(header.address as usize);
        header.kind == LOAD
            && header.flags & READABLE != 0
            && address.wrapping_sub(start) < header.file_size as usize
    };
    let header = headers.iter().find(around)?;
    let start = bias.wrapping_add(header.address as usize);
    let length = header.file_size as usize;
    start.checked_add(length)?;
    // SAFETY: the loader has mapped `length` bytes at `start` for reading; they stay, as the caller
    // promises.
    let bytes = unsafe { std::slice::from_raw_parts(start as *const u8, length) };
    Some(Segment { bytes, address: start })
}
