//! Hot: `encoding_at`, which finds the entry of a function in Apple's compact unwind table, the
//! section `__TEXT,__unwind_info` of a Mach-O file; and `Function`, what an entry says. Pure
//! functions of bytes: each read is bounded, none panics. Tested in `tests/mach_o`.
//!
//! In plain words: the table maps offsets in the file, as it lies in memory, to words of 32 bits,
//! the *encodings*. A first index names pages, each with the functions from some offset on. A page
//! is a list of offsets and encodings, or a list of words: 24 bits of offset, from where the page
//! begins, and the number of an encoding. That is one of the common encodings, which stand once in
//! the table, or of the page's own. An entry is good up to the next one; the last of the first
//! index is none, and says where the functions end.
//!
//! The format is that of `mach-o/compact_unwind_encoding.h` in Apple's libunwind.

/// What follows the version in the header: where the common encodings are and how many, the same of
/// personality functions, which are of no interest here, and of the first index.
mod header {
    pub(super) const VERSION: usize = 0;
    pub(super) const COMMON: usize = 4;
    pub(super) const COMMON_COUNT: usize = 8;
    pub(super) const INDEX: usize = 20;
    pub(super) const INDEX_COUNT: usize = 24;
}

const VERSION: u32 = 1;
/// An entry of the first index: the first function's offset, the page, and what is of no interest.
const INDEX_ENTRY: usize = 12;
/// Kinds of pages. The numbers in their headers are of 16 bits: where the entries are, how many,
/// and in compressed pages the same of encodings.
const REGULAR: u32 = 2;
const COMPRESSED: u32 = 3;

/// The encoding at an offset from the file's beginning; that of the instruction, not that after it.
/// `None` where the table has no entry.
pub(crate) fn encoding_at(table: &[u8], offset: u32) -> Option<u32> {
    let table = Bytes(table);
    if table.word(header::VERSION)? != VERSION {
        return None;
    }
    let (index, count) = (table.place(header::INDEX)?, table.place(header::INDEX_COUNT)?);
    let entry = |at: usize| index.checked_add(at.checked_mul(INDEX_ENTRY)?);
    let found = last_not_past(offset, count, |at| table.word(entry(at)?))?;
    if found + 1 == count {
        return None;
    }
    let entry = entry(found)?;
    let first = table.word(entry)?;
    let page = Bytes(table.0.get(table.place(entry + 4)?..)?);
    match page.word(0)? {
        REGULAR => page.regular(offset),
        COMPRESSED => {
            let number = page.compressed(offset.checked_sub(first)?)?;
            match number.checked_sub(table.place(header::COMMON_COUNT)?) {
                None => table.word(table.place(header::COMMON)?.checked_add(4 * number)?),
                Some(own) if own < page.half(10)? => page.word(page.half(8)? + 4 * own),
                Some(_) => None,
            }
        }
        _ => None,
    }
}

/// Which of `count` ascending numbers is the last that is not above `wanted`.
fn last_not_past(wanted: u32, count: usize, at: impl Fn(usize) -> Option<u32>) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if at(middle)? <= wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low.checked_sub(1)
}

/// A table or a page of it.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn half(&self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..at.checked_add(2)?)?;
        Some(u16::from_le_bytes(bytes.try_into().ok()?).into())
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    /// A word that says where something is, or how many.
    fn place(&self, at: usize) -> Option<usize> {
        self.word(at)?.try_into().ok()
    }

    /// The encoding, in a regular page.
    fn regular(&self, offset: u32) -> Option<u32> {
        let (entries, count) = (self.half(4)?, self.half(6)?);
        let found = last_not_past(offset, count, |at| self.word(entries + 8 * at))?;
        self.word(entries + 8 * found + 4)
    }

    /// The number of the encoding, in a compressed page.
    fn compressed(&self, offset: u32) -> Option<usize> {
        let (entries, count) = (self.half(4)?, self.half(6)?);
        let entry = |at: usize| self.word(entries + 4 * at);
        let found = last_not_past(offset, count, |at| Some(entry(at)? & 0xff_ffff))?;
        (entry(found)? >> 24).try_into().ok()
    }
}

/// Whose encodings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Processor {
    X86_64,
    Arm64,
}

/// What an encoding says of a function, as far as that is of use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Framed(Frame),
    /// Its unwind table is the entry at this offset of the section `__eh_frame`.
    InEhFrame(usize),
}

impl Function {
    /// `None` for any other kind of function, and for what unwinders take for an error.
    pub(crate) fn of(encoding: u32, processor: Processor) -> Option<Self> {
        const KIND: u32 = 0x0f00_0000;
        match (processor, encoding & KIND) {
            (Processor::X86_64, 0x0100_0000) => Frame::of_x86_64(encoding).map(Self::Framed),
            (Processor::Arm64, 0x0400_0000) => Some(Self::Framed(Frame::of_arm64(encoding))),
            (Processor::X86_64, 0x0400_0000) | (Processor::Arm64, 0x0300_0000) => {
                Some(Self::InEhFrame((encoding & 0xff_ffff).try_into().ok()?))
            }
            _ => None,
        }
    }
}

/// A function that keeps the caller's frame pointer and its return address in two words, to which
/// its own frame pointer points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// So many bytes below those words, unwinders read registers that it has saved.
    pub(crate) below: usize,
    /// So many bytes from those words upwards, they read the same, if anything.
    pub(crate) above: usize,
}

impl Frame {
    /// The furthest that an encoding can lead an unwinder from the two words.
    pub(crate) const FURTHEST: Self = Self { below: 255 * 8, above: 5 * 8 };

    /// Bits 16 to 23: how many words below the record the first of five words is. The lowest 15
    /// bits name a register for each of these: 0 for none, 6 and 7 have no meaning.
    fn of_x86_64(encoding: u32) -> Option<Self> {
        let below = 8 * (encoding >> 16 & 0xff) as usize;
        let registers = (0..5).map(|at| encoding >> (3 * at) & 7);
        let mut above = 0;
        for (at, register) in registers.enumerate() {
            match register {
                0 => {}
                1..=5 => above = (8 * (at + 1)).saturating_sub(below),
                _ => return None,
            }
        }
        Some(Self { below, above })
    }

    /// Bits 0 to 4 and 8 to 11: pairs of registers, which are saved one below the other.
    fn of_arm64(encoding: u32) -> Self {
        Self { below: 16 * (encoding & 0xf1f).count_ones() as usize, above: 0 }
    }
}
