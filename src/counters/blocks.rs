//! Hot: `Blocks`, a number of blocks and their bytes.

use std::ops::Add;

/// So many blocks, of so many bytes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl Blocks {
    pub(crate) const NONE: Self = Self { blocks: 0, bytes: 0 };

    pub(crate) fn one(bytes: u64) -> Self {
        Self { blocks: 1, bytes }
    }

    /// What is left when so many are gone: none, rather than less than none, where the two numbers
    /// were read while another thread changed them.
    pub(crate) fn without(self, gone: Self) -> Self {
        let left = |all: u64, gone: u64| (all.wrapping_sub(gone) as i64).max(0) as u64;
        Self { blocks: left(self.blocks, gone.blocks), bytes: left(self.bytes, gone.bytes) }
    }
}

impl Add for Blocks {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let Self { blocks, bytes } = self;
        Self { blocks: blocks.wrapping_add(other.blocks), bytes: bytes.wrapping_add(other.bytes) }
    }
}
