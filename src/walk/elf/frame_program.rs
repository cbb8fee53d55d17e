//! Hot: the programs in the entries of `.eh_frame`, for a simple machine that builds a table: a row
//! for each stretch of code, a column for each register (DWARF 5, section 6.4). [`Program`] runs
//! one until it passes the address that is asked for.
//!
//! Each step consumes some bytes, so it ends; what it does not know, it answers with `None`.

use super::bytes::Reader;
use super::row::{Architecture, Column, Row, RowCfa};

/// Of expressions: the value of a register, by its number, and a distance from it; the word at the
/// address so far.
const BREG: u8 = 0x70;
const DEREF: u8 = 0x06;

/// How numbers are written, in the program of a CIE and in those of its FDEs.
#[derive(Clone, Copy)]
pub(super) struct Encoding {
    pub(super) code_alignment: u64,
    pub(super) data_alignment: i64,
    /// Of addresses.
    pub(super) pointers: u8,
}

/// One run over the instructions of a CIE or an FDE.
pub(super) struct Program<'a> {
    pub(super) bytes: Reader<'a>,
    pub(super) encoding: Encoding,
    /// The row at the start, and the one to which columns are restored.
    pub(super) first: &'a Row,
    /// Where the row begins to hold.
    pub(super) location: usize,
    pub(super) pc: usize,
}

