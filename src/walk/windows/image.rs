//! Hot: the headers of a module as they lie in memory (Microsoft's "PE Format"): where its unwind
//! tables are, and which parts can be read. A pure function of bytes, which may be anything.

/// So many bytes of a module are read as its headers.
pub(crate) const HEADERS_BYTES: usize = 4096;

/// What the headers say. Places are offsets from the module's first byte.
#[derive(Clone, Copy)]
pub(crate) struct Headers<'a> {
    bytes: &'a [u8],
    sections: usize,
    section_count: usize,
    /// Of the whole module.
    pub(crate) size: usize,
    /// The table of functions: where it is, and its length in bytes.
    pub(crate) functions: (usize, usize),
    /// Differs between two modules, as a rule: of the time stamp, which may be a hash of the
    /// contents instead, of the checksum and of the size.
    pub(crate) identity: u64,
}

const X86_64: u16 = 0x8664;
const SIGNATURE: u32 = 0x4550;
const DOS_SIGNATURE: u16 = 0x5a4d;
const FORMAT: u16 = 0x020b;

/// From the signature on.
const OPTIONAL_HEADER: usize = 24;
/// Among the directories.
const EXCEPTIONS: usize = 3;

const SECTION_BYTES: usize = 40;
const IS_DISCARDABLE: u32 = 0x0200_0000;
const IS_READABLE: u32 = 0x4000_0000;

impl<'a> Headers<'a> {
    /// `bytes` are the first ones of the module.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let start = u32_at(bytes, 0x3c)? as usize;
        let word = |at: usize| u32_at(bytes, start.checked_add(at)?);
        let half = |at: usize| u16_at(bytes, start.checked_add(at)?);
        if u16_at(bytes, 0)? != DOS_SIGNATURE
            || word(0)? != SIGNATURE
            || half(4)? != X86_64
            || half(OPTIONAL_HEADER)? != FORMAT
        {
            return None;
        }
        let directory = OPTIONAL_HEADER + 112 + 8 * EXCEPTIONS;
        let directories = word(OPTIONAL_HEADER + 108)? as usize;
        if directories <= EXCEPTIONS {
            return None;
        }
        let (time, sum) = (word(8)?, word(OPTIONAL_HEADER + 64)?);
        let size = word(OPTIONAL_HEADER + 56)?;
        let functions = (word(directory)? as usize, word(directory + 4)? as usize);
        Some(Self {
            bytes,
            sections: start.checked_add(OPTIONAL_HEADER)?.checked_add(half(20)?.into())?,
            section_count: half(6)?.into(),
            size: size as usize,
            functions,
            identity: u64::from(time) << 32 ^ u64::from(sum) << 16 ^ u64::from(size),
        })
    }

    /// The first and the last place of the section that has this one, if it can be read.
    pub(crate) fn section_at(&self, place: usize) -> Option<(usize, usize)> {
        let mut number = 0;
        while number < self.section_count {
            let at = self.sections.checked_add(number.checked_mul(SECTION_BYTES)?)?;
            let size = u32_at(self.bytes, at.checked_add(8)?)? as usize;
            let start = u32_at(self.bytes, at.checked_add(12)?)? as usize;
            let flags = u32_at(self.bytes, at.checked_add(36)?)?;
            let end = start.checked_add(size)?;
            if start <= place && place < end {
                let is_mapped = flags & (IS_READABLE | IS_DISCARDABLE) == IS_READABLE;
                return (is_mapped && end <= self.size).then_some((start, end));
            }
            number = number.wrapping_add(1);
        }
        None
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..)? {
        [a, b, c, d, ..] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    match bytes.get(at..)? {
        [a, b, ..] => Some(u16::from_le_bytes([*a, *b])),
        _ => None,
    }
}
