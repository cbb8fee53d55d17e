//! Hot: `OwnFlag`, a flag by which a thread and its own signal handlers tell each other something.
//! What the thread does before it sets the flag is done before, for the handlers, and what it does
//! afterwards is done after.
//!
//! Unoptimised, the methods of `AtomicBool` are calls upon calls, of 40 instructions. There a `mov`
//! does the same as a relaxed load or store.
//!
//! Relies on: a processor, which shows a thread its own instructions in their order.
#![allow(unsafe_code)]

#[allow(unused_imports)] // Unoptimised, x86_64 is assembly.
use std::sync::atomic::{
    compiler_fence, AtomicBool,
    Ordering::{Relaxed, SeqCst},
};

pub(crate) struct OwnFlag(AtomicBool);

impl OwnFlag {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    pub(crate) const UNSET: Self = Self(AtomicBool::new(false));

    #[inline(always)]
    pub(crate) fn is_set(&self) -> bool {
        #[cfg(all(
            debug_assertions,
            target_arch = "x86_64",
            target_pointer_width = "64",
            not(miri)
        ))]
        {
            let is_set: u8;
            // SAFETY: reads a byte, that of the flag.
            unsafe {
                std::arch::asm!(
                    "mov {}, byte ptr [{}]",
                    out(reg_byte) is_set,
                    in(reg) self as *const Self,
                    options(nostack, preserves_flags, readonly),
                );
            }
            is_set != 0
        }
        #[cfg(not(all(
            debug_assertions,
            target_arch = "x86_64",
            target_pointer_width = "64",
            not(miri)
        )))]
        self.0.load(Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set(&self, value: bool) {
        #[cfg(all(
            debug_assertions,
            target_arch = "x86_64",
            target_pointer_width = "64",
            not(miri)
        ))]
        // SAFETY: writes a byte, that of the flag, which is atomic: a shared reference may.
        unsafe {
            std::arch::asm!(
                "mov byte ptr [{}], {}",
                in(reg) self as *const Self,
                in(reg_byte) value as u8,
                options(nostack, preserves_flags),
            );
        }
        #[cfg(not(all(
            debug_assertions,
            target_arch = "x86_64",
            target_pointer_width = "64",
            not(miri)
        )))]
        {
            compiler_fence(SeqCst);
            self.0.store(value, Relaxed);
            compiler_fence(SeqCst);
        }
    }

    /// Whether it was set. It is not any more.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::OwnFlag;

    #[test]
    fn a_flag_is_what_was_set_last() {
        let flags = [OwnFlag::UNSET, OwnFlag::UNSET];
        for value in [true, false, true] {
            flags[0].set(value);
            assert!(flags[0].is_set() == value && !flags[1].is_set());
        }
        assert!(flags[0].take() && !flags[0].is_set() && !flags[0].take());
    }
}
