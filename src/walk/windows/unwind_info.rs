//! Hot: reads what the tables of x86_64 Windows say of a return address (Microsoft's "x64 exception
//! handling"): `RUNTIME_FUNCTION`, where a function is, and `UNWIND_INFO`, what its prologue does.
//!
//! A table of rows, sorted, gives the information of the function that an address is in. That lists
//! what the prologue does to the stack pointer and where it saves registers, last things first:
//! undone in this order, they lead to the caller's frame. Parts of a function may have rows of
//! their own, whose information continues in that of another (*chained*).
//!
//! Two things are as the system's unwinder has them. The row is that of the return address itself,
//! not of the call before it: compilers see to it that no function ends with a call. And where the
//! code at an address is an epilogue, that unwinder follows the code, not the table. Both lead to
//! the same frame in a stack that is real; one that is made up must take care that they do
//! ([`Frame::size`]).
//!
//! Pure functions of bytes; what they do not know, they answer with `None`.

use super::image::{u16_at, u32_at};

/// How to get from a return address to the frame of the caller. Numbers are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The CFA, as everywhere the stack pointer before the call of the function, is at so much
    /// above `rbp`; else above `rsp`.
    pub(crate) is_by_rbp: bool,
    pub(crate) cfa: usize,
    /// Where the caller's `rbp` is, from the CFA. `None`: it is the one that there is.
    pub(crate) rbp: Option<isize>,
    /// From `rsp` to the CFA, if the function has allocated nothing on the stack but what its
    /// prologue does.
    pub(crate) size: usize,
}

/// Readable memory of a module, and its place in that.
#[derive(Clone, Copy)]
pub(crate) struct Section<'a> {
    pub(crate) start: usize,
    pub(crate) bytes: &'a [u8],
}

impl Section<'_> {
    fn u32(self, place: usize) -> Option<u32> {
        u32_at(self.bytes, place.checked_sub(self.start)?)
    }

    fn u16(self, place: usize) -> Option<u16> {
        u16_at(self.bytes, place.checked_sub(self.start)?)
    }

    fn u8(self, place: usize) -> Option<u8> {
        self.bytes.get(place.checked_sub(self.start)?).copied()
    }
}

/// `RUNTIME_FUNCTION`: places in the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) information: usize,
}

const FUNCTION_BYTES: usize = 12;

impl Function {
    /// The one that a place is in, of a table.
    pub(crate) fn at(table: &[u8], place: usize) -> Option<Self> {
        let (mut low, mut high) = (0, table.len() / FUNCTION_BYTES);
        while low < high {
            let middle = low.wrapping_add(high) / 2;
            if Self::read(table, middle.wrapping_mul(FUNCTION_BYTES))?.start <= place {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        let last = low.checked_sub(1)?;
        let function = Self::read(table, last.wrapping_mul(FUNCTION_BYTES))?;
        (place >= function.start && place < function.end).then_some(function)
    }

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        Some(Self {
            start: u32_at(bytes, at)? as usize,
            end: u32_at(bytes, at.checked_add(4)?)? as usize,
            information: u32_at(bytes, at.checked_add(8)?)? as usize,
        })
    }
}

/// Those of a table.
#[cfg(test)]
pub(super) fn all(table: &[u8]) -> Vec<Function> {
    let rows = 0..table.len() / FUNCTION_BYTES;
    rows.filter_map(|row| Function::read(table, row * FUNCTION_BYTES)).collect()
}

const RBP: u8 = 5;

/// No chain is as long.
const LONGEST_CHAIN: usize = 32;

const IS_CHAINED: u8 = 4;

// `UNWIND_CODE`
const PUSH: u8 = 0;
const ALLOCATE_LARGE: u8 = 1;
const ALLOCATE_SMALL: u8 = 2;
const SET_FRAME: u8 = 3;
const SAVE: u8 = 4;
const SAVE_FAR: u8 = 5;
/// Version 2 has in it where epilogues are.
const EPILOGUE: u8 = 6;
const SAVE_XMM: u8 = 8;
const SAVE_XMM_FAR: u8 = 9;

/// Above its return address, a function has room for the registers that it was called with.
const HOME_BYTES: usize = 32;

/// What was undone so far.
struct Undone {
    /// From where the codes count, which is `rsp` or the bottom of a frame by `rbp`.
    depth: usize,
    /// The bottom is at so much below `rbp`.
    below_rbp: Option<usize>,
    /// What was allocated below the bottom.
    below: usize,
    /// Where `rbp` was saved, from where the codes count.
    rbp: Option<usize>,
    is_rbp_pushed: bool,
    /// All saved registers lie below, from there.
    saves_end: usize,
    /// Whether any was saved at a distance from there, instead of pushed.
    has_saves: bool,
}

/// The frame of the function that `place` is in, which is a return address. `section` is where the
/// information is.
pub(crate) fn frame_at(section: Section<'_>, function: Function, place: usize) -> Option<Frame> {
    let mut undone = Undone {
        depth: 0,
        below_rbp: None,
        below: 0,
        rbp: None,
        is_rbp_pushed: false,
        saves_end: 0,
        has_saves: false,
    };
    let Function { start, information, .. } = function;
    let mut information = Information::read(section, information)?;
    // A prologue calls somebody who looks whether the stack has room. What comes after that call
    // is yet to be done.
    let mut offset = place.checked_sub(start)?;
    let (frame_register, is_in_prologue) =
        (information.frame_register, offset < information.prologue);
    for level in 0..LONGEST_CHAIN {
        if information.frame_register != frame_register {
            return None;
        }
        // Unwinders do not agree on where saves count from behind an allocation of another part.
        let is_moved = level > 0 && undone.depth > 0;
        undone.has_saves = false;
        information.undo(section, offset, &mut undone)?;
        if is_moved && undone.has_saves {
            return None;
        }
        if !information.is_chained {
            let (register, _) = frame_register;
            if register != 0 && undone.below_rbp.is_none() && !(level == 0 && is_in_prologue) {
                return None;
            }
            return undone.frame();
        }
        information = Information::read(section, information.next(section)?)?;
        offset = usize::MAX;
    }
    None
}

/// `UNWIND_INFO`
struct Information {
    is_chained: bool,
    has_epilogues: bool,
    /// The length of the prologue.
    prologue: usize,
    /// The register, or 0, and how far above the bottom of the frame it points.
    frame_register: (u8, usize),
    codes: usize,
    codes_end: usize,
}

impl Information {
    fn read(section: Section<'_>, mut place: usize) -> Option<Self> {
        if place & 1 == 1 {
            // In place of the information stands where another row is that has it.
            place = section.u32((place & !1).checked_add(8)?)? as usize;
        }
        if place % 2 == 1 {
            return None;
        }
        let byte = |at: usize| section.u8(place.checked_add(at)?);
        let (version, flags) = (byte(0)? & 7, byte(0)? >> 3);
        if !matches!(version, 1 | 2) {
            return None;
        }
        let frame = byte(3)?;
        let codes = place.checked_add(4)?;
        Some(Self {
            is_chained: flags & IS_CHAINED != 0,
            has_epilogues: version == 2,
            prologue: byte(1)?.into(),
            frame_register: (frame & 15, usize::from(frame >> 4) * 16),
            codes,
            codes_end: codes.checked_add(2 * usize::from(byte(2)?))?,
        })
    }

