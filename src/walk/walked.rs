//! Hot: `Walked`, what came of a walk.

use super::stop::Stop;

/// The outcome of a walk. It borrows the walker that keeps it.
#[derive(Debug)]
pub(crate) struct Walked<'a> {
    /// Outermost first. The last is the return address into the caller of the function of the
    /// `Registers`.
    pub(crate) return_addresses: &'a [usize],
    /// The lower halves of the innermost of them, which all have the same upper half.
    pub(crate) low_halves: &'a [u32],
    pub(crate) upper_half: u32,
    /// Changes whenever the addresses before those do.
    pub(crate) outer_changes: usize,
    /// Of all of `return_addresses`, of their number and of `stop`: equal walks have equal hashes.
    pub(crate) hash: u64,
    /// Whether addresses and `stop` are those of the previous walk of this walker. Never at the
    /// first.
    pub(crate) is_same: bool,
    pub(crate) stop: Stop,
}
