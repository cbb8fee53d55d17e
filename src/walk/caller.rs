//! Hot: `Caller`, what a rule says: how to get from a return address to the frame of the caller.
//! The same on all targets; how it is kept in a word is each architecture's (`arch::rule`).
//!
//! A rule is a few equations. With `sp` and `fp`, the stack pointer and the frame pointer, as they
//! are just after the return to the address:
//!
//! ```text
//! CFA = sp + x   or   fp + x   or   *(fp + x)
//! (return address, sp, fp) = (*(CFA - z), CFA, fp or *(CFA - y) or *fp)
//! ```
//!
//! CFA, the canonical frame address, is DWARF's word for the stack pointer before the call of the
//! function. On x86_64, z is 8. On aarch64, the return address may be in its register still. The
//! other registers are of no interest: code that finds its frame by one of them has no rule.
#![allow(dead_code)] // Some of it is of other targets.

/// What a rule says of the function that called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    Frame {
        cfa: Cfa,
        fp: SavedFp,
        return_address: ReturnAddress,
    },
    /// None: this is the outermost function of a thread, and says so.
    Outermost,
    /// There is no rule, or not one of these.
    Unknown,
}

/// Where the canonical frame address is; the offsets are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cfa {
    /// `sp + x`
    Sp(usize),
    /// `fp + x`
    Fp(usize),
    /// `*(fp + x)`, in functions that GCC aligns to more than 16 bytes on x86_64.
    AtFp(isize),
}

/// Where the caller's `fp` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SavedFp {
    /// In `fp`: the function has not changed it.
    Same,
    /// `*(CFA - y)`, in bytes.
    BelowCfa(usize),
    /// `*fp`; only together with [`Cfa::AtFp`].
    AtFp,
}

/// Where the return address into the caller's caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReturnAddress {
    /// `*(CFA - z)`, in bytes.
    BelowCfa(usize),
    /// Likewise, and signed with the CFA (aarch64's pointer authentication).
    SignedBelowCfa(usize),
    /// In the link register, as the call left it: where a walk begins, and nowhere else (aarch64).
    InRegister,
}

impl ReturnAddress {
    /// Where a call of x86_64 puts it.
    pub(crate) const ON_TOP: Self = Self::BelowCfa(8);
}

impl Caller {
    /// A frame with the return address on top.
    pub(crate) const fn frame(cfa: Cfa, fp: SavedFp) -> Self {
        Self::Frame { cfa, fp, return_address: ReturnAddress::ON_TOP }
    }
}
