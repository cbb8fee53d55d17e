//! Hot: `Stack`, a distinct stack of return addresses, and the set of all of them. Stacks are
//! interned for the life of the process, so that a reference stands for one, whichever thread or
//! scope met it.
//!
//! Of an address, a stack keeps the lower half. The innermost addresses, down from the last one
//! whose upper half is another, have their upper half in common: they lie in the program. What is
//! further out, in libraries, is an interned stack of its own, made in the same way, which most
//! stacks of a thread share.
//!
//! The set is a [`StableSet`] over their hashes. Equal hashes are told apart by their addresses.
//!
//! Relies on: memory of `memory::keep` belongs to nobody else and is never freed.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::process_counts::ProcessCounts;
use crate::sys::{memory, prefetch, Link, Member, StableSet};
use crate::walk::{Stop, Walked, MAX_FRAMES};

/// A stack, walked from an allocation to the thread's start. The lower halves of its innermost
/// return addresses follow it in memory. They are reached by a reference of their own: one to the
/// stack is good for its own bytes and no more.
#[repr(C, align(16))]
pub(crate) struct Stack {
    hash: u64,
    /// The addresses before the innermost ones that have the same upper half.
    outer: Option<&'static Stack>,
    low_halves: &'static [u32],
    upper_half: u32,
    /// How many addresses there are.
    len: u16,
    stop: Stop,
    /// Its row in the table that has met it last: nearly always in the one that meets it next.
    likely_row: AtomicU32,
    /// The stack that was walked after it, by the thread that was here last.
    likely_next: Link<Stack>,
    process_counts: ProcessCounts,
}

const _: () = assert!(MAX_FRAMES <= u16::MAX as usize);

/// What makes a stack: see there.
#[derive(Clone, Copy)]
struct Key<'a> {
    outer: Option<&'static Stack>,
    upper_half: u32,
    low_halves: &'a [u32],
    stop: Stop,
    hash: u64,
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
    /// Those that stacks have for their `outer`.
    outer: StableSet<Stack>,
    /// At some 300 bytes each, a million take a third of a gigabyte: a program with more has no use
    /// for the list.
    max: usize,
}

/// The stack of `walked`, with these outer addresses; `None` if there are too many already, or no
/// memory.
#[inline(always)]
pub(crate) fn intern(walked: &Walked<'_>, outer: Option<&'static Stack>) -> Option<&'static Stack> {
    // First by the hash alone: a loop around the other compares takes 30 instructions more.
    match ALL.stacks.find(walked.hash, |stack| stack.hash == walked.hash) {
        Some(stack) if stack.is(&Key::of_walk(walked, outer)) => Some(stack),
        _ => intern_anew(walked, outer),
    }
}

#[cold]
#[inline(never)]
fn intern_anew(walked: &Walked<'_>, outer: Option<&'static Stack>) -> Option<&'static Stack> {
    ALL.intern(Key::of_walk(walked, outer))
}

/// The outer addresses of `walked`, if there are any; `None` without memory.
#[cold]
pub(crate) fn intern_outer(walked: &Walked<'_>) -> Option<Option<&'static Stack>> {
    let addresses = walked.return_addresses;
    let outer_len = addresses.len().checked_sub(walked.low_halves.len())?;
    ALL.intern_outer(addresses.get(..outer_len)?)
}

/// That of an event of a signal handler that interrupted the library; `None` as for [`intern`].
#[cold]
pub(crate) fn interrupting_stack() -> Option<&'static Stack> {
    let stop = Stop::Interrupting;
    ALL.intern(Key { outer: None, upper_half: 0, low_halves: &[], stop, hash: 0 })
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
    ALL.intern_all(addresses, stop, hash).expect("memory")
}

/// Different stacks that have the same hash.
#[cfg(test)]
pub(crate) fn made_up_collision() -> [&'static Stack; 2] {
    [1, 2].map(|address| ALL.intern_all(&[address], Stop::Complete, 7 << 32).expect("memory"))
}

const fn upper_half(address: usize) -> u32 {
    (address as u64 >> 32) as u32
}

impl Set {
    const fn new(max: usize) -> Self {
        Self { stacks: StableSet::new(), outer: StableSet::new(), max }
    }

    fn intern(&self, key: Key<'_>) -> Option<&'static Stack> {
        add(&self.stacks, key, self.max)
    }

    /// All of these addresses as an `outer`.
    fn intern_outer(&self, addresses: &[usize]) -> Option<Option<&'static Stack>> {
        let mut outer = None;
        let mut rest = addresses;
        while let Some(first) = rest.first() {
            let upper_half = upper_half(*first);
            let is_other = |address: &usize| self::upper_half(*address) != upper_half;
            let len = rest.iter().position(is_other).unwrap_or(rest.len());
            let mut low_halves = [0; MAX_FRAMES];
            for (half, address) in low_halves.iter_mut().zip(rest.get(..len)?) {
                *half = *address as u32;
            }
            let low_halves = low_halves.get(..len)?;
            let key = Key::new(outer, upper_half, low_halves, Stop::Complete);
            outer = Some(add(&self.outer, key, usize::MAX)?);
            rest = rest.get(len..)?;
        }
        Some(outer)
    }

