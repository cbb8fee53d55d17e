//! Hot: the table of live blocks, for leaks, which go by the identity of a block and not by
//! subtraction. While any scope asks for its retained blocks, `threads` enters here each block that
//! is allocated in such a scope, and takes it out when it is freed, on whichever thread. Lock-free;
//! its memory comes from the system itself and is never given back.
//!
//! The plain version is a hash table from addresses to lists of entries, one for each scope that
//! the block belongs to. What is different:
//!
//! 1. **A bucket is a list that only grows at its head.** A node that is taken out is marked free
//!    where it stands, and a later block of the same bucket claims it, by a compare-and-swap from
//!    free to claimed, fills it, and publishes it by storing the address. So no list ever loses a
//!    node, and none is freed while another thread reads it.
//! 2. **Only the owner of a block touches its nodes.** From the moment that the inner allocator
//!    hands out an address until the block is given back to it, one thread at a time deals with the
//!    block, and what the last one did is visible to the next: the program must see to that to use
//!    the block at all, and the inner allocator to hand it out again. So whoever looks for an
//!    address finds all its nodes, and nobody else turns a node with that address into another. A
//!    node with another address may change at any moment, but not into one with this address. Hence
//!    only claiming needs a compare-and-swap, not taking out.
//! 3. **Entries of scopes that are over stay** until their address is used again in a scope that
//!    asks. Their serial is no longer that of their `LeakCounter`, so they count for nobody
//!    (`leak_counter` says how that is sure). There can be no more of them than there are addresses
//!    in the heap, times the scopes around one block. Others could recycle them earlier, but then
//!    the owner had to take out by a compare-and-swap too, and the one who recycles could not tell
//!    an entry that is out of date from one that was replaced by a fresh one between two of his
//!    looks.
//! 4. **Neighbours in memory are neighbours in the table**, so that it is touched, page by page,
//!    only as far as the heap reaches; arenas that begin at multiples of some high power of two are
//!    set apart by a hash of the high bits.
//! 5. **A block that is being reallocated is at no address.** Its nodes stay where they are, and
//!    each has the place of the next one for an address, which is that of no block. So a
//!    reallocation takes no memory, however many scopes the block belongs to, unless it moves the
//!    block to another bucket.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::birth::Birth;
use super::heap_profile::HeapProfile;
use super::leak_counter::{self, LeakCounter};
use super::nodes::{Entry, Node, Nodes, FIRST_ADDRESS};
use super::program_point::ProgramPoint;
use crate::counters::Event;
use crate::stacks::Stack;
use crate::sys::memory;

/// Some 16 million nodes, of 48 bytes.
static LIVE: Table<20> = Table::new(3_072);

/// A block that is freed is no longer live. To be called before the inner allocator has it.
#[inline]
pub(crate) fn forget_freed(event: &Event) {
    if !event.is_allocation() && leak_counter::is_tracking() {
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
pub(crate) fn end_realloc(taken: &MovingBlock, address: usize, size: u64) {
    LIVE.end_realloc(taken, address, size);
}

/// `false` without memory.
pub(super) fn prepare() -> bool {
    LIVE.prepare()
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
        LIVE.enter(address, self, serial, size, stack, is_first)
    }

    /// Shows `visit` where each live block of the scope was allocated first, and its size. Of
    /// blocks that are freed or reallocated meanwhile, some may be missing.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        LIVE.visit(self, visit);
    }
}

impl HeapProfile {
    /// Keeps a block, born then. `false` without room. With `is_first`, as for
    /// [`LeakCounter::insert`].
    #[inline]
    pub(super) fn place(
        &'static self,
        born: Birth,
        address: usize,
        size: u64,
        point: &'static ProgramPoint,
        is_first: bool,
    ) -> bool {
        LIVE.place_any(address, Entry::Profiled { points: self, born, size, point }, is_first)
    }

    /// The point of a block; `None` if it is none of the profile's. To be asked by the owner of the
    /// block.
    #[inline]
    pub(super) fn find(&self, address: usize) -> Option<&'static ProgramPoint> {
        LIVE.find(self, address)
    }

    /// Shows `visit` the point and the birth of each live block.
    pub(super) fn visit_live(&self, visit: &mut dyn FnMut(&'static ProgramPoint, Birth)) {
        LIVE.nodes.visit(&mut |node| match node.read() {
            Some(Entry::Profiled { points, born, point, .. })
                if ptr::eq(points, self) && points.has(born) =>
            {
                visit(point, born)
            }
            _ => {}
        });
    }
}

