//! Cold: `Chains`, the frames of all sites of a recording as numbers, and how they are ordered.

use std::ops::Range;

use super::frame_list::FrameList;
use crate::index::hash;
use crate::walk::Stop;

/// Of one site after the other, each innermost first.
#[derive(Default)]
pub(crate) struct Chains {
    pub(crate) list: FrameList,
    pub(super) numbers: Vec<u32>,
}

/// Which of the numbers are a site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainAt {
    pub(super) start: usize,
    pub(super) length: u32,
}

/// What is known of a chain beside its frames.
pub(super) struct End {
    /// After so many frames, some were left out.
    pub(super) gap: Option<u32>,
    /// Where the walk ended, if it does not lead to the scope's opening.
    pub(super) cut_off: Option<Stop>,
}

impl Chains {
    pub(super) fn at(&self, chain: ChainAt) -> &[u32] {
        &self.numbers[chain.start..][..chain.length as usize]
    }

    /// The user's innermost frame.
    pub(super) fn innermost_of_user(&self, chain: ChainAt) -> Option<u32> {
        for frame in self.at(chain) {
            if self.list.is_user(*frame) {
                return Some(*frame);
            }
        }
        None
    }

    /// The hash of all chains that read as this one does.
    pub(super) fn hash(&self, chain: ChainAt) -> usize {
        let mut hashed = self.innermost_of_user(chain).map_or(0, |frame| frame as usize);
        for frame in self.at(chain) {
            hashed = hash(hashed, self.list.wording(*frame) as usize);
        }
        hashed
    }

    /// Whether two chains read the same. Columns matter in the user's innermost frame alone: that
    /// of an allocation tells it from others of its line, while those of calls would make a site of
    /// each way through a recursive `f(n - 1) + f(n - 2)`.
    pub(super) fn read_the_same(&self, known: ChainAt, other: ChainAt) -> bool {
        let (a, b) = (self.at(known), self.at(other));
        let mut at = 0;
        while at < a.len() && at < b.len() {
            if self.list.wording(a[at]) != self.list.wording(b[at]) {
                return false;
            }
            at += 1;
        }
        a.len() == b.len() && self.innermost_of_user(known) == self.innermost_of_user(other)
    }

    /// Makes one of two chains that read the same, of which `last` is the last of all. They may
    /// differ in columns of calls; which one stays must not depend on their order.
    pub(super) fn unite(&mut self, known: ChainAt, last: ChainAt) {
        if self.at(last) < self.at(known) {
            self.numbers.copy_within(last.start.., known.start);
        }
        self.numbers.truncate(last.start);
    }

    /// Whether any frame of the chain is so, by what is known of each frame.
    pub(super) fn any(&self, chain: ChainAt, is_so: &[bool]) -> bool {
        for frame in self.at(chain) {
            if is_so[*frame as usize] {
                return true;
            }
        }
        false
    }

    /// Orders a list by its chains, these by their frames, and those by their numbers. Chains
    /// have many frames in common: a part of the list where all have the same is never looked at
    /// there again. Else the smaller half of the numbers goes to the one side, the larger one to
    /// the other.
    pub(super) fn sort<T>(&self, list: &mut [T], chain_of: impl Fn(&T) -> ChainAt) {
        let mut unsorted: Vec<(Range<usize>, usize)> = vec![(0..list.len(), 0)];
        while let Some((range, depth)) = unsorted.pop() {
            let part = &mut list[range.clone()];
            if part.len() < 2 {
                continue;
            }
            let (mut least, mut most) = (usize::MAX, 0);
            for item in &*part {
                let frame = self.frame_at(chain_of(item), depth);
                least = least.min(frame);
                most = most.max(frame);
            }
            if least == most {
                // Else all chains of this part have ended: they are equal.
                if most > 0 {
                    unsorted.push((range, depth + 1));
                }
                continue;
            }
            let middle = least + (most - least) / 2;
            let mut lower = 0;
            for at in 0..part.len() {
                if self.frame_at(chain_of(&part[at]), depth) <= middle {
                    part.swap(lower, at);
                    lower += 1;
                }
            }
            let middle = range.start + lower;
            unsorted.push((range.start..middle, depth));
            unsorted.push((middle..range.end, depth));
        }
    }

    /// One more than the number of a frame; 0 where the chain has ended.
    fn frame_at(&self, chain: ChainAt, depth: usize) -> usize {
        if depth < chain.length as usize {
            let numbers = self.numbers.as_slice();
            return numbers[chain.start + depth] as usize + 1;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{ChainAt, Chains};

    #[test]
    fn chains_are_ordered_as_words_are() {
        let words = ["b", "abc", "", "ab", "zz", "zebra", "ab", "za", "a", "abd", "zebras", "b"];
        let mut chains = Chains::default();
        let mut at = Vec::new();
        for word in words {
            at.push(ChainAt { start: chains.numbers.len(), length: word.len() as u32 });
            chains.numbers.extend(word.bytes().map(u32::from));
        }
        chains.sort(&mut at, |chain| *chain);
        let bytes = at.iter().flat_map(|chain| chains.at(*chain).iter().chain(&[32]));
        let sorted: String = bytes.map(|byte| *byte as u8 as char).collect();
        let mut expected = words;
        expected.sort_unstable();
        assert_eq!(sorted.trim_end(), expected.join(" ").trim_end());
    }
}
