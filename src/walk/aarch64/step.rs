//! Hot: `Step`, one of a walk on aarch64.

use super::registers::Registers;

/// A step of a walk, to the frame of a caller: the registers just after the return into that, and
/// where they came from.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// `sp`
    pub(crate) cfa: usize,
    /// Without its signature.
    pub(crate) return_address: usize,
    pub(crate) fp: usize,
    /// How far below the CFA `fp` was read. 0: it is that of the step before. 1: this step cannot
    /// be verified by two reads.
    fp_below: u32,
    /// How far below the CFA the return address was read.
    call_below: u32,
}

impl Step {
    pub(crate) const ZERO: Self =
        Self { cfa: 0, return_address: 0, fp: 0, fp_below: 0, call_below: 0 };
    pub(crate) const SAME_FP: usize = 0;
    pub(crate) const UNVERIFIABLE: usize = 1;
    /// Of what was not read.
    pub(crate) const NO_SLOT: usize = 0;
    /// Searches by CFA end at it, and so does what verifies.
    pub(crate) const SENTINEL: Self =
        Self { cfa: usize::MAX, fp_below: Self::UNVERIFIABLE as u32, ..Self::ZERO };

    /// Of the return address and of `fp`, each with the place where it was read.
    #[inline]
    pub(crate) fn new(
        cfa: usize,
        (slot, return_address): (usize, usize),
        (fp_slot, fp): (usize, usize),
    ) -> Self {
        let below = |slot: usize| u32::try_from(cfa.wrapping_sub(slot)).ok();
        let fp_below = match fp_slot {
            Self::SAME_FP | Self::UNVERIFIABLE => Some(fp_slot as u32),
            _ => below(fp_slot),
        };
        let (fp_below, call_below) = match (fp_below, below(slot)) {
            (Some(fp_below), Some(call_below)) => (fp_below, call_below),
            _ => (Self::UNVERIFIABLE as u32, 0),
        };
        Self { cfa, return_address, fp, fp_below, call_below }
    }

    #[inline]
    pub(crate) fn registers(&self) -> Registers {
        Registers { pc: self.return_address, sp: self.cfa, fp: self.fp, lr: 0 }
    }
}