/// A block that is being reallocated.
pub(crate) struct MovingBlock {
    address: usize,
    /// Its nodes, each of which has the next one for an address, and the last one itself.
    first: Option<&'static Node>,
}

impl MovingBlock {
    /// Nobody asks for the block.
    pub(crate) const fn nothing(address: usize) -> Self {
        Self { address, first: None }
    }
}

/// With two to the power of `BITS` buckets.
struct Table<const BITS: u32> {
    /// Null before the first scope.
    buckets: AtomicPtr<Bucket>,
    nodes: Nodes,
}

/// The first node, or null, which is all zeros.
type Bucket = AtomicPtr<Node>;

impl<const BITS: u32> Table<BITS> {
    const fn new(max_chunks: usize) -> Self {
        Self { buckets: AtomicPtr::new(ptr::null_mut()), nodes: Nodes::new(max_chunks) }
    }

    fn prepare(&self) -> bool {
        if !self.buckets.load(Acquire).is_null() {
            return true;
        }
        let Ok(layout) = Layout::array::<Bucket>(1 << BITS) else { return false };
        let memory: *mut Bucket = memory::allocate(layout.size()).cast();
        if memory.is_null() {
            return false;
        }
        if self.buckets.compare_exchange(ptr::null_mut(), memory, AcqRel, Acquire).is_err() {
            // SAFETY: allocated just above with this size, and nobody else has seen it.
            unsafe { memory::free(memory.cast(), layout.size()) };
        }
        true
    }

