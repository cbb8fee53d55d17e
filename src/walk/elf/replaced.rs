//! Hot: notices that a module lies where a different one was: a library was unloaded, and another
//! took its place.
//!
//! Asked at each miss, of the module that the address is in. One case goes unnoticed: a module is
//! replaced within a scope, and of the new one only return addresses are met that the old one had,
//! too.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::module::Module;
use crate::walk::target::common::rule_table;

/// A module from which a rule was taken. Two words that are written one after the other: whoever
/// reads in between sees a module that never was, and flushes once more than needed.
struct Seen {
    /// The first page and the number of pages. 0: none.
    pages: AtomicU64,
    identity: AtomicU64,
}

/// Modules past so many are not watched within a scope.
static SEEN: [Seen; 256] = {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each place.
    const NONE: Seen = Seen { pages: AtomicU64::new(0), identity: AtomicU64::new(0) };
    [NONE; 256]
};

const PAGE_BITS: u32 = 12;
const COUNT_BITS: u32 = 28;

/// Flushes the rules if the module lies where a different one was.
pub(super) fn check(module: &Module) {
    let first = module.place.start as u64 >> PAGE_BITS;
    let count =
        (module.place.end.wrapping_sub(module.place.start) as u64 >> PAGE_BITS).wrapping_add(1);
    let pages = first << COUNT_BITS | count & ((1 << COUNT_BITS) - 1);
    let range = |pages: u64| {
        let first = pages >> COUNT_BITS;
        (first, first.wrapping_add(pages & ((1 << COUNT_BITS) - 1)))
    };
    let (start, end) = range(pages);
    let (mut is_known, mut is_in_place_of_another) = (false, false);
    for seen in &SEEN {
        let mut other = seen.pages.load(Relaxed);
        if other == 0 {
            if is_known {
                break;
            }
            match seen.pages.compare_exchange(0, pages, Relaxed, Relaxed) {
                Ok(_) => {
                    seen.identity.store(module.identity, Relaxed);
                    break;
                }
                Err(now) => other = now,
            }
        }
        let (other_start, other_end) = range(other);
        if other_start >= end || start >= other_end {
            continue;
        }
        is_known = true;
        if other != pages || seen.identity.load(Relaxed) != module.identity {
            is_in_place_of_another = true;
            seen.pages.store(pages, Relaxed);
            seen.identity.store(module.identity, Relaxed);
        }
    }
    if is_in_place_of_another {
        rule_table::flush();
    }
}

#[cfg(test)]
mod tests {
    use super::super::bytes::Segment;
    use super::super::module::Place;
    use super::*;

    #[test]
    fn a_module_in_place_of_another_flushes() {
        // Addresses of no module, so that other tests do not meet them.
        let module = |start: usize, pages: usize, identity: u64| {
            let end = start + pages * 4096;
            let place = Place { start, end, header: start, description: 0 };
            Module { identity, ..Module::new(place, Segment { bytes: &[], address: start }) }
        };
        let flushes = |start, pages, identity| {
            let before = rule_table::generation();
            check(&module(start, pages, identity));
            rule_table::generation() != before
        };
        let base = 0x7000_0000;
        // Other tests flush as well; what is said here of not flushing is not asserted.
        check(&module(base, 4, 1));
        check(&module(base + (8 << 12), 4, 2));
        assert!(flushes(base, 4, 3), "another identity");
        assert!(flushes(base, 5, 3), "another length");
        assert!(flushes(base + (2 << 12), 8, 4), "another start, over two");
        assert!(flushes(base, 4, 3), "the first again");
    }
}
