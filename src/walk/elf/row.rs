//! Hot: `Row`, one of the table of a function's frames, of which only the columns are kept that a
//! [`Caller`] wants: the CFA, the frame pointer, the stack pointer and the return address.

use crate::walk::caller::Caller;

/// DWARF's numbers for the registers of an architecture, and which of its rows have a rule.
pub(crate) trait Architecture {
    const FRAME_POINTER: u64;
    const STACK_POINTER: u64;
    const RETURN_ADDRESS: u64;
    /// Whether `DW_CFA_AARCH64_negate_ra_state` is one of its instructions.
    const SIGNS: bool;
    /// Before the program of a CIE.
    const INITIAL: Row;

    /// What a row says of the caller; `None` where that cannot be expressed.
    fn caller(row: &Row) -> Option<Caller>;
}

/// All zeros is a row, as all that it is made of.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) cfa: RowCfa,
    pub(crate) fp: Column,
    /// `Undefined` nearly always: then it is the CFA.
    pub(crate) sp: Column,
    pub(crate) return_address: Column,
    /// The return address carries a signature, made with the CFA.
    pub(crate) is_signed: bool,
}

#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum RowCfa {
    /// A register and a distance from it.
    Register(u64, i64),
    /// `*(fp + x)`
    #[allow(dead_code)] // On aarch64, no rule has it.
    AtFp(i64),
    Unknown,
}

/// Where the caller's value of a register is.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Column {
    Same,
    Undefined,
    /// At a distance from the CFA.
    FromCfa(i64),
    /// `*fp`
    AtFp,
    Unknown,
}

impl Row {
    pub(super) const NONE: Self = Self {
        cfa: RowCfa::Unknown,
        fp: Column::Same,
        sp: Column::Same,
        return_address: Column::Same,
        is_signed: false,
    };

    pub(super) fn set<A: Architecture>(&mut self, register: u64, column: Column) {
        if register == A::FRAME_POINTER {
            self.fp = column;
        } else if register == A::STACK_POINTER {
            self.sp = column;
        } else if register == A::RETURN_ADDRESS {
            self.return_address = column;
        }
    }

    /// Sets a column to what it is in `first`.
    pub(super) fn restore<A: Architecture>(&mut self, register: u64, first: &Self) {
        if register == A::FRAME_POINTER {
            self.fp = first.fp;
        } else if register == A::STACK_POINTER {
            self.sp = first.sp;
        } else if register == A::RETURN_ADDRESS {
            self.return_address = first.return_address;
        }
    }
}
