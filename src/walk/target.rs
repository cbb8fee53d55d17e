//! Hot: the interface of the walker on targets that have none. Nothing is walked, and `UNAVAILABLE`
//! says why.
//!
//! Relies on: nothing, for the one unsafe function does nothing.

use super::caller::Caller;
use super::stop::Stop;
use super::walked::Walked;

/// Why no stack can be walked.
pub(crate) const UNAVAILABLE: Option<&'static str> = Some(if cfg!(miri) {
    "call sites are not available under Miri"
} else {
    match std::str::from_utf8(&REASON) {
        Ok(reason) => reason,
        Err(_) => panic!("what is joined is text"),
    }
});

const PARTS: [&str; 4] =
    ["call sites are not available on ", std::env::consts::ARCH, " ", std::env::consts::OS];
const LENGTH: usize = PARTS[0].len() + PARTS[1].len() + PARTS[2].len() + PARTS[3].len();

/// The parts, joined.
const REASON: [u8; LENGTH] = {
    let mut reason = [0; LENGTH];
    let (mut part, mut at, mut end) = (0, 0, 0);
    while part < PARTS.len() {
        while at < PARTS[part].len() {
            reason[end] = PARTS[part].as_bytes()[at];
            (at, end) = (at + 1, end + 1);
        }
        (part, at) = (part + 1, 0);
    }
    reason
};

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

#[allow(dead_code)] // Who asks for places does not ask for rules here.
pub(crate) fn caller_at(_return_address: usize) -> Caller {
    Caller::Unknown
}