    /// Where the information is that this one continues in.
    fn next(&self, section: Section<'_>) -> Option<usize> {
        // The codes are padded to a multiple of four bytes.
        let row = self.codes.checked_add((self.codes_end.wrapping_sub(self.codes) + 3) & !3)?;
        Some(section.u32(row.checked_add(8)?)? as usize)
    }

    /// Undoes what was done before the offset in the function.
    fn undo(&self, section: Section<'_>, offset: usize, undone: &mut Undone) -> Option<()> {
        let mut at = self.codes;
        while at < self.codes_end {
            let behind = section.u8(at)?;
            let (code, operand) = (section.u8(at.checked_add(1)?)? & 15, section.u8(at + 1)? >> 4);
            let words = match code {
                PUSH | ALLOCATE_SMALL | SET_FRAME => 1,
                ALLOCATE_LARGE if operand == 0 => 2,
                ALLOCATE_LARGE if operand == 1 => 3,
                SAVE | SAVE_XMM => 2,
                SAVE_FAR | SAVE_XMM_FAR => 3,
                EPILOGUE if self.has_epilogues => 2,
                // Among others the frame of an interrupt.
                _ => return None,
            };
            let next = at.checked_add(2 * words)?;
            if next > self.codes_end {
                return None;
            }
            if usize::from(behind) <= offset {
                let number = match words {
                    1 => 0,
                    2 => usize::from(section.u16(at + 2)?),
                    _ => section.u32(at + 2)? as usize,
                };
                undone.undo(code, operand, number, self.frame_register)?;
            }
            at = next;
        }
        Some(())
    }
}

impl Undone {
    fn undo(
        &mut self,
        code: u8,
        operand: u8,
        number: usize,
        (frame_register, below_register): (u8, usize),
    ) -> Option<()> {
        match code {
            PUSH => {
                if operand == RBP {
                    self.rbp = Some(self.depth);
                    self.is_rbp_pushed = true;
                }
                self.allocate(8)?;
            }
            ALLOCATE_SMALL => self.allocate(usize::from(operand) * 8 + 8)?,
            ALLOCATE_LARGE => {
                self.allocate(if operand == 0 { number * 8 } else { number })?;
            }
            SET_FRAME => {
                // Code that finds its frame by another register has no rule. What is pushed after
                // this is not the caller's `rbp`. A part may repeat it.
                let is_repeated = self.below_rbp.is_some();
                if frame_register != RBP || self.is_rbp_pushed || is_repeated && self.depth > 0 {
                    return None;
                }
                if !is_repeated {
                    self.below = self.depth;
                }
                self.below_rbp = Some(below_register);
                self.depth = 0;
            }
            SAVE | SAVE_FAR => {
                let place = if code == SAVE { number * 8 } else { number };
                if operand == RBP {
                    self.rbp = Some(place);
                }
                self.save(place.checked_add(8)?);
            }
            SAVE_XMM => self.save(number * 16 + 16),
            SAVE_XMM_FAR => self.save(number.checked_add(16)?),
            _ => {}
        }
        Some(())
    }

    fn allocate(&mut self, bytes: usize) -> Option<()> {
        self.depth = self.depth.checked_add(bytes)?;
        Some(())
    }

    fn save(&mut self, end: usize) {
        self.has_saves = true;
        self.saves_end = self.saves_end.max(end);
    }

    fn frame(&self) -> Option<Frame> {
        // And the return address.
        let size = self.depth.checked_add(8)?;
        if self.saves_end > size.checked_add(HOME_BYTES)? {
            return None;
        }
        let from_cfa = |place: usize| {
            place.checked_sub(size).map_or_else(
                || isize::try_from(size - place).ok().map(|below| -below),
                |above| isize::try_from(above).ok(),
            )
        };
        Some(Frame {
            is_by_rbp: self.below_rbp.is_some(),
            cfa: size.checked_sub(self.below_rbp.unwrap_or(0))?,
            rbp: match self.rbp {
                Some(place) => Some(from_cfa(place)?),
                None => None,
            },
            size: size.checked_add(self.below)?,
        })
    }
}
