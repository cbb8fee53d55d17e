//! Hot: the programs in the entries of `.eh_frame`, for a simple machine that builds a table: a row
//! for each stretch of code, a column for each register (DWARF 5, section 6.4). [`Program`] runs
//! one until it passes the address that is asked for. Of the [`Row`], only the columns that a
//! [`Caller`] wants are kept: the CFA, `rbp`, `rsp` and the return address.
//!
//! Each step consumes some bytes, so it ends; what it does not know, it answers with `None`.

use super::bytes::Reader;
use super::rule::{Caller, Cfa, SavedRbp};

/// DWARF's numbers for registers.
const RBP: u64 = 6;
const RSP: u64 = 7;
pub(super) const RETURN_ADDRESS: u64 = 16;

/// How numbers are written, in the program of a CIE and in those of its FDEs.
#[derive(Clone, Copy)]
pub(super) struct Encoding {
    pub(super) code_alignment: u64,
    pub(super) data_alignment: i64,
    /// Of addresses.
    pub(super) pointers: u8,
}

#[derive(Clone, Copy)]
pub(super) struct Row {
    cfa: RowCfa,
    rbp: Column,
    /// `Undefined` nearly always: then it is the CFA.
    rsp: Column,
    return_address: Column,
}

#[derive(Clone, Copy)]
enum RowCfa {
    /// A register and a distance from it.
    Register(u64, i64),
    /// `*(rbp + x)`
    AtRbp(i64),
    Unknown,
}

/// Where the caller's value of a register is.
#[derive(Clone, Copy)]
enum Column {
    Same,
    Undefined,
    /// At a distance from the CFA.
    FromCfa(i64),
    /// `*rbp`
    AtRbp,
    Unknown,
}

impl Row {
    /// Before the program of a CIE.
    pub(super) const INITIAL: Self = Self {
        cfa: RowCfa::Unknown,
        rbp: Column::Same,
        rsp: Column::Undefined,
        return_address: Column::Unknown,
    };

    pub(super) fn caller(self) -> Option<Caller> {
        match self.return_address {
            Column::Undefined => return Some(Caller::Outermost),
            Column::FromCfa(-8) => {}
            _ => return None,
        }
        if !matches!(self.rsp, Column::Undefined) {
            return None;
        }
        let cfa = match self.cfa {
            RowCfa::Register(RSP, offset) => Cfa::Rsp(usize::try_from(offset).ok()?),
            RowCfa::Register(RBP, offset) => Cfa::Rbp(usize::try_from(offset).ok()?),
            RowCfa::AtRbp(offset) => Cfa::AtRbp(isize::try_from(offset).ok()?),
            RowCfa::Register(..) | RowCfa::Unknown => return None,
        };
        let rbp = match self.rbp {
            // An undefined register is one that callers do not look at: it stays what it is.
            Column::Same | Column::Undefined => SavedRbp::Same,
            Column::FromCfa(offset) => {
                SavedRbp::BelowCfa(usize::try_from(offset.checked_neg()?).ok()?)
            }
            Column::AtRbp => SavedRbp::AtRbp,
            Column::Unknown => return None,
        };
        Some(Caller::Frame { cfa, rbp })
    }

    fn set(&mut self, register: u64, column: Column) {
        if let Some(of_register) = self.column(register) {
            *of_register = column;
        }
    }

    fn column(&mut self, register: u64) -> Option<&mut Column> {
        match register {
            RBP => Some(&mut self.rbp),
            RSP => Some(&mut self.rsp),
            RETURN_ADDRESS => Some(&mut self.return_address),
            _ => None,
        }
    }
}

/// One run over the instructions of a CIE or an FDE.
pub(super) struct Program<'a> {
    pub(super) bytes: Reader<'a>,
    pub(super) encoding: Encoding,
    /// The row at the start, and the one to which columns are restored.
    pub(super) first: Row,
    /// Where the row begins to hold.
    pub(super) location: usize,
    pub(super) pc: usize,
}