impl Program<'_> {
    /// Rows of no meaning. One copy of memory; unoptimised, `[row; 8]` is eight in a loop.
    const ROOM: [Row; 8] = [Row::NONE; 8];

    /// The row that holds at `pc`.
    pub(super) fn run<A: Architecture>(&mut self) -> Option<Row> {
        let mut row = *self.first;
        // Compilers remember one row at a time.
        let mut remembered = Self::ROOM;
        let mut depth = 0_usize;
        while !self.bytes.is_empty() {
            let instruction = self.bytes.u8();
            match instruction {
                0x00 => {} // DW_CFA_nop
                0x01..=0x04 | 0x40..=0x7f => {
                    self.advance(instruction);
                    if self.location > self.pc {
                        break;
                    }
                }
                0x0a => {
                    // DW_CFA_remember_state
                    if depth == remembered.len() {
                        return None;
                    }
                    // No panic: compared above.
                    remembered[depth] = row;
                    depth = depth.wrapping_add(1);
                }
                0x0b => {
                    // DW_CFA_restore_state
                    if depth == 0 {
                        return None;
                    }
                    depth = depth.wrapping_sub(1);
                    // No panic: less than it was when the row was remembered.
                    row = remembered[depth];
                }
                _ => {
                    if !self.change::<A>(&mut row, instruction) {
                        return None;
                    }
                }
            }
        }
        if self.bytes.has_failed() {
            return None;
        }
        Some(row)
    }

    /// An instruction that moves on to where the next row begins.
    fn advance(&mut self, instruction: u8) {
        let steps = match instruction {
            0x01 => {
                // DW_CFA_set_loc
                self.location = self.bytes.pointer(self.encoding.pointers);
                0
            }
            0x02 => u64::from(self.bytes.u8()), // DW_CFA_advance_loc1
            0x03 => u64::from(self.bytes.u16()), // DW_CFA_advance_loc2
            0x04 => u64::from(self.bytes.u32()), // DW_CFA_advance_loc4
            _ => u64::from(instruction & 0x3f), // DW_CFA_advance_loc
        };
        let bytes = steps.wrapping_mul(self.encoding.code_alignment);
        self.location = self.location.wrapping_add(bytes as usize);
    }

    /// An instruction that changes a column of the row; `false` for those that are not known.
    fn change<A: Architecture>(&mut self, row: &mut Row, instruction: u8) -> bool {
        let low = u64::from(instruction & 0x3f);
        match instruction {
            0x80..=0xbf => row.set::<A>(low, Column::FromCfa(self.factored())), // DW_CFA_offset
            0xc0..=0xff => row.restore::<A>(low, self.first),                   // DW_CFA_restore
            0x05 => {
                // DW_CFA_offset_extended
                let register = self.bytes.uleb();
                row.set::<A>(register, Column::FromCfa(self.factored()));
            }
            0x06 => row.restore::<A>(self.bytes.uleb(), self.first), // DW_CFA_restore_extended
            0x07 => row.set::<A>(self.bytes.uleb(), Column::Undefined), // DW_CFA_undefined
            0x08 => row.set::<A>(self.bytes.uleb(), Column::Same),   // DW_CFA_same_value
            0x09 | 0x14 => {
                // DW_CFA_register, DW_CFA_val_offset
                row.set::<A>(self.bytes.uleb(), Column::Unknown);
                self.bytes.uleb();
            }
            0x0c => {
                // DW_CFA_def_cfa
                let register = self.bytes.uleb();
                row.cfa = RowCfa::Register(register, self.bytes.uleb() as i64);
            }
            0x0d => {
                // DW_CFA_def_cfa_register
                let RowCfa::Register(_, offset) = row.cfa else { return false };
                row.cfa = RowCfa::Register(self.bytes.uleb(), offset);
            }
            0x0e => {
                // DW_CFA_def_cfa_offset
                let RowCfa::Register(register, _) = row.cfa else { return false };
                row.cfa = RowCfa::Register(register, self.bytes.uleb() as i64);
            }
            0x0f => row.cfa = self.cfa_expression::<A>(), // DW_CFA_def_cfa_expression
            0x10 => {
                // DW_CFA_expression
                let register = self.bytes.uleb();
                row.set::<A>(register, self.column_expression::<A>());
            }
            0x11 => {
                // DW_CFA_offset_extended_sf
                let register = self.bytes.uleb();
                row.set::<A>(register, Column::FromCfa(self.factored_signed()));
            }
            0x12 => {
                // DW_CFA_def_cfa_sf
                let register = self.bytes.uleb();
                row.cfa = RowCfa::Register(register, self.factored_signed());
            }
            0x13 => {
                // DW_CFA_def_cfa_offset_sf
                let RowCfa::Register(register, _) = row.cfa else { return false };
                row.cfa = RowCfa::Register(register, self.factored_signed());
            }
            0x15 => {
                // DW_CFA_val_offset_sf
                row.set::<A>(self.bytes.uleb(), Column::Unknown);
                self.bytes.sleb();
            }
            0x16 => {
                // DW_CFA_val_expression
                row.set::<A>(self.bytes.uleb(), Column::Unknown);
                let length = self.bytes.uleb();
                self.bytes.skip(length);
            }
            0x2d if A::SIGNS => row.is_signed = !row.is_signed, // DW_CFA_AARCH64_negate_ra_state
            0x2e => {
                self.bytes.uleb(); // DW_CFA_GNU_args_size
            }
            _ => return false,
        }
        true
    }

    fn factored(&mut self) -> i64 {
        (self.bytes.uleb() as i64).wrapping_mul(self.encoding.data_alignment)
    }

    fn factored_signed(&mut self) -> i64 {
        self.bytes.sleb().wrapping_mul(self.encoding.data_alignment)
    }

    /// Known is the one that GCC writes for functions whose frame it aligns: `DW_OP_breg6 x;
    /// DW_OP_deref`.
    fn cfa_expression<A: Architecture>(&mut self) -> RowCfa {
        let length = self.bytes.uleb();
        let mut expression = self.bytes.part(length);
        let breg = BREG + A::FRAME_POINTER as u8;
        let (base, offset, last) = (expression.u8(), expression.sleb(), expression.u8());
        let is_known =
            base == breg && last == DEREF && expression.is_empty() && !expression.has_failed();
        if is_known {
            RowCfa::AtFp(offset)
        } else {
            RowCfa::Unknown
        }
    }

    /// Known is the one for `fp` in the same functions: `DW_OP_breg6 0`.
    fn column_expression<A: Architecture>(&mut self) -> Column {
        let length = self.bytes.uleb();
        let mut expression = self.bytes.part(length);
        let breg = BREG + A::FRAME_POINTER as u8;
        let (base, offset) = (expression.u8(), expression.sleb());
        let is_known =
            base == breg && offset == 0 && expression.is_empty() && !expression.has_failed();
        if is_known {
            Column::AtFp
        } else {
            Column::Unknown
        }
    }
}
