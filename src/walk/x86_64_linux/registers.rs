//! Hot: `Registers`, where a walk begins.
//!
//! Relies on: the processor: the three instructions change no memory and no flags.
#![allow(unsafe_code)]

use std::arch::asm;

use super::bounds::is_on_first_stack;

/// The registers that unwinding needs, at one instruction of a function whose frame is still there
/// when the walk begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(super) pc: usize,
    pub(super) rsp: usize,
    pub(super) rbp: usize,
}

impl Registers {
    /// Those of the function that calls this.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        let (pc, rsp, rbp);
        // SAFETY: reads three registers and changes nothing.
        unsafe {
            asm!(
                "lea {pc}, [rip]",
                "mov {rsp}, rsp",
                "mov {rbp}, rbp",
                pc = out(reg) pc,
                rsp = out(reg) rsp,
                rbp = out(reg) rbp,
                options(nomem, nostack, preserves_flags),
            );
        }
        Self { pc, rsp, rbp }
    }

    /// Whether they are of a function on the stack that the thread began with.
    #[inline]
    pub(crate) fn are_on_first_stack(&self) -> bool {
        is_on_first_stack(self.rsp)
    }
}
