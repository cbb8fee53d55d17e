//! Cold: `Merged`, the sites of a recording while they are made of its stacks. Those that read the
//! same become one.

use super::chains::{ChainAt, Chains, End};
use super::frame_list::FrameList;
use super::harness;
use super::site::NumberedSite;
use crate::index::Index;
use crate::reading::CompactCounts;

pub(super) struct Merged {
    chains: Chains,
    sites: Vec<NumberedSite>,
    /// Where a site is, by the hash of its chain.
    places: Index,
    /// Of each frame, whether the harness may be above it.
    prints: Vec<bool>,
}

impl Merged {
    pub(super) fn new(list: FrameList) -> Self {
        let prints = list.map(&mut harness::prints);
        let chains = Chains { list, numbers: Vec::new() };
        Self { chains, sites: Vec::new(), places: Index::default(), prints }
    }

    /// Adds a stack, whose chain `push` appends. `false` if it has no frames.
    pub(super) fn add(
        &mut self,
        counts: &CompactCounts,
        push: impl FnOnce(&mut Vec<u32>) -> End,
    ) -> bool {
        let start = self.chains.numbers.len();
        let end = push(&mut self.chains.numbers);
        let chain = ChainAt { start, length: (self.chains.numbers.len() - start) as u32 };
        if chain.length == 0 {
            return false;
        }
        let (hash, next) = (self.chains.hash(chain), self.sites.len());
        let is_it = |at: usize| self.chains.read_the_same(self.sites[at].chain, chain);
        if let Some(known) = self.places.find_or_insert_hashed(hash, next, &is_it) {
            let known = &mut self.sites[known];
            known.merge(&counts.get(), &end);
            self.chains.unite(known.chain, chain);
            return true;
        }
        let is_capture = self.chains.any(chain, &self.prints)
            && harness::is_capture(&self.chains.list.frames(self.chains.at(chain)));
        self.sites.push(NumberedSite::new(counts.clone(), chain, &end, is_capture));
        true
    }

    /// The sites, in the order of their frames.
    pub(super) fn finish(self) -> (Vec<NumberedSite>, Chains) {
        let Self { chains, mut sites, places, .. } = self;
        drop(places);
        chains.sort(&mut sites, |site| site.chain);
        for (rank, site) in (0..).zip(&mut sites) {
            site.rank = rank;
        }
        (sites, chains)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::FrameParts;
    use super::super::frame_list::FrameList;
    use super::{End, Index, Merged};
    use crate::reading::CompactCounts;
    use crate::stacks::SiteCounts;

    #[test]
    fn chains_are_told_apart_that_have_one_hash() {
        let line = |line| vec![FrameParts { line: Some(line), ..FrameParts::default() }];
        let (list, _) = FrameList::new(vec![line(1), line(2)]);
        let mut merged = Merged::new(list);
        let once = CompactCounts::of(&SiteCounts { allocs: 1, ..SiteCounts::ZERO });
        let add = |merged: &mut Merged, frames: &[u32]| {
            let is_added = merged.add(&once, |numbers| {
                numbers.extend(frames);
                End { gap: None, cut_off: None }
            });
            assert_eq!(is_added, !frames.is_empty());
        };
        add(&mut merged, &[1]);
        add(&mut merged, &[0]);
        let second = merged.sites[1].chain;
        // As if the first had the hash of the second.
        merged.places = Index::default();
        merged.places.find_or_insert(merged.chains.hash(second), 0);
        merged.sites.truncate(1);
        merged.chains.numbers.truncate(1);
        for frames in [&[0][..], &[], &[0], &[0, 0]] {
            add(&mut merged, frames);
        }
        let (sites, chains) = merged.finish();
        let found = sites.iter().map(|site| (chains.at(site.chain), site.events(), site.rank));
        assert_eq!(found.collect::<Vec<_>>(), [(&[0][..], 2, 0), (&[0, 0], 1, 1), (&[1], 1, 2)]);
    }
}
