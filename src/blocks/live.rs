//! Hot: live blocks, as scopes and heap profiles see them: the one place that knows both the
//! [`table`](super::table) and what its entries mean. A block that is entered, freed or reallocated
//! changes the numbers of everybody whom it concerns.

use std::ptr;

use super::birth::Birth;
use super::entry::Entry;
use super::heap_profile::HeapProfile;
use super::leak_counter::LeakCounter;
use super::nodes::Words;
use super::program_point::ProgramPoint;
use super::table::{MovingBlock, Table, LIVE};
use super::tracking::is_tracking;
use super::uses::IDLE;
use crate::counters::Event;
use crate::stacks::Stack;

/// A block that is freed is no longer live. To be called before the inner allocator has it.
#[inline]
pub(crate) fn forget_freed(event: &Event) {
    if !event.is_allocation() && is_tracking() {
        forget(event.address);
    }
}

/// A block is about to be freed, or its address proves to be free.
#[inline]
pub(super) fn forget(address: usize) {
    LIVE.forget(address);
}

/// A block is about to be reallocated: takes it out, but leaves it in the counts. To be [put
/// back](end_realloc).
#[inline]
pub(crate) fn begin_realloc(address: usize) -> MovingBlock {
    LIVE.begin_realloc(address)
}

/// The block lives here now, and is so big.
#[inline]
pub(crate) fn end_realloc(moving: &MovingBlock, address: usize, size: u64) {
    LIVE.end_realloc(moving, address, size);
}

impl LeakCounter {
    /// A block was allocated, and belongs to the scope of this serial. `false` if that is over, or
    /// there is no room. With `is_first`, what was known of the address is out of date: that block
    /// was freed unseen, while nobody tracked.
    #[inline]
    pub(crate) fn insert(
        &'static self,
        serial: u64,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
        is_first: bool,
    ) -> bool {
        LIVE.count_in(self, serial, address, size, stack, is_first)
    }

    /// Shows `visit` where each live block of the scope was allocated first, and its size. Of
    /// blocks that are freed or reallocated meanwhile, some may be missing.
    #[inline]
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        LIVE.visit(self, visit);
    }

    /// Their sizes, except of one that is just being reallocated. Unless there are none, it looks
    /// at every node that there is, some 10 ns each in optimised builds: a running sum would cost
    /// each allocation, and each free, more than that.
    pub(crate) fn bytes(&self) -> u64 {
        let mut bytes = 0_u64;
        if self.blocks() != 0 {
            self.visit(&mut |_, size| bytes = bytes.saturating_add(size));
        }
        bytes
    }
}

impl HeapProfile {
    /// A block was allocated. Nothing happens if the profile of that serial is over.
    #[inline]
    pub(crate) fn enter(
        &'static self,
        serial: u64,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
        is_first: bool,
    ) {
        if serial != self.serial() {
            return;
        }
        let (point, now) = (self.touch(stack), self.now());
        let born = Birth::new(serial, now);
        let entry = Entry::Profiled { points: self, born, size, point };
        if LIVE.enter(address, entry, is_first) {
            self.gained(point, now, size);
        } else {
            point.count_again(size);
            self.lost_one();
        }
    }

    /// A block was reallocated: it stays at its point. One that is none of the profile's is from
    /// now on.
    #[inline]
    pub(crate) fn reenter(
        &'static self,
        serial: u64,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
    ) {
        if serial != self.serial() {
            return;
        }
        match self.find(address) {
            Some(point) => point.count_again(size),
            None => self.enter(serial, address, size, stack, false),
        }
    }

    /// The point of a block; `None` if it is none of the profile's. To be asked by the owner of the
    /// block.
    #[inline]
    pub(super) fn find(&self, address: usize) -> Option<&'static ProgramPoint> {
        LIVE.find(address, |words| match Entry::of(words) {
            Some(Entry::Profiled { points, born, point, .. })
                if ptr::eq(points, self) && points.has(born) =>
            {
                Some(point)
            }
            _ => None,
        })
    }

    /// Shows `visit` the point of each live block, and how many nanoseconds old it is. To be asked
    /// before the end.
    pub(crate) fn visit_ages(&self, visit: &mut dyn FnMut(&'static ProgramPoint, u64)) {
        let age = self.age();
        LIVE.nodes.visit(&mut |node| match node.read().and_then(Entry::of) {
            Some(Entry::Profiled { points, born, point, .. })
                if ptr::eq(points, self) && points.has(born) =>
            {
                visit(point, age(born))
            }
            _ => {}
        });
    }
}

impl<const BITS: u32> Table<BITS> {
    #[cfg(test)]
    fn insert(
        &self,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
        scope: &'static LeakCounter,
    ) {
        self.count_in(scope, scope.serial(), address, size, stack, false);
    }

    #[inline]
    fn count_in(
        &self,
        scope: &'static LeakCounter,
        serial: u64,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
        is_first: bool,
    ) -> bool {
        if serial == IDLE || !scope.has(serial) {
            return false;
        }
        let entry = Entry::LeakCounter { scope, serial, size, stack };
        let is_placed = self.enter(address, entry, is_first);
        if is_placed {
            scope.gain_one(serial);
        } else {
            scope.lose_one(serial);
        }
        is_placed
    }

    /// `false` without room. With `is_first`, as for [`LeakCounter::insert`].
    #[inline]
    fn enter(&self, address: usize, entry: Entry, is_first: bool) -> bool {
        match is_first {
            true => self.place_first(address, entry.words(), leave),
            false => self.place(address, entry.words()),
        }
    }

    #[inline]
    fn forget(&self, address: usize) {
        self.take_out(address, leave);
    }

    fn begin_realloc(&self, address: usize) -> MovingBlock {
        self.begin_move(address, |words| present(words).is_some())
    }

    fn end_realloc(&self, moving: &MovingBlock, address: usize, size: u64) {
        if !moving.is_from(address) {
            self.forget(address);
        }
        let resized = |words| present(words).map(|entry| (entry, entry.with_size(size).words()));
        self.end_move(moving, address, resized, |entry, is_placed| match entry {
            _ if !is_placed => entry.lose(),
            Entry::Profiled { points, point, size: old_size, .. } => {
                points.resized(point, old_size, size);
            }
            Entry::LeakCounter { .. } => {}
        });
    }

    #[inline] // As a call, it takes 16 instructions more of each live block.
    fn visit(&self, of: &LeakCounter, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        let now = of.serial();
        self.nodes.visit(&mut |node| match node.read().and_then(Entry::of) {
            Some(Entry::LeakCounter { scope, serial, size, stack })
                if ptr::eq(scope, of) && serial == now =>
            {
                visit(stack, size)
            }
            _ => {}
        });
    }
}

/// A block is no longer live for whom an entry was made.
#[inline]
fn leave(words: Words) {
    if let Some(entry) = Entry::of(words) {
        entry.leave();
    }
}

/// The entry, if anybody still counts it.
#[inline]
fn present(words: Words) -> Option<Entry> {
    Entry::of(words).filter(Entry::is_present)
}

#[cfg(test)]
mod tests;