    /// The innermost `depth` addresses of a stack, which has as many.
    fn shorten(
        &self,
        of: &'static Stack,
        depth: usize,
        stop: Stop,
        set: &StableSet<Stack>,
    ) -> Option<&'static Stack> {
        let (outer, low_halves) = match of.low_halves.len().checked_sub(depth) {
            Some(left_out) => (None, of.low_halves.get(left_out..)?),
            None => {
                let more = depth - of.low_halves.len();
                let outer = self.shorten(of.outer?, more, Stop::Complete, &self.outer)?;
                (Some(outer), of.low_halves)
            }
        };
        add(set, Key::new(outer, of.upper_half, low_halves, stop), self.max)
    }

    #[cfg(test)]
    fn intern_all(&self, addresses: &[usize], stop: Stop, hash: u64) -> Option<&'static Stack> {
        let low_halves: Vec<u32> = addresses.iter().map(|address| *address as u32).collect();
        let last = addresses.last().map_or(0, |last| upper_half(*last));
        let outer = addresses.iter().rposition(|address| upper_half(*address) != last);
        let outer_len = outer.map_or(0, |at| at + 1);
        let outer = self.intern_outer(&addresses[..outer_len])?;
        let low_halves = &low_halves[outer_len..];
        self.intern(Key { outer, upper_half: last, low_halves, stop, hash })
    }
}

