//! Hot: reads the one row of `.eh_frame` that holds at an address: DWARF's call frame information
//! (DWARF 5, section 6.4) with the changes of the Linux Standard Base ("The .eh_frame section").
//!
//! A frame description entry (FDE) covers the code of a function; it names a common information
//! entry (CIE) that functions share. Both end in a program
//! ([`frame_program`](super::frame_program)) that makes rows: the CIE's makes the first row, the
//! FDE's changes it on the way from the function's start to the address.
//!
//! A pure function of the bytes; what it does not know, it answers with `None`.

use super::bytes::{Reader, Segment, FORMAT};
use super::frame_program::{Encoding, Program, Row, RETURN_ADDRESS};
use super::rule::Caller;

/// The caller of what is at `pc`, from the entry at the address `fde`. `None` where the entry does
/// not cover `pc`, or is not understood.
pub(crate) fn caller_at(segment: Segment<'_>, fde: usize, pc: usize) -> Option<Caller> {
    let mut fde = entry(segment, fde)?;
    let id_address = fde.address();
    let distance = fde.u32()?;
    if distance == 0 {
        return None; // A CIE.
    }
    let cie = Cie::read(entry(segment, id_address.wrapping_sub(distance as usize))?)?;

    let start = fde.pointer(cie.encoding.pointers)?;
    let length = fde.pointer(cie.encoding.pointers & FORMAT)?;
    if pc.wrapping_sub(start) >= length {
        return None;
    }
    if cie.has_lengths {
        let length = fde.uleb()?;
        fde.skip(length)?;
    }
    let Cie { encoding, program, .. } = cie;
    let whole =
        Program { bytes: program, encoding, first: Row::INITIAL, location: 0, pc: usize::MAX };
    let first = whole.run()?;
    Program { bytes: fde, encoding, first, location: start, pc }.run()?.caller()
}

/// The contents of the entry at an address, after its length.
fn entry(segment: Segment<'_>, address: usize) -> Option<Reader<'_>> {
    let mut reader = segment.from(address)?;
    match reader.u32()? {
        // The end of the section, and entries of more than 4 GiB.
        0 | u32::MAX => None,
        length => reader.part(u64::from(length)),
    }
}

/// What a CIE says.
struct Cie<'a> {
    encoding: Encoding,
    /// FDEs have more data, behind its length.
    has_lengths: bool,
    program: Reader<'a>,
}

impl<'a> Cie<'a> {
    fn read(mut reader: Reader<'a>) -> Option<Self> {
        let (id, version) = (reader.u32()?, reader.u8()?);
        if id != 0 || !matches!(version, 1 | 3) {
            return None;
        }
        let mut augmentation = reader;
        while reader.u8()? != 0 {}
        let code_alignment = reader.uleb()?;
        let data_alignment = reader.sleb()?;
        let return_address = if version == 1 { u64::from(reader.u8()?) } else { reader.uleb()? };
        if return_address != RETURN_ADDRESS {
            return None;
        }
        let mut pointers = 0;
        let has_lengths = match augmentation.u8()? {
            0 => false,
            b'z' => {
                let length = reader.uleb()?;
                let mut data = reader.part(length)?;
                loop {
                    match augmentation.u8()? {
                        0 => break true,
                        b'R' => pointers = data.u8()?,
                        b'L' => data.skip(1)?,
                        b'P' => {
                            let encoding = data.u8()?;
                            data.skip_pointer(encoding)?;
                        }
                        // Among others `S`, the frame of a signal handler: all registers differ.
                        _ => return None,
                    }
                }
            }
            _ => return None,
        };
        let encoding = Encoding { code_alignment, data_alignment, pointers };
        Some(Self { encoding, has_lengths, program: reader })
    }
}

#[cfg(test)]
mod tests;
