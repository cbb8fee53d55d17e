//! Hot: the rules known so far: a table of fixed size that all threads read and fill without
//! waiting.
//!
//! A word of the table holds a return address and its rule, so one load tells both, and one store
//! replaces both:
//!
//! ```text
//! set  = (address / unit) modulo 4096
//! word = rule (29 bits on x86_64), then tag: address / unit / 4096
//! ```
//!
//! `unit` is that of return addresses: 1 on x86_64.
//!
//! The place of a call in its page is as good a hash as any, and an `and` is sooner done than a
//! multiplication: between the load of an address and that of its rule, a walk has nothing else to
//! do. The offset comes uppermost for the same reason.
//!
//! An address has four places, one in each *way*. With two, a program with an unlucky layout missed
//! 23,000 times instead of 1,000 times.
//!
//! A word of 0 is empty. It would be an address of the first pages, where no code is, with the rule
//! `CFA = sp`, which leads nowhere.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::walk::target::arch::registers::{ADDRESS_BITS, UNIT_BITS};
use crate::walk::target::arch::rule::Rule;

pub(crate) const SET_BITS: u32 = 12;
pub(crate) const WAYS: usize = 4;
pub(crate) const TAG_BITS: u32 = ADDRESS_BITS - UNIT_BITS - SET_BITS;
const _: () = assert!(TAG_BITS + Rule::BITS == 64);

type Way = [AtomicU64; 1 << SET_BITS];

#[repr(align(64))]
pub(crate) struct Table(pub(crate) [Way; WAYS]);

/// Zeroed, so that what is not used takes no memory: 128 KiB at the most.
#[allow(clippy::declare_interior_mutable_const, clippy::large_const_arrays)]
pub(crate) static TABLE: Table = {
    // Templates, copied into each place.
    const EMPTY: AtomicU64 = AtomicU64::new(0);
    const WAY: Way = [EMPTY; 1 << SET_BITS];
    Table([WAY; WAYS])
};

/// Counts the flushes. Whoever keeps something that follows from rules keeps this beside it.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// Which way of a full set is replaced next.
static NEXT_WAY: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn generation() -> usize {
    GENERATION.load(Relaxed)
}

/// Forgets all rules: a module has gone, and another may be where it was.
#[cold]
pub(crate) fn flush() {
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
pub(crate) fn find(address: usize) -> Option<Rule> {
    let (set, tag) = place(address);
    let mut way = 0;
    while way < WAYS {
        // No panic: `way` is compared above, and `place` gives no more than the last set.
        let rest = TABLE.0[way][set].load(Relaxed) ^ tag;
        if rest << Rule::BITS == 0 {
            return Some(Rule::from_word((rest >> TAG_BITS) as u32));
        }
        way = way.wrapping_add(1);
    }
    None
}

/// Keeps the rule of a return address that is not known, in place of another where the set is full.
pub(crate) fn keep(address: usize, rule: Rule) {
    let (set, tag) = place(address);
    let mut way = 0;
    // No panic: less than `WAYS`, as in the last line; for the set, see above.
    while TABLE.0[way][set].load(Relaxed) != 0 {
        way = way.wrapping_add(1);
        if way == WAYS {
            way = NEXT_WAY.fetch_add(1, Relaxed) % WAYS;
            break;
        }
    }
    // No panic: as above.
    TABLE.0[way][set].store(u64::from(rule.word()) << TAG_BITS | tag, Relaxed);
}

/// Whether code can be at this address: no other has a place in the table.
pub(crate) fn can_hold(address: usize) -> bool {
    let has_set = address >> UNIT_BITS >> SET_BITS != 0 && address >> ADDRESS_BITS == 0;
    has_set && address >> UNIT_BITS << UNIT_BITS == address
}

/// Makes this the rule of an address, whatever code is there.
#[cfg(test)]
pub(crate) fn teach(address: usize, rule: Rule) {
    let (set, tag) = place(address);
    let is_its_own = |word: &AtomicU64| (word.load(Relaxed) ^ tag) << Rule::BITS == 0;
    let is_free = |word: &AtomicU64| word.load(Relaxed) == 0;
    let way = places(set).position(is_its_own).or_else(|| places(set).position(is_free));
    if let Some(word) = places(set).nth(way.unwrap_or(0)) {
        word.store(u64::from(rule.word()) << TAG_BITS | tag, Relaxed);
    }
}

fn place(address: usize) -> (usize, u64) {
    let unit = address >> UNIT_BITS;
    (unit & ((1 << SET_BITS) - 1), (unit >> SET_BITS) as u64)
}

/// In how many sets there is no room for the rules of all these addresses.
#[cfg(test)]
pub(crate) fn crowded(addresses: impl Iterator<Item = usize>) -> usize {
    let mut taken = vec![0; 1 << SET_BITS];
    addresses.for_each(|address| taken[place(address).0] += 1);
    taken.iter().filter(|taken| **taken > WAYS).count()
}

/// The words of a set.
#[cfg(test)]
fn places(set: usize) -> impl Iterator<Item = &'static AtomicU64> {
    TABLE.0.iter().filter_map(move |way| way.get(set))
}

#[cfg(test)]
mod tests {
    use super::{find, generation, keep, places, Rule, SET_BITS, UNIT_BITS, WAYS};
    use crate::walk::caller::{Caller, Cfa, SavedFp};

    #[test]
    fn a_full_set_gives_up_one_rule_for_another() {
        let rule = |n: usize| Rule::of(Caller::frame(Cfa::Sp(16 * n), SavedFp::Same));
        // Other tests flush, and their code may get a place in the same set.
        let count = (1..1_000).find_map(|attempt| {
            let before = generation();
            let set = (0..1 << SET_BITS)
                .find(|set| places(*set).all(|word| word.load(super::Relaxed) == 0))?;
            let address = |n: usize| ((attempt * 16 + n + 1) << SET_BITS | set) << UNIT_BITS;
            let known = |end| (1..end).filter(|n| find(address(*n)) == Some(rule(*n))).count();
            (1..=WAYS).for_each(|n| keep(address(n), rule(n)));
            let all = known(WAYS + 1);
            keep(address(WAYS + 1), rule(WAYS + 1));
            let newest = find(address(WAYS + 1));
            let rest = known(WAYS + 1);
            (generation() == before).then_some((all, newest, rest))
        });
        assert_eq!(count, Some((WAYS, Some(rule(WAYS + 1)), WAYS - 1)));
    }
}
