//! Hot: `Node`, the entry of one live block for one scope or heap profile, and `Nodes`, the memory
//! of them all: chunks from the system that are handed out piece by piece, never freed, and can be
//! read from end to end. [`table`](super::table) says who may touch a node when, and
//! [`entry`](super::entry) what its words mean.
//!
//! Relies on: all zeros is a valid chunk, and a chunk is never freed once others see it.
#![allow(unsafe_code)]

use std::mem::size_of;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use crate::sys::{memory, AtomicU64, Link};

/// What a node says of its block, in words that mean nothing here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) owner: *mut u8,
    pub(super) stamp: u64,
    pub(super) size: u64,
    pub(super) place: *mut u8,
}

/// All zeros is a free node. Aligned so that a look at the first two fields is one at one cache
/// line.
#[repr(C, align(16))]
pub(super) struct Node {
    /// The block's, or one of the two below.
    address: AtomicUsize,
    /// The next one of the bucket: fixed once the node is in it.
    pub(super) next: Link<Node>,
    /// From here on [`Words`].
    owner: AtomicPtr<u8>,
    stamp: AtomicU64,
    size: AtomicU64,
    place: AtomicPtr<u8>,
}

const _: () = assert!(size_of::<Node>() <= 48, "a million take 48 MB");

const FREE: usize = 0;
const CLAIMED: usize = 1;

/// The first address that a block can have.
pub(super) const FIRST_ADDRESS: usize = 2;

impl Node {
    /// Takes a free node; to be filled by the caller, who now owns it.
    #[inline]
    pub(super) fn claim(&self) -> bool {
        self.address.load(Relaxed) == FREE
            && self.address.compare_exchange(FREE, CLAIMED, Acquire, Relaxed).is_ok()
    }

    /// Every store releases: whoever reads one of the new fields, and then the address, sees that
    /// the node was claimed.
    #[inline]
    pub(super) fn fill(&self, address: usize, words: Words) {
        let Words { owner, stamp, size, place } = words;
        self.owner.store(owner, Release);
        self.stamp.store(stamp, Release);
        self.size.store(size, Release);
        self.place.store(place, Release);
        self.address.store(address, Release);
    }

    #[inline]
    pub(super) fn is_at(&self, address: usize) -> bool {
        self.address.load(Relaxed) == address
    }

    /// Only changes where the block is; by its owner.
    #[inline]
    pub(super) fn put_at(&self, address: usize) {
        self.address.store(address, Release);
    }

    /// An address that no block has.
    #[inline]
    pub(super) fn place(&self) -> usize {
        self as *const Self as usize
    }

    /// The node that this one has the place of for an address; `None` if that is itself.
    #[inline]
    pub(super) fn next_moving(&self) -> Option<&'static Self> {
        let address = self.address.load(Relaxed);
        if address == self.place() {
            return None;
        }
        // SAFETY: the caller has put the node at the place of another one; those are never freed.
        unsafe { (address as *const Self).as_ref() }
    }

    /// Frees the node; by the owner of its block.
    #[inline]
    pub(super) fn take(&self) -> Words {
        let words = self.words();
        self.address.store(FREE, Release);
        words
    }

    /// What the node says; by anyone. It may change meanwhile, so it is read twice, and is nothing
    /// unless both are the same. Even then it may be of two entries, if the second is of the same
    /// address and was finished just before the last look at that.
    pub(super) fn read(&self) -> Option<Words> {
        let address = self.address.load(Acquire);
        if address < FIRST_ADDRESS {
            return None;
        }
        let words = self.words();
        (self.words() == words && self.is_at(address)).then_some(words)
    }

    /// What the node says; by the owner of its block.
    #[inline]
    pub(super) fn words(&self) -> Words {
        let owner = self.owner.load(Acquire);
        let (stamp, size) = (self.stamp.load(Acquire), self.size.load(Acquire));
        Words { owner, stamp, size, place: self.place.load(Acquire) }
    }
}

const CHUNK_BYTES: usize = 256 << 10;

pub(super) const CHUNK_NODES: usize =
    (CHUNK_BYTES - 4 * std::mem::size_of::<usize>()) / std::mem::size_of::<Node>();

/// All zeros is a valid one, too.
struct Chunk {
    /// Fixed, as is the number, once others see the chunk.
    older: AtomicPtr<Chunk>,
    number: AtomicUsize,
    /// How many were asked for.
    taken: AtomicUsize,
    nodes: [Node; CHUNK_NODES],
}

const _: () = assert!(std::mem::size_of::<Chunk>() <= CHUNK_BYTES);

pub(super) struct Nodes {
    newest: AtomicPtr<Chunk>,
    max_chunks: usize,
}

impl Nodes {
    pub(super) const fn new(max_chunks: usize) -> Self {
        Self { newest: AtomicPtr::new(ptr::null_mut()), max_chunks }
    }

    /// One that nobody has had before; `None` if there are too many, or no memory.
    pub(super) fn take(&self) -> Option<&'static Node> {
        let mut newest = self.newest.load(Acquire);
        loop {
            if let Some(chunk) = at(newest) {
                // Asked first, so that the number stays near the end.
                if chunk.taken.load(Relaxed) < CHUNK_NODES {
                    let node = chunk.nodes.get(chunk.taken.fetch_add(1, Relaxed));
                    if node.is_some() {
                        return node;
                    }
                }
            }
            newest = self.add_chunk(newest)?;
        }
    }

    /// Shows `visit` all that were taken.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(&'static Node)) {
        let mut next = &self.newest;
        while let Some(chunk) = at(next.load(Acquire)) {
            chunk.nodes.iter().take(chunk.taken.load(Relaxed)).for_each(&mut *visit);
            next = &chunk.older;
        }
    }

    /// The chunk after `full`, be it ours or that of a thread that was faster.
    #[cold]
    fn add_chunk(&self, full: *mut Chunk) -> Option<*mut Chunk> {
        let number = at(full).map_or(0, |full| full.number.load(Relaxed));
        if number >= self.max_chunks {
            return None;
        }
        let memory: *mut Chunk = memory::allocate(CHUNK_BYTES).cast();
        let chunk = at(memory)?;
        chunk.older.store(full, Relaxed);
        chunk.number.store(number + 1, Relaxed);
        match self.newest.compare_exchange(full, memory, AcqRel, Acquire) {
            Ok(_) => Some(memory),
            Err(newer) => {
                // SAFETY: allocated just above with this size, and nobody else has seen it.
                unsafe { memory::free(memory.cast(), CHUNK_BYTES) };
                Some(newer)
            }
        }
    }
}

fn at(chunk: *mut Chunk) -> Option<&'static Chunk> {
    // SAFETY: null, or zeroed memory of the layout of a `Chunk`, which is atomics alone; once
    // published, never freed.
    unsafe { chunk.as_ref() }
}
