//! Hot: what the C library may have or not, as code for x86_64 finds out.
//!
//! Relies on: the linker or the loader, which puts the address of a weak symbol into its place, or
//! 0.
#![allow(unsafe_code)]

use std::arch::asm;

/// Whether a child has a lock of the loader as it was at the fork, held by nobody that is there.
/// glibc leaves it.
pub(crate) const FORK_LEAVES_LOCK: bool = true;

/// The address of `_dl_find_object`.
#[inline(always)]
pub(crate) fn dl_find_object() -> usize {
    let address: usize;
    // SAFETY: reads that place.
    unsafe {
        asm!(
            ".weak _dl_find_object",
            "mov {}, qword ptr [rip + _dl_find_object@GOTPCREL]",
            out(reg) address,
            options(readonly, nostack, preserves_flags),
        );
    }
    address
}
