//! Hot: `Dwarf`, which rows of DWARF's tables have a rule on x86_64 (System V ABI, "DWARF register
//! number mapping"). Pure.

use crate::walk::caller::{Caller, Cfa, SavedFp};
use crate::walk::target::tables::row::{Architecture, Column, Row, RowCfa};

pub(crate) enum Dwarf {}

impl Architecture for Dwarf {
    /// `rbp`
    const FRAME_POINTER: u64 = 6;
    /// `rsp`
    const STACK_POINTER: u64 = 7;
    const RETURN_ADDRESS: u64 = 16;
    const SIGNS: bool = false;
    const INITIAL: Row = Row {
        cfa: RowCfa::Unknown,
        fp: Column::Same,
        sp: Column::Undefined,
        return_address: Column::Unknown,
        is_signed: false,
    };

    fn caller(row: &Row) -> Option<Caller> {
        match (row.return_address, row.sp) {
            (Column::Undefined, _) => return Some(Caller::Outermost),
            (Column::FromCfa(-8), Column::Undefined) => {}
            _ => return None,
        }
        let cfa = match row.cfa {
            RowCfa::Register(Self::STACK_POINTER, offset) if offset >= 0 => {
                Cfa::Sp(offset as usize)
            }
            RowCfa::Register(Self::FRAME_POINTER, offset) if offset >= 0 => {
                Cfa::Fp(offset as usize)
            }
            RowCfa::AtFp(offset) => Cfa::AtFp(offset as isize),
            RowCfa::Register(..) | RowCfa::Unknown => return None,
        };
        let fp = match row.fp {
            // An undefined register is one that callers do not look at: it stays what it is.
            Column::Same | Column::Undefined => SavedFp::Same,
            Column::FromCfa(offset) if offset <= 0 && offset != i64::MIN => {
                SavedFp::BelowCfa(offset.wrapping_neg() as usize)
            }
            Column::AtFp => SavedFp::AtFp,
            Column::FromCfa(_) | Column::Unknown => return None,
        };
        Some(Caller::frame(cfa, fp))
    }
}
