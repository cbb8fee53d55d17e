//! Hot: `Registers`, where a walk begins, and what a return address is without its signature.
//!
//! Relies on: the processor: the instructions change no memory and no flags, and `xpaclri`, one of
//! its hints, does nothing where there are no signatures.
#![allow(unsafe_code)]

use std::arch::asm;

use crate::walk::target::bounds::is_on_first_stack;

/// Bits of a user address.
pub(crate) const ADDRESS_BITS: u32 = 48;
/// Of a return address, so many are 0.
pub(crate) const UNIT_BITS: u32 = 2;

/// The registers that unwinding needs, at one instruction of a function whose frame is still there
/// when the walk begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(crate) pc: usize,
    pub(crate) sp: usize,
    pub(crate) fp: usize,
    /// `x30`; 0 further out, where it is not known.
    pub(super) lr: usize,
}

impl Registers {
    /// Those of the function that calls this.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        let (pc, sp, fp, lr);
        // SAFETY: reads four registers and changes nothing.
        unsafe {
            asm!(
                "adr {pc}, . + 4",
                "mov {sp}, sp",
                "mov {fp}, x29",
                "mov {lr}, x30",
                pc = out(reg) pc,
                sp = out(reg) sp,
                fp = out(reg) fp,
                lr = out(reg) lr,
                options(nomem, nostack, preserves_flags),
            );
        }
        Self { pc, sp, fp, lr }
    }

    /// The return address, where a register has it: in the function in which a walk begins.
    #[inline]
    pub(crate) fn link(&self) -> Option<usize> {
        (self.lr != 0).then(|| return_address(self.lr))
    }

    #[cfg(test)]
    pub(crate) fn of(pc: usize, sp: usize, fp: usize) -> Self {
        Self { pc, sp, fp, lr: 0 }
    }

    /// Whether they are of a function on the stack that the thread began with.
    #[inline]
    pub(crate) fn are_on_first_stack(&self) -> bool {
        is_on_first_stack(self.sp)
    }
}

/// The return address that a word of the stack is: without its signature, if it has one.
#[inline]
pub(crate) fn return_address(word: usize) -> usize {
    let address: usize;
    // SAFETY: changes this register only.
    unsafe {
        asm!(
            "hint #7", // xpaclri
            inlateout("x30") word => address,
            options(nomem, nostack, preserves_flags),
        );
    }
    address
}
