//! What the tests of this member measure: a function, and programs of allocations.

use std::alloc::{self, Layout};

/// Five lines.
pub const TEXT: &str = "to\nbe\nor\nnot\nto be";

/// Copies each line of a text.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// A program of allocations, and what it comes to, event by event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events {
    pub allocs: u64,
    pub reallocs: u64,
    pub deallocs: u64,
    /// Of `allocs` and `reallocs`: a reallocation adds its full new size.
    pub requested_bytes: u64,
    /// Of `allocs` and `reallocs`: a reallocation adds what the block grew by.
    pub grown_bytes: u64,
    /// The most bytes that were live, where a reallocated block has one size, and where it has
    /// both for a moment.
    pub peak_bytes: u64,
    pub peak_bytes_with_both: u64,
    pub retained_blocks: u64,
    pub retained_bytes: u64,
}

/// Programs that allocate, grow, shrink and free, each by another rule.
pub fn programs() -> impl Iterator<Item = Program> {
    (1..200).map(|seed| Program { seed })
}

#[derive(Debug)]
pub struct Program {
    seed: u64,
}

impl Program {
    /// Runs the program. What it allocates for itself would be counted, so it has no vector.
    pub fn run(&self) -> Events {
        let mut random = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut below = |limit: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % limit
        };
        let mut events = Events::default();
        let mut blocks: [Option<(*mut u8, Layout)>; 8] = [None; 8];
        let mut live_bytes = 0;
        for _ in 0..60 {
            let block = &mut blocks[below(8) as usize];
            let layout =
                Layout::array::<u8>(1 + below(3_000) as usize).expect("less than all memory");
            let size = layout.size() as u64;
            match *block {
                None => {
                    // SAFETY: the size is not zero.
                    let address = unsafe { alloc::alloc(layout) };
                    *block = Some((address, layout));
                    events.allocs += 1;
                    events.requested_bytes += size;
                    events.grown_bytes += size;
                    live_bytes += size;
                    events.peak_bytes_with_both = events.peak_bytes_with_both.max(live_bytes);
                }
                Some((address, before)) if below(2) == 0 => {
                    // SAFETY: the block is live, has this layout, and the new size is not zero.
                    let address = unsafe { alloc::realloc(address, before, layout.size()) };
                    *block = Some((address, layout));
                    events.reallocs += 1;
                    events.requested_bytes += size;
                    events.grown_bytes += size.saturating_sub(before.size() as u64);
                    events.peak_bytes_with_both =
                        events.peak_bytes_with_both.max(live_bytes + size);
                    live_bytes = live_bytes + size - before.size() as u64;
                }
                Some((address, before)) => {
                    // SAFETY: the block is live, and has this layout.
                    unsafe { alloc::dealloc(address, before) };
                    *block = None;
                    events.deallocs += 1;
                    live_bytes -= before.size() as u64;
                }
            }
            events.peak_bytes = events.peak_bytes.max(live_bytes);
        }
        // What is live at the end stays: a test of a few of these programs may lose it.
        events.retained_blocks = events.allocs - events.deallocs;
        events.retained_bytes = live_bytes;
        events
    }
}
