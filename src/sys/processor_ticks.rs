//! Hot: `processor_ticks`, the time by a processor's own clock, where it has one that any program
//! may read.
//!
//! Relies on: every x86_64 processor has `rdtsc`.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub(crate) fn processor_ticks() -> Option<u64> {
    // SAFETY: every processor of this architecture has the instruction, which changes only the two
    // registers of its result.
    Some(unsafe { std::arch::x86_64::_rdtsc() })
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub(crate) fn processor_ticks() -> Option<u64> {
    None
}
