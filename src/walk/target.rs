//! Hot: the interface of the walker on targets that have none. Nothing is walked, and `UNAVAILABLE`
//! says why.
//!
//! Relies on: nothing, for the one unsafe function does nothing.

use super::caller::Caller;
use super::stop::Stop;
use super::walked::Walked;

/// Why no stack can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> =
    Some(if cfg!(miri) { "not available under Miri" } else { "call sites need x86_64 Linux" });

#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers(());

impl Registers {
    #[inline(always)]
    pub(crate) fn here() -> Self {
        Self(())
    }

    pub(crate) fn are_on_first_stack(&self) -> bool {
        true
    }
}

/// Of the size of nothing, so that all zeros is one.
pub(crate) struct Walker([u8; 0]);

impl Walker {
    pub(crate) fn walk(&mut self, _from: Registers) -> Walked<'_> {
        Walked {
            return_addresses: &[],
            low_halves: &[],
            upper_half: 0,
            outer_changes: 0,
            hash: 0,
            is_same: false,
            stop: Stop::UnknownCode,
        }
    }
}

/// There is none: what is to be done there is done where it is asked for.
#[derive(Clone, Copy)]
pub(crate) struct SideStack(());

impl SideStack {
    pub(crate) const FOR_RECORDING: usize = 0;

    pub(crate) fn allocate(_size: usize) -> Self {
        Self(())
    }

    /// # Safety
    /// None: there is nothing to give back.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn free(self) {}

    pub(crate) fn call<F: FnMut()>(self, work: &mut F) {
        work();
    }
}

/// Nobody knows: all stacks are taken for one.
pub(crate) fn is_on_first_stack(_address: usize) -> bool {
    true
}

pub(crate) fn prepare() {}

pub(crate) fn watch_forks() {}

pub(crate) fn is_forked() -> bool {
    false
}

pub(crate) fn caller_at(_return_address: usize) -> Caller {
    Caller::Unknown
}
