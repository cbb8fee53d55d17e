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
use super::frame_program::{Encoding, Program};
use super::row::{Architecture, Row};
use crate::walk::caller::Caller;

/// The caller of what is at `pc`, from the entry at the address `fde`. `None` where the entry does
/// not cover `pc`, or is not understood.
pub(crate) fn caller_at<A: Architecture>(
    segment: Segment<'_>,
    fde: usize,
    pc: usize,
    last: &mut LastCies,
) -> Option<Caller> {
    let mut fde = entry(segment, fde);
    let id_address = fde.address();
    let distance = fde.u32();
    if distance == 0 {
        return None; // A CIE, or nothing.
    }
    let cie = last.cie_at::<A>(segment, id_address.wrapping_sub(distance as usize))?;

    let start = fde.pointer(cie.encoding.pointers);
    let length = fde.pointer(cie.encoding.pointers & FORMAT);
    if fde.has_failed() || pc.wrapping_sub(start) >= length {
        return None;
    }
    if cie.has_lengths {
        let length = fde.uleb();
        fde.skip(length);
    }
    let Cie { encoding, first, .. } = cie;
    let row = Program { bytes: fde, encoding: *encoding, first, location: start, pc }.run::<A>()?;
    A::caller(&row)
}

/// The contents of the entry at an address, after its length.
fn entry(segment: Segment<'_>, address: usize) -> Reader<'_> {
    let mut reader = segment.from(address);
    let length = reader.u32();
    reader.limit(u64::from(length));
    if length == 0 || length == u32::MAX {
        // The end of the section, and entries of more than 4 GiB.
        reader.fail();
    }
    reader
}

/// The two CIEs that were read last: a module has one for functions that clean up when a panic
/// passes, and one for the others. To be used for one segment only. All zeros is none.
pub(crate) struct LastCies {
    known: [KnownCie; 2],
    /// Which is replaced next.
    replaces_second: bool,
}

#[derive(Clone, Copy)]
struct KnownCie {
    address: usize,
    cie: Cie,
}

impl LastCies {
    pub(crate) const NONE: Self =
        Self { known: [KnownCie { address: 0, cie: Cie::NONE }; 2], replaces_second: false };

    fn cie_at<A: Architecture>(&mut self, segment: Segment<'_>, address: usize) -> Option<&Cie> {
        let [first, second] = &mut self.known;
        let known = if first.address == address {
            first
        } else if second.address == address || self.replaces_second {
            second
        } else {
            first
        };
        if known.address != address {
            *known = KnownCie { address, cie: Cie::read::<A>(entry(segment, address))? };
            self.replaces_second = !self.replaces_second;
        }
        Some(&known.cie)
    }
}

/// What a CIE says.
#[derive(Clone, Copy)]
struct Cie {
    encoding: Encoding,
    /// FDEs have more data, behind its length.
    has_lengths: bool,
    /// The row that its program makes.
    first: Row,
}

impl Cie {
    const NONE: Self = Self {
        encoding: Encoding { code_alignment: 0, data_alignment: 0, pointers: 0 },
        has_lengths: false,
        first: Row::NONE,
    };

    fn read<A: Architecture>(mut reader: Reader<'_>) -> Option<Self> {
        let (id, version) = (reader.u32(), reader.u8());
        if id != 0 || !matches!(version, 1 | 3) {
            return None;
        }
        let mut augmentation = reader;
        while reader.u8() != 0 {}
        let code_alignment = reader.uleb();
        let data_alignment = reader.sleb();
        let return_address = if version == 1 { u64::from(reader.u8()) } else { reader.uleb() };
        if return_address != A::RETURN_ADDRESS {
            return None;
        }
        let mut pointers = 0;
        let has_lengths = match augmentation.u8() {
            0 => false,
            b'z' => {
                let length = reader.uleb();
                let mut data = reader.part(length);
                loop {
                    match augmentation.u8() {
                        0 => break,
                        b'R' => pointers = data.u8(),
                        b'L' => data.skip(1),
                        b'P' => {
                            let encoding = data.u8();
                            data.skip_pointer(encoding);
                        }
                        // Among others `S`, the frame of a signal handler: all registers differ;
                        // and `B`, signed with another key than is known here.
                        _ => return None,
                    }
                }
                if data.has_failed() {
                    return None;
                }
                true
            }
            _ => return None,
        };
        let encoding = Encoding { code_alignment, data_alignment, pointers };
        let first = &A::INITIAL;
        let first =
            Program { bytes: reader, encoding, first, location: 0, pc: usize::MAX }.run::<A>()?;
        Some(Self { encoding, has_lengths, first })
    }
}
