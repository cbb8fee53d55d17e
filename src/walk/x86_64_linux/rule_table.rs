//! Hot: the rules known so far: a table of fixed size that all threads read and fill without
//! waiting.
//!
//! A word of the table holds a return address and its rule, so one load tells both, and one store
//! replaces both:
//!
//! ```text
//! set  = address modulo 4096
//! word = 29 bits of rule, then 35 bits of tag: address / 4096
//! ```
//!
//! The place of a call in its page is as good a hash as any, and an `and` is sooner done than a
//! multiplication: between the load of an address and that of its rule, a walk has nothing else to
//! do. The offset comes uppermost for the same reason.
//!
//! An address has four places, one in each *way*. With two, a program with an unlucky layout missed
//! 23,000 times instead of 1,000 times.
//!
//! A word of 0 is empty. It would be an address below 4096, where no code is, with the rule
//! `CFA = rsp`, which leads nowhere.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::walk::rule::Rule;

/// Bits of a user address.
pub(super) const ADDRESS_BITS: u32 = 47;
pub(super) const SET_BITS: u32 = 12;
pub(super) const WAYS: usize = 4;
pub(super) const TAG_BITS: u32 = ADDRESS_BITS - SET_BITS;
const _: () = assert!(TAG_BITS + Rule::BITS == 64);

type Way = [AtomicU64; 1 << SET_BITS];

#[repr(align(64))]
pub(super) struct Table(pub(super) [Way; WAYS]);

/// Zeroed, so that what is not used takes no memory: 128 KiB at the most.
#[allow(clippy::declare_interior_mutable_const, clippy::large_const_arrays)]
pub(super) static TABLE: Table = {
    // Templates, copied into each place.
    const EMPTY: AtomicU64 = AtomicU64::new(0);
    const WAY: Way = [EMPTY; 1 << SET_BITS];
    Table([WAY; WAYS])
};

/// Counts the flushes. Whoever keeps something that follows from rules keeps this beside it.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// Which way of a full set is replaced next.
static NEXT_WAY: AtomicUsize = AtomicUsize::new(0);

pub(super) fn generation() -> usize {
    GENERATION.load(Relaxed)
}

/// Forgets all rules: a module has gone, and another may be where it was.
#[cold]
pub(super) fn flush() {
    GENERATION.fetch_add(1, Relaxed);
    for word in TABLE.0.iter().flatten() {
        // What was never used is not touched: it has no memory.
        if word.load(Relaxed) != 0 {
            word.store(0, Relaxed);
        }
    }
    // A walk of another thread that began meanwhile may have met rules that were still there.
    GENERATION.fetch_add(1, Release);
}

/// The rule of a return address, if it is known.
pub(super) fn find(address: usize) -> Option<Rule> {
    let (set, tag) = place(address);
    places(set).find_map(|word| {
        let rest = word.load(Relaxed) ^ tag;
        (rest << Rule::BITS == 0).then(|| Rule::from_word((rest >> TAG_BITS) as u32))
    })
}

/// Keeps the rule of a return address that is not known, in place of another where the set is full.
pub(super) fn keep(address: usize, rule: Rule) {
    let (set, tag) = place(address);
    let free = places(set).position(|word| word.load(Relaxed) == 0);
    let way = free.unwrap_or_else(|| NEXT_WAY.fetch_add(1, Relaxed) % WAYS);
    if let Some(word) = places(set).nth(way) {
        word.store(u64::from(rule.word()) << TAG_BITS | tag, Relaxed);
    }
}

/// Whether code can be at this address: no other has a place in the table.
pub(super) fn can_hold(address: usize) -> bool {
    address >> SET_BITS != 0 && address >> ADDRESS_BITS == 0
}

/// Makes this the rule of an address, whatever code is there.
#[cfg(test)]
pub(super) fn teach(address: usize, rule: Rule) {
    let (set, tag) = place(address);
    let is_its_own = |word: &AtomicU64| (word.load(Relaxed) ^ tag) << Rule::BITS == 0;
    let is_free = |word: &AtomicU64| word.load(Relaxed) == 0;
    let way = places(set).position(is_its_own).or_else(|| places(set).position(is_free));
    if let Some(word) = places(set).nth(way.unwrap_or(0)) {
        word.store(u64::from(rule.word()) << TAG_BITS | tag, Relaxed);
    }
}

fn place(address: usize) -> (usize, u64) {
    (address & ((1 << SET_BITS) - 1), (address >> SET_BITS) as u64)
}

/// The words of a set.
fn places(set: usize) -> impl Iterator<Item = &'static AtomicU64> {
    TABLE.0.iter().filter_map(move |way| way.get(set))
}

#[cfg(test)]
mod tests {
    use super::{place, places, SET_BITS, WAYS};
    use crate::walk::target::modules::own_tables;

    #[test]
    fn the_places_of_addresses_are_well_spread() {
        let (_, _, functions) = own_tables();
        let mut taken = vec![0; 1 << SET_BITS];
        let calls = functions.iter().step_by(functions.len() / 1_000);
        // Some call of each function, wherever it may be.
        calls.for_each(|(start, entry)| taken[place(start + entry % 61).0] += 1);
        let crowded = taken.iter().filter(|taken| **taken > WAYS).count();
        assert!(crowded <= 4, "{crowded} sets are crowded");
        assert_eq!(places(0).count(), WAYS);
    }
}