impl Program<'_> {
    /// The row that holds at `pc`.
    pub(super) fn run(mut self) -> Option<Row> {
        let mut row = self.first;
        // Compilers remember one row at a time.
        let (mut remembered, mut depth) = ([row; 8], 0_usize);
        while !self.bytes.is_empty() {
            let instruction = self.bytes.u8()?;
            let operand = u64::from(instruction & 0x3f);
            let steps = match (instruction >> 6, operand) {
                (1, steps) => Some(steps),                       // DW_CFA_advance_loc
                (0, 0x02) => Some(u64::from(self.bytes.u8()?)),  // DW_CFA_advance_loc1
                (0, 0x03) => Some(u64::from(self.bytes.u16()?)), // DW_CFA_advance_loc2
                (0, 0x04) => Some(u64::from(self.bytes.u32()?)), // DW_CFA_advance_loc4
                _ => None,
            };
            if let Some(steps) = steps {
                let bytes = steps.wrapping_mul(self.encoding.code_alignment);
                self.location = self.location.wrapping_add(bytes as usize);
                if self.location > self.pc {
                    break;
                }
                continue;
            }
            match (instruction >> 6, operand) {
                (0, 0x01) => {
                    // DW_CFA_set_loc
                    self.location = self.bytes.pointer(self.encoding.pointers)?;
                    if self.location > self.pc {
                        break;
                    }
                }
                (0, 0x0a) => {
                    // DW_CFA_remember_state
                    *remembered.get_mut(depth)? = row;
                    depth += 1;
                }
                (0, 0x0b) => {
                    // DW_CFA_restore_state
                    depth = depth.checked_sub(1)?;
                    row = *remembered.get(depth)?;
                }
                (high, low) => self.change(&mut row, high, low)?,
            }
        }
        Some(row)
    }

    /// An instruction that changes a column of the row.
    fn change(&mut self, row: &mut Row, high: u8, low: u64) -> Option<()> {
        match (high, low) {
            (2, register) => {
                // DW_CFA_offset
                let offset = self.factored()?;
                row.set(register, Column::FromCfa(offset));
            }
            (3, register) => self.restore(row, register), // DW_CFA_restore
            (0, 0x00) => {}                               // DW_CFA_nop
            (0, 0x05) => {
                // DW_CFA_offset_extended
                let register = self.bytes.uleb()?;
                let offset = self.factored()?;
                row.set(register, Column::FromCfa(offset));
            }
            (0, 0x06) => {
                // DW_CFA_restore_extended
                let register = self.bytes.uleb()?;
                self.restore(row, register);
            }
            (0, 0x07) => row.set(self.bytes.uleb()?, Column::Undefined), // DW_CFA_undefined
            (0, 0x08) => row.set(self.bytes.uleb()?, Column::Same),      // DW_CFA_same_value
            (0, 0x09 | 0x14) => {
                // DW_CFA_register, DW_CFA_val_offset
                row.set(self.bytes.uleb()?, Column::Unknown);
                self.bytes.uleb()?;
            }
            (0, 0x0c) => {
                // DW_CFA_def_cfa
                let register = self.bytes.uleb()?;
                row.cfa = RowCfa::Register(register, self.bytes.uleb()? as i64);
            }
            (0, 0x0d) => {
                // DW_CFA_def_cfa_register
                let RowCfa::Register(_, offset) = row.cfa else { return None };
                row.cfa = RowCfa::Register(self.bytes.uleb()?, offset);
            }
            (0, 0x0e) => {
                // DW_CFA_def_cfa_offset
                let RowCfa::Register(register, _) = row.cfa else { return None };
                row.cfa = RowCfa::Register(register, self.bytes.uleb()? as i64);
            }
            (0, 0x0f) => row.cfa = self.cfa_expression()?, // DW_CFA_def_cfa_expression
            (0, 0x10) => {
                // DW_CFA_expression
                let register = self.bytes.uleb()?;
                let column = self.column_expression()?;
                row.set(register, column);
            }
            (0, 0x11) => {
                // DW_CFA_offset_extended_sf
                let register = self.bytes.uleb()?;
                let offset = self.factored_signed()?;
                row.set(register, Column::FromCfa(offset));
            }
            (0, 0x12) => {
                // DW_CFA_def_cfa_sf
                let register = self.bytes.uleb()?;
                row.cfa = RowCfa::Register(register, self.factored_signed()?);
            }
            (0, 0x13) => {
                // DW_CFA_def_cfa_offset_sf
                let RowCfa::Register(register, _) = row.cfa else { return None };
                row.cfa = RowCfa::Register(register, self.factored_signed()?);
            }
            (0, 0x15) => {
                // DW_CFA_val_offset_sf
                row.set(self.bytes.uleb()?, Column::Unknown);
                self.bytes.sleb()?;
            }
            (0, 0x16) => {
                // DW_CFA_val_expression
                row.set(self.bytes.uleb()?, Column::Unknown);
                let length = self.bytes.uleb()?;
                self.bytes.skip(length)?;
            }
            (0, 0x2e) => self.bytes.uleb().map(|_| ())?, // DW_CFA_GNU_args_size
            _ => return None,
        }
        Some(())
    }

    fn restore(&mut self, row: &mut Row, register: u64) {
        if let Some(column) = self.first.column(register) {
            row.set(register, *column);
        }
    }

    fn factored(&mut self) -> Option<i64> {
        Some((self.bytes.uleb()? as i64).wrapping_mul(self.encoding.data_alignment))
    }

    fn factored_signed(&mut self) -> Option<i64> {
        Some(self.bytes.sleb()?.wrapping_mul(self.encoding.data_alignment))
    }

    /// Known is the one that GCC writes for functions whose frame it aligns: `DW_OP_breg6 x;
    /// DW_OP_deref`.
    fn cfa_expression(&mut self) -> Option<RowCfa> {
        let length = self.bytes.uleb()?;
        let mut expression = self.bytes.part(length)?;
        let mut known = || {
            let offset = based_on_rbp(&mut expression)?;
            (expression.u8()? == 0x06 && expression.is_empty()).then_some(RowCfa::AtRbp(offset))
        };
        Some(known().unwrap_or(RowCfa::Unknown))
    }

    /// Known is the one for `rbp` in the same functions: `DW_OP_breg6 0`.
    fn column_expression(&mut self) -> Option<Column> {
        let length = self.bytes.uleb()?;
        let mut expression = self.bytes.part(length)?;
        let is_known = based_on_rbp(&mut expression) == Some(0) && expression.is_empty();
        Some(if is_known { Column::AtRbp } else { Column::Unknown })
    }
}

/// `DW_OP_breg6 x`: `rbp + x`.
fn based_on_rbp(expression: &mut Reader<'_>) -> Option<i64> {
    match expression.u8()? {
        0x76 => expression.sleb(),
        _ => None,
    }
}
