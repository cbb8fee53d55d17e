//! Numbers that a seed leads to, by the algorithm splitmix64.

use super::block::Block;

pub(super) struct Generator {
    state: u64,
}

/// A way to do something with a slot.
pub(super) type Path = fn(&mut Block, &mut Generator);

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) % end as u64) as usize
    }

    /// One of few sizes, so that a peak is reached more than once, with other blocks.
    pub(super) fn size(&mut self) -> usize {
        [1, 8, 16, 16, 16, 32, 48, 64, 100, 256][self.below(10)]
    }
}
