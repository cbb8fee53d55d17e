//! Hot: `Registers`, where a walk begins.
//!
//! Relies on: the processor: the three instructions change no memory and no flags.
#![allow(unsafe_code)]

use std::arch::asm;

use crate::walk::target::bounds::is_on_first_stack;

/// Bits of a user address.
pub(crate) const ADDRESS_BITS: u32 = 47;
/// Of a return address, so many are 0.
pub(crate) const UNIT_BITS: u32 = 0;

/// The registers that unwinding needs, at one instruction of a function whose frame is still there
/// when the walk begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(crate) pc: usize,
    pub(crate) sp: usize,
    pub(crate) fp: usize,
}

impl Registers {
    /// Those of the function that calls this.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        let (pc, sp, fp);
        // SAFETY: reads three registers and changes nothing.
        unsafe {
            asm!(
                "lea {pc}, [rip]",
                "mov {sp}, rsp",
                "mov {fp}, rbp",
                pc = out(reg) pc,
                sp = out(reg) sp,
                fp = out(reg) fp,
                options(nomem, nostack, preserves_flags),
            );
        }
        Self { pc, sp, fp }
    }

    /// The return address, where a register has it: never here.
    #[inline]
    pub(crate) fn link(&self) -> Option<usize> {
        None
    }

    #[cfg(test)]
    pub(crate) fn of(pc: usize, sp: usize, fp: usize) -> Self {
        Self { pc, sp, fp }
    }

    /// Whether they are of a function on the stack that the thread began with.
    #[inline]
    pub(crate) fn are_on_first_stack(&self) -> bool {
        is_on_first_stack(self.sp)
    }
}

/// The return address that a word of the stack is: the word itself.
#[inline]
pub(crate) fn return_address(word: usize) -> usize {
    word
}
