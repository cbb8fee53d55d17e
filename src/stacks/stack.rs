//! Hot: `Stack`, a distinct stack of return addresses, and the set of all of them. Stacks are
//! interned for the life of the process, so that a reference stands for one, whichever thread or
//! scope met it.
//!
//! The set is a trie over the bits of the stacks' hashes: a table of roots, then two bits a level.
//! It only grows: a new stack is put into an empty place with one compare-and-swap, and no lock or
//! move of others is ever needed. Equal hashes are told apart by their addresses, and go one below
//! the other.
//!
//! Relies on: memory of `memory::keep` belongs to nobody else and is never freed; a stack is
//! written before the compare-and-swap that publishes it, and not changed after.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU64};

use super::process_counts::ProcessCounts;
use crate::sys::memory;
use crate::walk::{Stop, Walked};

/// A stack, walked from an allocation to the thread's start. Its return addresses follow it in
/// memory. They are reached by a reference of their own: one to the stack is good for its own bytes
/// and no more.
#[repr(C)]
pub(crate) struct Stack {
    hash: u64,
    return_addresses: &'static [usize],
    stop: Stop,
    children: [AtomicPtr<Stack>; 4],
    process_counts: ProcessCounts,
}

#[allow(clippy::declare_interior_mutable_const)] // A template for arrays.
const EMPTY: AtomicPtr<Stack> = AtomicPtr::new(ptr::null_mut());

/// The roots are found by so many of the highest bits.
const ROOT_BITS: u32 = 10;

static ALL: Set = Set::new(1 << 20);

/// The set of all stacks.
struct Set {
    roots: [AtomicPtr<Stack>; 1 << ROOT_BITS],
    count: AtomicU64,
    /// At some 300 bytes each, a million take a third of a gigabyte: a program with more has no use
    /// for the list.
    max: u64,
}

/// The stack of `walked`; `None` if there are too many already, or no memory.
#[inline]
pub(crate) fn intern(walked: &Walked<'_>) -> Option<&'static Stack> {
    ALL.intern(walked.return_addresses, walked.stop, walked.hash)
}

/// That of an event of a signal handler that interrupted the library; `None` as for [`intern`].
#[cold]
pub(crate) fn interrupting_stack() -> Option<&'static Stack> {
    ALL.intern(&[], Stop::Interrupting, 0)
}

/// Shows `visit` every stack that there is.
pub(crate) fn visit_stacks(visit: &mut dyn FnMut(&'static Stack)) {
    ALL.visit(visit);
}

fn visit_below(place: &AtomicPtr<Stack>, visit: &mut dyn FnMut(&'static Stack)) {
    if let Some(stack) = at(place) {
        visit(stack);
        for child in &stack.children {
            visit_below(child, visit);
        }
    }
}

#[inline]
pub(crate) fn at(place: &AtomicPtr<Stack>) -> Option<&'static Stack> {
    // SAFETY: a pointer in the trie was initialised by `Stack::allocate` before it was published,
    // and is never freed.
    unsafe { place.load(Acquire).as_ref() }
}

/// A stack for tests that walk none.
#[cfg(test)]
pub(crate) fn made_up_stack(addresses: &[usize]) -> &'static Stack {
    made_up_walk(addresses, Stop::Complete)
}

/// The stack of a walk that ended in this way.
#[cfg(test)]
pub(crate) fn made_up_walk(addresses: &[usize], stop: Stop) -> &'static Stack {
    let hash = addresses
        .iter()
        .fold(0, |hash: u64, a| (hash ^ *a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    ALL.intern(addresses, stop, hash).expect("memory")
}

/// Different stacks that have the same hash.
#[cfg(test)]
pub(crate) fn made_up_collision() -> [&'static Stack; 2] {
    [1, 2].map(|address| ALL.intern(&[address], Stop::Complete, 7 << 32).expect("memory"))
}

impl Set {
    const fn new(max: u64) -> Self {
        Self { roots: [EMPTY; 1 << ROOT_BITS], count: AtomicU64::new(0), max }
    }

    fn visit(&self, visit: &mut dyn FnMut(&'static Stack)) {
        for root in &self.roots {
            visit_below(root, visit);
        }
    }

    fn intern(&self, addresses: &[usize], stop: Stop, hash: u64) -> Option<&'static Stack> {
        // No panic: the first bits of a hash, and as many places as they can say.
        let mut place = &self.roots[(hash >> (64 - ROOT_BITS)) as usize];
        let mut bits = hash << ROOT_BITS;
        while let Some(stack) = at(place) {
            if stack.hash == hash && stack.stop == stop && stack.return_addresses() == addresses {
                return Some(stack);
            }
            // No panic: two bits, and four places.
            place = &stack.children[(bits >> 62) as usize];
            bits <<= 2;
        }
        self.insert(place, addresses, stop, hash)
    }

    #[cold]
    fn insert(
        &self,
        place: &AtomicPtr<Stack>,
        addresses: &[usize],
        stop: Stop,
        hash: u64,
    ) -> Option<&'static Stack> {
        if self.count.load(Relaxed) >= self.max {
            return None;
        }
        let stack = Stack::allocate(addresses, stop, hash)?;
        if place.compare_exchange(ptr::null_mut(), stack, AcqRel, Relaxed).is_ok() {
            self.count.fetch_add(1, Relaxed);
            // SAFETY: initialised by `allocate`, and never freed now that it is published.
            return Some(unsafe { &*stack });
        }
        // Another thread was first in this place, with this stack or another one. The memory is
        // lost, which is rare, and little.
        self.intern(addresses, stop, hash)
    }
}

