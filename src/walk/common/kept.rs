//! Hot: `Kept`, what is kept of a walk beside its steps; what `loops::keep` is told, and says.

use crate::walk::stop::MAX_FRAMES;
use crate::walk::target::arch::step::Step;

/// What is kept of a walk beside its steps, outermost first.
#[repr(C)]
pub(crate) struct Kept {
    pub(crate) return_addresses: [usize; MAX_FRAMES],
    /// At `i`, of the first `i` addresses.
    pub(crate) hashes: [u64; MAX_FRAMES + 1],
    pub(crate) low_halves: [u32; MAX_FRAMES],
}

/// Where to keep frames: the place for the first of them, and its number.
pub(crate) struct Places {
    pub(crate) step: *mut Step,
    pub(crate) kept: *mut Kept,
    pub(crate) at: usize,
    /// An address to compare them with.
    pub(crate) like: usize,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Of all addresses.
    pub(crate) hash: u64,
    /// Whether any address differs from the one that was kept there.
    pub(crate) differs: bool,
    /// Whether the upper half of each is that of `like`.
    pub(crate) is_like: bool,
}

/// That of rustc's `FxHasher`, whose step this is.
pub(crate) const HASH_MULTIPLIER: u64 = 0x517c_c1b7_2722_0a95;
