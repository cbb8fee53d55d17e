//! What a random program consists of.

use crate::block::Block;
use crate::random::Random;

/// How many blocks a thread holds at most.
pub(crate) const SLOTS: usize = 24;
/// How many scopes a thread holds at most, in one function.
pub(crate) const SCOPES: usize = 8;

#[derive(Debug)]
pub(crate) enum Op {
    /// Frees what the slot holds, and allocates.
    Alloc {
        slot: usize,
        size: usize,
        align: usize,
        zeroed: bool,
    },
    Realloc {
        slot: usize,
        size: usize,
    },
    Dealloc {
        slot: usize,
    },
    /// Drops the scope in the slot without reading it, and enters another.
    Enter {
        scope: usize,
    },
    /// Reads a scope and goes on.
    Read {
        scope: usize,
    },
    Exit {
        scope: usize,
    },
    Forget {
        scope: usize,
    },
    /// Calls `measure` around the operations.
    Measure(Vec<Op>),
    /// Calls `uncounted` around the operations. They use the same scopes, of which some outlive it,
    /// and some end in it.
    Uncounted(Vec<Op>),
    /// The operations have scopes of their own, and a panic that is caught ends them.
    Panic(Vec<Op>),
    /// A future runs each of the lists in a poll of its own; other operations run between the
    /// polls. Its allocations are measured by a budget that cannot hold.
    Future {
        polls: Vec<Vec<Op>>,
        between: Vec<Op>,
    },
}

pub(crate) struct Generator {
    numbers: Random,
    /// Whether programs have futures.
    pub(crate) futures: bool,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { numbers: Random::new(seed), futures: seed % 6 == 0 }
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.numbers.below(bound)
    }

    fn slot(&mut self) -> usize {
        self.below(SLOTS)
    }

    fn scope(&mut self) -> usize {
        self.below(SCOPES)
    }

    fn size(&mut self) -> usize {
        Block::random_size(&mut self.numbers)
    }
}

pub(crate) fn random(random: &mut Generator) -> Vec<Op> {
    let length = 10 + random.below(70);
    nested(random, length, 0)
}

fn nested(random: &mut Generator, length: usize, depth: u32) -> Vec<Op> {
    (0..length).map(|_| op(random, depth)).collect()
}

fn op(random: &mut Generator, depth: u32) -> Op {
    let kinds = match depth {
        0 | 1 if random.futures => 46,
        0..=3 => 44,
        _ => 40,
    };
    match random.below(kinds) {
        0..=13 => Op::Alloc {
            slot: random.slot(),
            size: random.size(),
            align: 1 << random.below(8),
            zeroed: random.below(4) == 0,
        },
        14..=19 => Op::Realloc { slot: random.slot(), size: random.size() },
        20..=26 => Op::Dealloc { slot: random.slot() },
        27..=31 => Op::Enter { scope: random.scope() },
        32..=34 => Op::Read { scope: random.scope() },
        35..=38 => Op::Exit { scope: random.scope() },
        39 => Op::Forget { scope: random.scope() },
        40 => Op::Measure(inner(random, depth)),
        41 | 42 => Op::Uncounted(inner(random, depth)),
        43 => Op::Panic(inner(random, depth)),
        _ => Op::Future {
            polls: (0..=random.below(3)).map(|_| inner(random, depth)).collect(),
            between: inner(random, depth),
        },
    }
}

fn inner(random: &mut Generator, depth: u32) -> Vec<Op> {
    let length = random.below(16);
    nested(random, length, depth + 1)
}
