//! Hot: `Table`, the table of live blocks, for leaks, which go by the identity of a block and not
//! by subtraction, and for heap profiles. While anybody asks for live blocks, each block that is
//! allocated for them is entered here ([`live`](super::live)), and taken out when it is freed, on
//! whichever thread. Lock-free; its memory comes from the system itself and is never given back.
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
//!    the owner would have to take out by a compare-and-swap too, and the one who recycles could
//!    not tell an entry that is out of date from a fresh one that has come in its place since his
//!    last look.
//! 4. **Neighbours in memory are neighbours in the table**, so that it is touched, page by page,
//!    only as far as the heap reaches; arenas that begin at multiples of some high power of two are
//!    set apart by a hash of the high bits.
//! 5. **A block that is being reallocated is at no address.** Its nodes stay where they are, and
//!    each has the place of the next one for an address, which is that of no block. So a
//!    reallocation takes no memory, however many scopes the block belongs to, unless it moves the
//!    block to another bucket.
//!
//! What an entry means is no matter here: [`live`](super::live) knows.
//!
//! Relies on: buckets and nodes are never freed; point 2, for everything that asks for the owner of
//! a block.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

use super::nodes::{Node, Nodes, Words, FIRST_ADDRESS};
use crate::sys::{memory, Link};

/// Some 16 million nodes, of 48 bytes.
pub(super) static LIVE: Table<20> = Table::new(3_072);

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

    /// Whether the block was there.
    pub(super) fn is_from(&self, address: usize) -> bool {
        self.address == address
    }
}

/// With two to the power of `BITS` buckets.
pub(super) struct Table<const BITS: u32> {
    /// Null before the first scope.
    pub(super) buckets: AtomicPtr<Bucket>,
    pub(super) nodes: Nodes,
}

/// Leads to its first node. All zeros has none.
pub(super) type Bucket = Link<Node>;

impl<const BITS: u32> Table<BITS> {
    pub(super) const fn new(max_chunks: usize) -> Self {
        Self { buckets: AtomicPtr::new(ptr::null_mut()), nodes: Nodes::new(max_chunks) }
    }

    /// `false` without memory.
    pub(super) fn prepare(&self) -> bool {
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
    pub(super) fn bucket(&self, address: usize) -> Option<&'static Bucket> {
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

    /// Enters a block once more; `false` without room.
    #[inline]
    pub(super) fn place(&self, address: usize, words: Words) -> bool {
        let Some(bucket) = self.bucket(address) else { return false };
        self.place_from(bucket, &mut { bucket }, address, words)
    }

    /// From `next` on, which is behind the node that was found.
    #[inline]
    fn place_from(
        &self,
        bucket: &Bucket,
        next: &mut &'static Link<Node>,
        address: usize,
        words: Words,
    ) -> bool {
        while let Some(node) = next.get() {
            *next = &node.next;
            if node.claim() {
                node.fill(address, words);
                return true;
            }
        }
        self.place_in_new(bucket, address, words)
    }

    /// [`take_out`](Self::take_out) and [`place`](Self::place) in one walk.
    #[inline]
    pub(super) fn place_first(
        &self,
        address: usize,
        words: Words,
        mut take: impl FnMut(Words),
    ) -> bool {
        let Some(bucket) = self.bucket(address) else { return false };
        let (mut next, mut claimed) = (bucket, None);
        while let Some(node) = next.get() {
            if node.is_at(address) {
                take(node.take());
            }
            if claimed.is_none() && node.claim() {
                claimed = Some(node);
            }
            next = &node.next;
        }
        match claimed {
            Some(node) => {
                node.fill(address, words);
                true
            }
            None => self.place_in_new(bucket, address, words),
        }
    }

    fn place_in_new(&self, bucket: &Bucket, address: usize, words: Words) -> bool {
        let Some(node) = self.nodes.take() else { return false };
        node.fill(address, words);
        bucket.push(node, &node.next);
        true
    }

    /// Frees all nodes of a block, and hands over what they said.
    #[inline]
    pub(super) fn take_out(&self, address: usize, mut take: impl FnMut(Words)) {
        let Some(mut next) = self.bucket(address) else { return };
        while let Some(node) = next.get() {
            if node.is_at(address) {
                take(node.take());
            }
            next = &node.next;
        }
    }

    /// Takes a block from its address. Nodes that need not be kept are freed.
    pub(super) fn begin_move(
        &self,
        address: usize,
        is_kept: impl Fn(Words) -> bool,
    ) -> MovingBlock {
        let mut moving = MovingBlock::nothing(address);
        let Some(mut next) = self.bucket(address) else { return moving };
        while let Some(node) = next.get() {
            next = &node.next;
            if node.is_at(address) {
                if is_kept(node.words()) {
                    node.put_at(moving.first.unwrap_or(node).place());
                    moving.first = Some(node);
                } else {
                    node.take();
                }
            }
        }
        moving
    }

    /// Puts a block at its new address. `change` gives what a node is to say now, and something of
    /// its own, which `then` gets, with whether there was room; `None` frees the node.
    pub(super) fn end_move<T>(
        &self,
        moving: &MovingBlock,
        address: usize,
        change: impl Fn(Words) -> Option<(T, Words)>,
        mut then: impl FnMut(T, bool),
    ) {
        let bucket = self.bucket(address);
        let stays = match (bucket, self.bucket(moving.address)) {
            (Some(new), Some(old)) => ptr::eq(new, old),
            _ => false,
        };
        let mut free = bucket;
        let mut next = moving.first;
        while let Some(node) = next {
            next = node.next_moving();
            let Some((old, new)) = change(node.words()) else {
                node.take();
                continue;
            };
            let is_placed = if stays {
                node.fill(address, new);
                true
            } else {
                node.take();
                match (bucket, &mut free) {
                    (Some(bucket), Some(free)) => self.place_from(bucket, free, address, new),
                    _ => false,
                }
            };
            then(old, is_placed);
        }
    }

    /// The first answer that `look` has for a node of a block; to be asked by the owner of the
    /// block.
    #[inline]
    pub(super) fn find<T>(&self, address: usize, look: impl Fn(Words) -> Option<T>) -> Option<T> {
        let mut next = self.bucket(address)?;
        while let Some(node) = next.get() {
            if node.is_at(address) {
                if let Some(found) = look(node.words()) {
                    return Some(found);
                }
            }
            next = &node.next;
        }
        None
    }
}