    #[inline]
    fn bucket(&self, address: usize) -> Option<&'static Bucket> {
        let buckets = self.buckets.load(Acquire);
        if buckets.is_null() || address < FIRST_ADDRESS {
            return None;
        }
        let granule = address as u64 >> 4;
        let hash = (granule >> BITS).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS);
        let at = (granule ^ hash) & ((1 << BITS) - 1);
        let bucket = buckets.wrapping_add(at as usize);
        // SAFETY: `at` is less than the number of buckets, which were zeroed, so each is null at
        // least, and are never freed.
        Some(unsafe { &*bucket })
    }

    #[cfg(test)]
    fn insert(
        &self,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
        scope: &'static LeakCounter,
    ) {
        self.enter(address, scope, scope.serial(), size, stack, false);
    }

    #[inline]
    fn enter(
        &self,
        address: usize,
        scope: &'static LeakCounter,
        serial: u64,
        size: u64,
        stack: Option<&'static Stack>,
        is_first: bool,
    ) -> bool {
        if serial == 0 || serial != scope.serial() {
            return false;
        }
        let entry = Entry::LeakCounter { scope, serial, size, stack };
        let is_placed = self.place_any(address, entry, is_first);
        if is_placed {
            scope.gain_one(serial);
        } else {
            scope.lose_one(serial);
        }
        is_placed
    }

    /// `false` without room; so with the next two.
    #[inline]
    fn place_any(&self, address: usize, entry: Entry, is_first: bool) -> bool {
        match is_first {
            true => self.place_first(address, entry),
            false => self.place(address, entry),
        }
    }

    #[inline]
    fn place(&self, address: usize, entry: Entry) -> bool {
        let Some(bucket) = self.bucket(address) else { return false };
        self.place_from(bucket, &mut { bucket }, address, entry)
    }

    /// From `next` on, which is behind the node that was found.
    #[inline]
    fn place_from(
        &self,
        bucket: &Bucket,
        next: &mut &'static AtomicPtr<Node>,
        address: usize,
        entry: Entry,
    ) -> bool {
        while let Some(node) = at(next) {
            *next = &node.next;
            if node.claim() {
                node.fill(address, entry);
                return true;
            }
        }
        self.place_in_new(bucket, address, entry)
    }

    /// [`forget`](Self::forget) and [`place`](Self::place) in one walk.
    #[inline]
    fn place_first(&self, address: usize, entry: Entry) -> bool {
        let Some(bucket) = self.bucket(address) else { return false };
        let (mut next, mut claimed) = (bucket, None);
        while let Some(node) = at(next) {
            if node.is_at(address) {
                node.take().into_iter().for_each(|entry| freed(&entry));
            }
            if claimed.is_none() && node.claim() {
                claimed = Some(node);
            }
            next = &node.next;
        }
        match claimed {
            Some(node) => {
                node.fill(address, entry);
                true
            }
            None => self.place_in_new(bucket, address, entry),
        }
    }

    fn place_in_new(&self, bucket: &Bucket, address: usize, entry: Entry) -> bool {
        let Some(node) = self.nodes.take() else { return false };
        node.fill(address, entry);
        let mut first = bucket.load(Relaxed);
        loop {
            node.next.store(first, Relaxed);
            let new = (node as *const Node).cast_mut();
            // Acquire, too: with this node, all behind it are published anew.
            match bucket.compare_exchange_weak(first, new, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => first = now,
            }
        }
    }

    #[inline]
    fn forget(&self, address: usize) {
        self.take_out(address, &mut |entry| freed(&entry));
    }

    fn begin_realloc(&self, address: usize) -> MovingBlock {
        let mut taken = MovingBlock::nothing(address);
        let Some(mut next) = self.bucket(address) else { return taken };
        while let Some(node) = at(next) {
            next = &node.next;
            if node.is_at(address) {
                match node.entry().filter(Entry::is_present) {
                    Some(_) => {
                        node.put_at(taken.first.unwrap_or(node).place());
                        taken.first = Some(node);
                    }
                    None => drop(node.take()),
                }
            }
        }
        taken
    }

    fn end_realloc(&self, taken: &MovingBlock, address: usize, size: u64) {
        if address != taken.address {
            self.forget(address);
        }
        let bucket = self.bucket(address);
        let stays = match (bucket, self.bucket(taken.address)) {
            (Some(new), Some(old)) => ptr::eq(new, old),
            _ => false,
        };
        let mut free = bucket;
        let mut next = taken.first;
        while let Some(node) = next {
            next = node.next_taken();
            let Some(entry) = node.entry().filter(Entry::is_present) else {
                node.take();
                continue;
            };
            let is_placed = if stays {
                node.fill(address, entry.with_size(size));
                true
            } else {
                node.take();
                match (bucket, &mut free) {
                    (Some(bucket), Some(free)) => {
                        self.place_from(bucket, free, address, entry.with_size(size))
                    }
                    _ => false,
                }
            };
            match entry {
                _ if !is_placed => lose(entry),
                Entry::Profiled { points, point, size: old_size, .. } => {
                    points.resized(point, old_size, size);
                }
                Entry::LeakCounter { .. } => {}
            }
        }
    }

    /// Frees all nodes of a block, and hands over what they said.
    #[inline]
    fn take_out(&self, address: usize, take: &mut impl FnMut(Entry)) {
        let Some(mut next) = self.bucket(address) else { return };
        while let Some(node) = at(next) {
            if node.is_at(address) {
                if let Some(entry) = node.take() {
                    take(entry);
                }
            }
            next = &node.next;
        }
    }

    fn find(&self, profile: &HeapProfile, address: usize) -> Option<&'static ProgramPoint> {
        let mut next = self.bucket(address)?;
        while let Some(node) = at(next) {
            if node.is_at(address) {
                if let Some(Entry::Profiled { points, born, point, .. }) = node.entry() {
                    if ptr::eq(points, profile) && points.has(born) {
                        return Some(point);
                    }
                }
            }
            next = &node.next;
        }
        None
    }

    fn visit(&self, of: &LeakCounter, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        let now = of.serial();
        self.nodes.visit(&mut |node| match node.read() {
            Some(Entry::LeakCounter { scope, serial, size, stack })
                if ptr::eq(scope, of) && serial == now =>
            {
                visit(stack, size)
            }
            _ => {}
        });
    }
}

/// A block that was counted is no longer live.
#[inline]
fn freed(entry: &Entry) {
    match *entry {
        Entry::LeakCounter { scope, serial, .. } => scope.drop_one(serial),
        Entry::Profiled { points, born, size, point } => {
            if points.has(born) {
                points.freed(point, born, size);
            }
        }
    }
}

/// A block that was counted finds no room any more.
#[cold]
fn lose(entry: Entry) {
    freed(&entry);
    match entry {
        Entry::LeakCounter { scope, serial, .. } => scope.lose_one(serial),
        Entry::Profiled { points, .. } => points.lost_one(),
    }
}

#[inline]
fn at(link: &AtomicPtr<Node>) -> Option<&'static Node> {
    // SAFETY: null, or a node of `Nodes`, which are never freed.
    unsafe { link.load(Acquire).as_ref() }
}

#[cfg(test)]
mod tests;