impl Stack {
    /// Outermost first.
    #[inline]
    pub(crate) fn return_addresses(&self) -> &[usize] {
        self.return_addresses
    }

    /// The stack of no more than the innermost `depth` addresses; `None` as for [`intern`].
    #[cold]
    pub(crate) fn innermost(&'static self, depth: usize) -> Option<&'static Self> {
        let addresses = self.return_addresses();
        let Some(above) = addresses.len().checked_sub(depth).filter(|above| *above > 0) else {
            return Some(self);
        };
        let addresses = addresses.get(above..)?;
        let mix = |hash: u64, address: &usize| {
            (hash.rotate_left(5) ^ *address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        ALL.intern(addresses, Stop::TooDeep, addresses.iter().fold(0, mix))
    }

    /// What profilers of the whole process have counted here.
    pub(super) fn process_counts(&self) -> &ProcessCounts {
        &self.process_counts
    }

    pub(crate) fn stop(&self) -> Stop {
        self.stop
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn allocate(addresses: &[usize], stop: Stop, hash: u64) -> Option<*mut Self> {
        let size = size_of::<Self>() + std::mem::size_of_val(addresses);
        let layout = Layout::from_size_align(size, std::mem::align_of::<Self>()).ok()?;
        let memory: *mut Self = memory::keep(layout).cast();
        if memory.is_null() {
            return None;
        }
        let behind = memory.wrapping_add(1).cast::<usize>();
        // SAFETY: the block has room for all addresses behind the header, whose size is a multiple
        // of their alignment.
        unsafe { ptr::copy_nonoverlapping(addresses.as_ptr(), behind, addresses.len()) };
        // SAFETY: written above. They never change, and are freed, if at all, before anybody but
        // `insert` has seen the stack.
        let return_addresses = unsafe { &*ptr::slice_from_raw_parts(behind, addresses.len()) };
        let header = Self {
            hash,
            return_addresses,
            stop,
            children: [EMPTY; 4],
            process_counts: ProcessCounts::new(),
        };
        // SAFETY: `memory` is fresh, aligned, and has room for the header.
        unsafe { memory.write(header) };
        Some(memory)
    }
}

const _: () = assert!(size_of::<Stack>() % size_of::<usize>() == 0);

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Set, Stack, Stop, ROOT_BITS};

    fn intern(set: &'static Set, addresses: &[usize], hash: u64) -> Option<&'static Stack> {
        set.intern(addresses, Stop::TooDeep, hash)
    }

    #[test]
    fn equal_stacks_are_one_and_equal_hashes_alone_are_not() {
        static SET: Set = Set::new(100);
        for hash in [0, 7, u64::MAX] {
            let some = intern(&SET, &[1, 2, 3], hash).expect("memory");
            assert!(std::ptr::eq(some, intern(&SET, &[1, 2, 3], hash).expect("known")));
            for others in [&[1, 2][..], &[1, 2, 4], &[], &[1, 2, 3, 4]] {
                let other = intern(&SET, others, hash).expect("memory");
                assert!(!std::ptr::eq(some, other));
                assert_eq!(other.return_addresses(), others);
            }
            assert_eq!(some.return_addresses(), [1, 2, 3]);
        }
        let stopped = SET.intern(&[1, 2, 3], Stop::Complete, 7).expect("memory");
        assert_eq!(stopped.stop(), Stop::Complete);
    }

    #[test]
    fn all_stacks_are_shown_wherever_they_hang() {
        static SET: Set = Set::new(100);
        // Six below one root, in all four places and one below the other; and one below another
        // root.
        let below = [0, 1, 2, 3, 3, 3].map(|bits: u64| bits << (62 - ROOT_BITS));
        for (address, hash) in below.into_iter().chain([1 << 63]).enumerate() {
            intern(&SET, &[address], hash).expect("memory");
        }
        let mut shown = Vec::new();
        SET.visit(&mut |stack| shown.push(stack.return_addresses()[0]));
        shown.sort_unstable();
        assert_eq!(shown, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_place_that_another_thread_has_taken_is_passed_by() {
        static SET: Set = Set::new(100);
        let first = intern(&SET, &[1], 0).expect("memory");
        let place = &SET.roots[0];
        let again = SET.insert(place, &[1], Stop::TooDeep, 0).expect("known by now");
        assert!(std::ptr::eq(first, again));
        let other = SET.insert(place, &[2], Stop::TooDeep, 0).expect("memory");
        assert_eq!(other.return_addresses(), [2]);
        assert!(std::ptr::eq(other, intern(&SET, &[2], 0).expect("known")));
    }

    #[test]
    fn a_full_set_still_knows_what_it_holds() {
        static SET: Set = Set::new(2);
        let first = intern(&SET, &[1], 1).expect("room");
        intern(&SET, &[2], 1 << 60).expect("room");
        assert!(intern(&SET, &[3], 3).is_none());
        assert!(std::ptr::eq(first, intern(&SET, &[1], 1).expect("known")));
    }

    #[test]
    fn threads_that_intern_the_same_stacks_at_once_get_the_same_ones() {
        static SET: Set = Set::new(1 << 20);
        let work = || {
            (0..3_000_u64)
                .map(|i| {
                    let hash = (i % 1_000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    intern(&SET, &[i as usize % 1_000, 5], hash).expect("memory") as *const Stack
                        as usize
                })
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(work)).collect();
        let results: Vec<_> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();
        for stacks in &results {
            assert_eq!(stacks, &results[0]);
            assert_eq!(stacks[..1_000], stacks[1_000..2_000]);
        }
        assert_eq!(SET.count.load(super::Relaxed), 1_000);
    }
}
