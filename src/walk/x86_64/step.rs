//! Hot: `Step`, one of a walk on x86_64.

use super::registers::Registers;

/// A step of a walk, to the frame of a caller: the registers just after the return into that, and
/// where they came from.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// `rsp`; the return address was in the word below.
    pub(crate) cfa: usize,
    pub(crate) return_address: usize,
    pub(crate) fp: usize,
    /// Where `rbp` was read. 0: it is that of the step before. 1: this step cannot be verified by
    /// two reads.
    pub(crate) fp_slot: usize,
}

impl Step {
    pub(crate) const ZERO: Self = Self { cfa: 0, return_address: 0, fp: 0, fp_slot: 0 };
    pub(crate) const SAME_FP: usize = 0;
    pub(crate) const UNVERIFIABLE: usize = 1;
    /// Of what was not read.
    pub(crate) const NO_SLOT: usize = 0;
    /// Searches by CFA end at it, and so does what verifies.
    pub(crate) const SENTINEL: Self =
        Self { cfa: usize::MAX, fp_slot: Self::UNVERIFIABLE, ..Self::ZERO };

    /// `_slot` is where the return address was read: always below the CFA.
    #[inline]
    pub(crate) fn new(
        cfa: usize,
        (_slot, return_address): (usize, usize),
        (fp_slot, fp): (usize, usize),
    ) -> Self {
        Self { cfa, return_address, fp, fp_slot }
    }

    #[inline]
    pub(crate) fn registers(&self) -> Registers {
        Registers { pc: self.return_address, sp: self.cfa, fp: self.fp }
    }
}
