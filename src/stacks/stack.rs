//! Hot: `Stack`, a distinct stack of return addresses, and the set of all of them. Stacks are
//! interned for the life of the process, so that a reference stands for one, whichever thread or
//! scope met it.
//!
//! The set is a [`StableSet`] over their hashes. Equal hashes are told apart by their addresses.
//!
//! Relies on: memory of `memory::keep` belongs to nobody else and is never freed.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::mem::size_of;
use std::ptr;

use super::process_counts::ProcessCounts;
use crate::sys::{memory, Member, StableSet};
use crate::walk::{Stop, Walked};

/// A stack, walked from an allocation to the thread's start. Its return addresses follow it in
/// memory. They are reached by a reference of their own: one to the stack is good for its own bytes
/// and no more.
#[repr(C, align(16))]
pub(crate) struct Stack {
    hash: u64,
    return_addresses: &'static [usize],
    stop: Stop,
    process_counts: ProcessCounts,
}

impl Member for Stack {
    fn hash(&self) -> u64 {
        self.hash
    }
}

static ALL: Set = Set::new(1 << 20);

/// The set of all stacks.
struct Set {
    stacks: StableSet<Stack>,
    /// At some 300 bytes each, a million take a third of a gigabyte: a program with more has no use
    /// for the list.
    max: usize,
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
    ALL.stacks.visit(visit);
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
    const fn new(max: usize) -> Self {
        Self { stacks: StableSet::new(), max }
    }

    #[inline]
    fn intern(&self, addresses: &[usize], stop: Stop, hash: u64) -> Option<&'static Stack> {
        // First by the hash alone: a loop around the other compares takes 30 instructions more.
        match self.stacks.find(hash, |stack| stack.hash == hash) {
            Some(stack) if stack.is(addresses, stop) => Some(stack),
            _ => self.insert(addresses, stop, hash),
        }
    }

    #[cold]
    fn insert(&self, addresses: &[usize], stop: Stop, hash: u64) -> Option<&'static Stack> {
        let is_it = |stack: &Stack| stack.hash == hash && stack.is(addresses, stop);
        if let Some(known) = self.stacks.find(hash, is_it) {
            return Some(known);
        }
        if self.stacks.len() >= self.max {
            return None;
        }
        let stack = Stack::allocate(addresses, stop, hash)?;
        // If another thread was first, the memory is lost, which is rare, and little.
        self.stacks.insert(stack, is_it)
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

    #[inline]
    fn is(&self, addresses: &[usize], stop: Stop) -> bool {
        self.stop == stop && self.return_addresses == addresses
    }

    fn allocate(addresses: &[usize], stop: Stop, hash: u64) -> Option<&'static Self> {
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
        // SAFETY: written above; they never change, and are never freed.
        let return_addresses = unsafe { &*ptr::slice_from_raw_parts(behind, addresses.len()) };
        let header = Self { hash, return_addresses, stop, process_counts: ProcessCounts::new() };
        // SAFETY: `memory` is fresh, aligned, and has room for the header.
        unsafe { memory.write(header) };
        // SAFETY: written above, and never freed.
        Some(unsafe { &*memory })
    }
}

const _: () = assert!(size_of::<Stack>() % size_of::<usize>() == 0);

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Set, Stack, Stop};

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
        let below = [0, 1, 2, 3, 3, 3].map(|bits: u64| bits << (62 - 10));
        for (address, hash) in below.into_iter().chain([1 << 63]).enumerate() {
            intern(&SET, &[address], hash).expect("memory");
        }
        let mut shown = Vec::new();
        SET.stacks.visit(&mut |stack| shown.push(stack.return_addresses()[0]));
        shown.sort_unstable();
        assert_eq!(shown, [0, 1, 2, 3, 4, 5, 6]);
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
        assert_eq!(SET.stacks.len(), 1_000);
    }
}
