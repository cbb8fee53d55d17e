//! Hot: `SiteCounts`, what is counted at one stack.

use crate::counters::{Blocks, Event};

/// What was counted at one stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteCounts {
    /// Fresh blocks.
    pub(crate) allocs: u64,
    pub(crate) reallocs: u64,
    /// Bytes requested; a reallocation adds its full new size.
    pub(crate) bytes: u64,
    pub(crate) growth: Growth,
    /// Of the whole process: blocks and bytes that were live at its peak.
    pub(crate) at_peak: Blocks,
}

/// How blocks grew at a stack: the first chain of growing reallocations, each of which takes the
/// block on where the one before left it, and the sums over all of them. A block may grow in turn
/// at several stacks, of one line or of several: then no stack has the chain, but the sums tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Growth {
    /// The size before the first step, then the sizes after each, as far as there is room.
    pub(crate) sizes: [u64; 4],
    /// The size after the latest step.
    pub(crate) last: u64,
    pub(crate) steps: u64,
    /// All growing reallocations: how many, by how many bytes together, from which size and to
    /// which at the utmost.
    pub(crate) count: u64,
    pub(crate) gained: u64,
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl SiteCounts {
    pub(crate) const ZERO: Self =
        Self { allocs: 0, reallocs: 0, bytes: 0, growth: Growth::NONE, at_peak: Blocks::NONE };

    /// How many words say it all, but for `at_peak`, which a reader sets.
    pub(super) const WORDS: usize = 13;

    /// All zeros for [`ZERO`](Self::ZERO).
    pub(super) fn words(&self) -> [u64; Self::WORDS] {
        let Growth { sizes: [a, b, c, d], last, steps, count, gained, least, most } = self.growth;
        let Self { allocs, reallocs, bytes, .. } = *self;
        [allocs, reallocs, bytes, a, b, c, d, last, steps, count, gained, !least, most]
    }

    /// The inverse of [`words`](Self::words).
    pub(super) fn of_words(words: [u64; Self::WORDS]) -> Self {
        let [allocs, reallocs, bytes, a, b, c, d, last, steps, count, gained, least, most] = words;
        let sizes = [a, b, c, d];
        let growth = Growth { sizes, last, steps, count, gained, least: !least, most };
        Self { allocs, reallocs, bytes, growth, ..Self::ZERO }
    }

    /// Allocation events.
    pub(crate) const fn events(&self) -> u64 {
        self.allocs + self.reallocs
    }

    /// Counts an allocation event.
    #[inline]
    pub(super) fn count(&mut self, event: &Event) {
        self.bytes = self.bytes.saturating_add(event.size());
        if event.is_fresh() {
            self.allocs += 1;
        } else {
            self.reallocs += 1;
            self.growth.step(event.old_size(), event.size());
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.allocs += other.allocs;
        self.reallocs += other.reallocs;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.growth.add(&other.growth);
        self.at_peak = self.at_peak + other.at_peak;
    }

    /// Without what `earlier`, a former state of it, had counted.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            allocs: self.allocs.wrapping_sub(earlier.allocs),
            reallocs: self.reallocs.wrapping_sub(earlier.reallocs),
            bytes: if self.bytes == u64::MAX {
                u64::MAX
            } else {
                self.bytes.wrapping_sub(earlier.bytes)
            },
            at_peak: self.at_peak,
            growth: self.growth.since(&earlier.growth),
        }
    }
}

impl Growth {
    pub(crate) const NONE: Self =
        Self { sizes: [0; 4], last: 0, steps: 0, count: 0, gained: 0, least: u64::MAX, most: 0 };

    fn step(&mut self, old_size: u64, new_size: u64) {
        if new_size <= old_size {
            return;
        }
        self.count += 1;
        self.gained = self.gained.wrapping_add(new_size - old_size);
        self.least = self.least.min(old_size);
        self.most = self.most.max(new_size);
        let continues = if self.steps == 0 {
            // No panic: an array, and not empty.
            self.sizes[0] = old_size;
            true
        } else {
            old_size == self.last
        };
        if continues {
            self.steps += 1;
            self.last = new_size;
            if let Some(size) = self.sizes.get_mut(self.steps as usize) {
                *size = new_size;
            }
        }
    }

    /// Of two chains, the first stays.
    fn add(&mut self, other: &Self) {
        let chain = if self.steps == 0 { *other } else { *self };
        *self = chain.with_sums_of(self, other);
    }

