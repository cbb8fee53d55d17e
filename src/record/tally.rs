//! Hot: `Tally`, what is counted at one stack.

use super::point::Blocks;

/// An allocation event as recording sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Bytes requested.
    pub(crate) size: u64,
    /// The size before, where the event is a reallocation.
    pub(crate) old_size: Option<u64>,
}

/// What was counted at one stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Fresh blocks.
    pub(crate) allocs: u64,
    pub(crate) reallocs: u64,
    /// Bytes requested; a reallocation adds its full new size.
    pub(crate) bytes: u64,
    pub(crate) growth: Growth,
    /// Of the whole process: blocks and bytes that were live at its peak.
    pub(crate) at_peak: Blocks,
}

/// The first chain of growing reallocations seen at a stack: each takes the block on where the one before left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// The size before the first step, then the sizes after each, as far as there is room.
    pub(crate) sizes: [u64; 4],
    /// The size after the latest step.
    pub(crate) last: u64,
    pub(crate) steps: u64,
}

impl Tally {
    pub(crate) const ZERO: Self = Self {
        allocs: 0,
        reallocs: 0,
        bytes: 0,
        growth: Growth { sizes: [0; 4], last: 0, steps: 0 },
        at_peak: Blocks::NONE,
    };

    /// Allocation events.
    pub(crate) const fn events(&self) -> u64 {
        self.allocs + self.reallocs
    }

    #[inline]
    pub(super) fn count(&mut self, event: Event) {
        self.bytes = self.bytes.wrapping_add(event.size);
        match event.old_size {
            None => self.allocs += 1,
            Some(old_size) => {
                self.reallocs += 1;
                self.growth.step(old_size, event.size);
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.allocs += other.allocs;
        self.reallocs += other.reallocs;
        self.bytes = self.bytes.wrapping_add(other.bytes);
        if self.growth.steps == 0 {
            self.growth = other.growth;
        }
    }

    /// Without what `earlier`, a former state of it, had counted.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            allocs: self.allocs.wrapping_sub(earlier.allocs),
            reallocs: self.reallocs.wrapping_sub(earlier.reallocs),
            bytes: self.bytes.wrapping_sub(earlier.bytes),
            at_peak: self.at_peak,
            growth: if earlier.growth.steps == 0 { self.growth } else { Growth::default() },
        }
    }
}

impl Growth {
    fn step(&mut self, old_size: u64, new_size: u64) {
        let continues = if self.steps == 0 {
            self.sizes[0] = old_size;
            true
        } else {
            old_size == self.last
        };
        if continues && new_size > old_size {
            self.steps += 1;
            self.last = new_size;
            if let Some(size) = self.sizes.get_mut(self.steps as usize) {
                *size = new_size;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Tally};

    #[test]
    fn a_chain_of_growth_follows_one_block() {
        let mut tally = Tally::ZERO;
        for (old_size, size) in [(8, 16), (100, 200), (16, 32), (32, 24), (32, 64), (64, 128)] {
            tally.count(Event { size, old_size: Some(old_size) });
        }
        assert_eq!(
            (tally.reallocs, tally.allocs, tally.bytes),
            (6, 0, 16 + 200 + 32 + 24 + 64 + 128)
        );
        let growth = tally.growth;
        assert_eq!((growth.sizes, growth.last, growth.steps), ([8, 16, 32, 64], 128, 4));
    }

    #[test]
    fn of_several_chains_the_first_stays() {
        let of_size = |size| {
            let mut tally = Tally::ZERO;
            tally.count(Event { size: 2 * size, old_size: Some(size) });
            tally
        };
        let mut sum = of_size(8);
        sum.add(&of_size(100));
        assert_eq!(sum.growth, of_size(8).growth);
        assert_eq!(sum.since(&Tally::ZERO).growth, of_size(8).growth);
        assert_eq!(sum.since(&of_size(8)).growth.steps, 0, "it was seen before");
    }
}