/// The stack of this key, in a set of no more than `max`.
fn add(set: &StableSet<Stack>, key: Key<'_>, max: usize) -> Option<&'static Stack> {
    let is_it = |stack: &Stack| stack.hash == key.hash && stack.is(&key);
    if let Some(known) = set.find(key.hash, is_it) {
        return Some(known);
    }
    if set.len() >= max {
        return None;
    }
    // If another thread was first, the memory is lost, which is rare, and little.
    set.insert(Stack::allocate(key)?, is_it)
}

impl<'a> Key<'a> {
    #[inline(always)]
    fn of_walk(walked: &Walked<'a>, outer: Option<&'static Stack>) -> Self {
        let Walked { upper_half, low_halves, stop, hash, .. } = *walked;
        Self { outer, upper_half, low_halves, stop, hash }
    }

    /// With a hash for stacks that were not walked.
    fn new(
        outer: Option<&'static Stack>,
        upper_half: u32,
        low_halves: &'a [u32],
        stop: Stop,
    ) -> Self {
        let mix =
            |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let outer_hash = outer.map_or(0, |outer| outer.hash);
        let first = mix(mix(outer_hash, upper_half.into()), low_halves.len() as u64);
        let hash = low_halves.iter().fold(first, |hash, half| mix(hash, (*half).into()));
        Self { outer, upper_half, low_halves, stop, hash: hash ^ hash >> 32 }
    }
}

impl Stack {
    /// How many addresses there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }

    /// Shows `visit` the return addresses, outermost first.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(usize)) {
        if let Some(outer) = self.outer {
            outer.visit(visit);
        }
        for half in self.low_halves {
            visit((u64::from(self.upper_half) << 32 | u64::from(*half)) as usize);
        }
    }

    #[cfg(test)]
    pub(crate) fn return_addresses(&self) -> Vec<usize> {
        let mut addresses = Vec::new();
        self.visit(&mut |address| addresses.push(address));
        addresses
    }

    /// The stack of no more than the innermost `depth` addresses; `None` as for [`intern`].
    #[cold]
    pub(crate) fn innermost(&'static self, depth: usize) -> Option<&'static Self> {
        if self.len() <= depth {
            return Some(self);
        }
        ALL.shorten(self, depth, Stop::TooDeep, &ALL.stacks)
    }

    /// What profilers of the whole process have counted here.
    pub(super) fn process_counts(&self) -> &ProcessCounts {
        &self.process_counts
    }

    /// Where to look first for its row in a table. It may be that of another stack.
    #[inline]
    pub(super) fn likely_row(&self) -> usize {
        self.likely_row.load(Relaxed) as usize
    }

    pub(super) fn set_likely_row(&self, row: usize) {
        self.likely_row.store(row as u32, Relaxed);
    }

    #[inline]
    pub(super) fn likely_next(&self) -> Option<&'static Self> {
        self.likely_next.get()
    }

    #[inline]
    pub(super) fn set_likely_next(&self, next: Option<&'static Self>) {
        self.likely_next.set(next);
    }

    /// Has the processor load what [`is_of`](Self::is_of) reads of a stack of some fifty addresses,
    /// while it does something else.
    #[inline(always)]
    pub(super) fn prefetch(&'static self) {
        prefetch::<320, Self>(self);
    }

    /// Whether it is the stack of `walked`, with these outer addresses.
    #[inline(always)]
    pub(super) fn is_of(&self, walked: &Walked<'_>, outer: Option<&'static Self>) -> bool {
        self.hash == walked.hash && self.is(&Key::of_walk(walked, outer))
    }

    pub(crate) fn stop(&self) -> Stop {
        self.stop
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    #[inline]
    fn is(&self, key: &Key<'_>) -> bool {
        let outer = |outer: Option<&'static Self>| outer.map_or(ptr::null(), |o| o as *const Self);
        self.stop == key.stop
            && self.upper_half == key.upper_half
            && outer(self.outer) == outer(key.outer)
            && self.low_halves == key.low_halves
    }

    fn allocate(key: Key<'_>) -> Option<&'static Self> {
        let Key { outer, upper_half, low_halves, stop, hash } = key;
        let size = size_of::<Self>() + std::mem::size_of_val(low_halves);
        let layout = Layout::from_size_align(size, std::mem::align_of::<Self>()).ok()?;
        let memory: *mut Self = memory::keep(layout).cast();
        if memory.is_null() {
            return None;
        }
        let behind = memory.wrapping_add(1).cast::<u32>();
        // SAFETY: the block has room for all of them behind the header, whose size is a multiple of
        // their alignment.
        unsafe { ptr::copy_nonoverlapping(low_halves.as_ptr(), behind, low_halves.len()) };
        // SAFETY: written above; they never change, and are never freed.
        let low_halves = unsafe { &*ptr::slice_from_raw_parts(behind, low_halves.len()) };
        let len = outer.map_or(0, Self::len) + low_halves.len();
        let header = Self {
            hash,
            outer,
            low_halves,
            upper_half,
            len: u16::try_from(len).ok()?,
            stop,
            likely_row: AtomicU32::new(0),
            likely_next: Link::NONE,
            process_counts: ProcessCounts::new(),
        };
        // SAFETY: `memory` is fresh, aligned, and has room for the header.
        unsafe { memory.write(header) };
        // SAFETY: written above, and never freed.
        Some(unsafe { &*memory })
    }
}

const _: () = assert!(size_of::<Stack>() % size_of::<u32>() == 0);

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Set, Stack, Stop};

    fn intern(set: &'static Set, addresses: &[usize], hash: u64) -> Option<&'static Stack> {
        set.intern_all(addresses, Stop::TooDeep, hash)
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
        let stopped = SET.intern_all(&[1, 2, 3], Stop::Complete, 7).expect("memory");
        assert_eq!(stopped.stop(), Stop::Complete);
    }

    #[test]
    fn addresses_far_apart_come_back_as_they_were() {
        static SET: Set = Set::new(1000);
        let far = |upper: usize, lower: usize| upper << (usize::BITS / 2) | lower;
        let all = [far(0x55, 1), far(0x7f, 1), far(0x7f, 2), far(0x55, 1), far(0x56, 1), 1];
        let mut stacks = Vec::new();
        for first in 0..all.len() {
            for end in first..=all.len() {
                // Of one hash, so that addresses alone tell them apart.
                let stack = intern(&SET, &all[first..end], 5).expect("memory");
                assert_eq!(stack.return_addresses(), all[first..end]);
                assert_eq!(stack.len(), end - first);
                assert!(std::ptr::eq(stack, intern(&SET, &all[first..end], 5).expect("known")));
                for depth in 0..=stack.len() {
                    let shorter = stack.innermost(depth).expect("memory");
                    assert_eq!(shorter.return_addresses(), all[end - depth..end]);
                    assert!(std::ptr::eq(shorter, stack.innermost(depth).expect("known")));
                }
                stacks.push(stack as *const Stack);
            }
        }
        stacks.sort_unstable();
        stacks.dedup();
        // The empty ones, and those of the address that comes twice, are one.
        assert_eq!(stacks.len(), 6 * 7 / 2 + 1 - 1);
    }

    #[test]
    fn a_hundred_thousand_stacks_come_back_as_they_were() {
        static SET: Set = Set::new(1 << 20);
        let count = if cfg!(miri) { 1_000 } else { 100_000 };
        let addresses = |i: usize| [[7, i / 100, 9], [i % 100, 7, 1 << 20]].concat();
        let hash = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
        let stacks: Vec<_> =
            (0..count).map(|i| intern(&SET, &addresses(i), hash(i)).expect("memory")).collect();
        for (i, stack) in stacks.iter().enumerate() {
            assert_eq!(stack.return_addresses(), addresses(i));
            assert!(std::ptr::eq(*stack, intern(&SET, &addresses(i), hash(i)).expect("known")));
        }
        assert_eq!(SET.stacks.len(), count);
    }

    #[cfg(target_pointer_width = "64")] // On others, less memory holds as much.
    #[test]
    fn without_memory_there_is_no_stack_rather_than_a_part_of_one() {
        use crate::sys::memory::refusals;

        let far = |upper: usize| [upper << (usize::BITS / 2) | 1];
        let all = [far(1), far(2), far(3)].concat();
        // A table and its slots, for each of the two sets, and three stacks.
        for granted in 0..=7 {
            let set: &Set = Box::leak(Box::new(Set::new(10)));
            let stack = refusals::after(granted, || intern(set, &all, 1));
            assert_eq!(stack.is_some(), granted == 7, "{granted}");
            assert_eq!(set.stacks.len(), usize::from(granted == 7));
            let stack = intern(set, &all, 1).expect("memory");
            assert_eq!(stack.return_addresses(), all);
        }
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