    /// This chain, and the sums of both.
    pub(crate) fn with_sums_of(self, a: &Self, b: &Self) -> Self {
        Self {
            count: a.count + b.count,
            gained: a.gained.wrapping_add(b.gained),
            least: a.least.min(b.least),
            most: a.most.max(b.most),
            ..self
        }
    }

    fn since(&self, earlier: &Self) -> Self {
        let chain = if earlier.steps == 0 { *self } else { Self::NONE };
        let count = self.count.wrapping_sub(earlier.count);
        let gained = self.gained.wrapping_sub(earlier.gained);
        // The bounds may be those of before: then the sums do not tell of one block.
        let (least, most) = if count == 0 { (u64::MAX, 0) } else { (self.least, self.most) };
        Self { count, gained, least, most, ..chain }
    }

    /// From which size to which a block grew, and in how many steps, where all steps together are
    /// those of one, or of several that grew alike: only then do the gains add up to the whole way.
    pub(crate) fn whole(&self) -> Option<(u64, u64, u64)> {
        let way = self.most.checked_sub(self.least)?;
        let blocks = self.gained.checked_div(way)?;
        let steps = self.count.checked_div(blocks)?;
        let adds_up = blocks * way == self.gained && blocks * steps == self.count;
        adds_up.then_some((self.least, self.most, steps))
    }
}

impl Default for Growth {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, SiteCounts};

    #[test]
    fn the_words_say_it_all() {
        assert_eq!(SiteCounts::ZERO.words(), [0; SiteCounts::WORDS]);
        let words: [u64; SiteCounts::WORDS] = std::array::from_fn(|at| 7 * at as u64 + 1);
        assert_eq!(SiteCounts::of_words(words).words(), words);
    }

    #[test]
    fn a_chain_of_growth_follows_one_block() {
        let mut counts = SiteCounts::ZERO;
        let steps = [(8, 16), (100, 200), (16, 32), (32, 24), (32, 32), (32, 64), (64, 128)];
        for (old_size, size) in steps {
            counts.count(&Event::realloc(0, old_size, size));
        }
        assert_eq!(
            (counts.reallocs, counts.allocs, counts.bytes),
            (7, 0, 16 + 200 + 32 + 24 + 32 + 64 + 128)
        );
        let growth = counts.growth;
        assert_eq!((growth.sizes, growth.last, growth.steps), ([8, 16, 32, 64], 128, 4));
        assert_eq!((growth.count, growth.gained), (5, 8 + 100 + 16 + 32 + 64));
    }

    #[test]
    fn a_block_that_grows_at_several_stacks_is_told_by_the_sums() {
        let of = |steps: &[(u64, u64)]| {
            let mut counts = SiteCounts::ZERO;
            for &(old_size, size) in steps {
                counts.count(&Event::realloc(0, old_size, size));
            }
            counts
        };
        let whole = |steps: [&[(u64, u64)]; 2]| {
            let mut sum = of(steps[0]);
            sum.add(&of(steps[1]));
            sum.growth.whole()
        };
        let (even, odd) = ([(8, 16), (32, 70)], [(16, 32), (70, 140)]);
        assert_eq!(whole([&even, &odd]), Some((8, 140, 4)));
        assert_eq!(whole([&even, &[(70, 140)]]), None, "nobody saw it grow from 16 to 32");
        assert_eq!(
            whole([&[(8, 16), (8, 16)], &[(16, 32), (16, 32)]]),
            Some((8, 32, 2)),
            "two alike"
        );
        assert_eq!(whole([&[(10, 20), (30, 60)], &[(70, 140)]]), None, "three blocks");
        assert_eq!(whole([&[], &[]]), None);
        let both = of(&[(8, 16), (16, 32), (32, 64)]);
        assert_eq!(both.since(&of(&[(8, 16)])).growth.whole(), None, "from where is not known");
        assert_eq!(both.since(&both).growth, of(&[]).growth);
    }

    #[test]
    fn of_several_chains_the_first_stays() {
        let of_size = |size| {
            let mut counts = SiteCounts::ZERO;
            counts.count(&Event::realloc(0, size, 2 * size));
            counts
        };
        let chain = |SiteCounts { growth, .. }| (growth.sizes, growth.last, growth.steps);
        let mut sum = of_size(8);
        sum.add(&of_size(100));
        assert_eq!(chain(sum), chain(of_size(8)));
        assert_eq!(chain(sum.since(&SiteCounts::ZERO)), chain(of_size(8)));
        assert_eq!(sum.since(&of_size(8)).growth.steps, 0, "it was seen before");
    }
}
