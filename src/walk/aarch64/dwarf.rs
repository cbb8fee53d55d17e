//! Hot: `Dwarf`, which rows of DWARF's tables have a rule on aarch64 ("DWARF for the Arm 64-bit
//! Architecture"). Pure.

use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};
use crate::walk::target::tables::row::{Architecture, Column, Row, RowCfa};

pub(crate) enum Dwarf {}

impl Architecture for Dwarf {
    /// `x29`
    const FRAME_POINTER: u64 = 29;
    const STACK_POINTER: u64 = 31;
    /// `x30`
    const RETURN_ADDRESS: u64 = 30;
    const SIGNS: bool = true;
    const INITIAL: Row = Row {
        cfa: RowCfa::Unknown,
        fp: Column::Same,
        sp: Column::Undefined,
        return_address: Column::Same,
        is_signed: false,
    };

    fn caller(row: &Row) -> Option<Caller> {
        let return_address = match row.return_address {
            Column::Undefined => return Some(Caller::Outermost),
            Column::Same => ReturnAddress::InRegister,
            Column::FromCfa(offset) if row.is_signed => {
                ReturnAddress::SignedBelowCfa(below(offset)?)
            }
            Column::FromCfa(offset) => ReturnAddress::BelowCfa(below(offset)?),
            Column::AtFp | Column::Unknown => return None,
        };
        if !matches!(row.sp, Column::Undefined) {
            return None;
        }
        let cfa = match row.cfa {
            RowCfa::Register(Self::STACK_POINTER, offset) if offset >= 0 => {
                Cfa::Sp(offset as usize)
            }
            RowCfa::Register(Self::FRAME_POINTER, offset) if offset >= 0 => {
                Cfa::Fp(offset as usize)
            }
            RowCfa::Register(..) | RowCfa::AtFp(_) | RowCfa::Unknown => return None,
        };
        let fp = match row.fp {
            // An undefined register is one that callers do not look at: it stays what it is.
            Column::Same | Column::Undefined => SavedFp::Same,
            Column::FromCfa(offset) => SavedFp::BelowCfa(below(offset)?),
            Column::AtFp | Column::Unknown => return None,
        };
        Some(Caller::Frame { cfa, fp, return_address })
    }
}

/// How far below the CFA an offset is.
fn below(offset: i64) -> Option<usize> {
    usize::try_from(offset.checked_neg()?).ok()
}
