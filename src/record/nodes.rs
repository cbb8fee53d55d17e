//! Hot: `Node`, the entry of one live block for one scope, and `Nodes`, the memory of them all: chunks from the system
//! allocator that are handed out piece by piece, never freed, and can be read from end to end. Used by [`live`](super::live),
//! which says who may touch a node when.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::retained::Retained;
use super::stack::Stack;

/// What a node says of its block. It counts for the scope while the scope has that serial.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) scope: &'static Retained,
    pub(super) serial: u64,
    pub(super) size: u64,
    pub(super) stack: Option<&'static Stack>,
}

/// All zeros is a free node. Aligned so that a look at the first two fields is one at one cache line.
#[repr(C, align(16))]
pub(super) struct Node {
    /// The block's, or one of the two below.
    address: AtomicUsize,
    /// The next one of the bucket: fixed once the node is in it.
    pub(super) next: AtomicPtr<Node>,
    scope: AtomicPtr<Retained>,
    serial: AtomicU64,
    size: AtomicU64,
    stack: AtomicPtr<Stack>,
}

const _: () = assert!(std::mem::size_of::<Node>() <= 48, "a million take 48 MB");

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

    /// Every store releases: who reads one of the new fields, and then the address, sees that the node was claimed.
    #[inline]
    pub(super) fn fill(&self, address: usize, entry: Entry) {
        self.scope.store((entry.scope as *const Retained).cast_mut(), Release);
        self.serial.store(entry.serial, Release);
        self.size.store(entry.size, Release);
        let stack = entry.stack.map_or(ptr::null(), |stack| stack as *const Stack);
        self.stack.store(stack.cast_mut(), Release);
        self.address.store(address, Release);
    }

    #[inline]
    pub(super) fn is_at(&self, address: usize) -> bool {
        self.address.load(Relaxed) == address
    }

    /// Frees the node; by the owner of its block.
    #[inline]
    pub(super) fn take(&self) -> Option<Entry> {
        let entry = self.entry();
        self.address.store(FREE, Release);
        entry
    }

    /// What the node says; by anyone. It may change meanwhile, so it is read twice, and is nothing unless both are the same.
    pub(super) fn read(&self) -> Option<Entry> {
        let address = self.address.load(Acquire);
        if address < FIRST_ADDRESS {
            return None;
        }
        let entry = self.entry()?;
        let again = self.entry()?;
        let is_same = ptr::eq(entry.scope, again.scope)
            && (entry.serial, entry.size) == (again.serial, again.size)
            && entry.stack.map(|stack| stack as *const Stack)
                == again.stack.map(|stack| stack as *const Stack);
        (is_same && self.is_at(address)).then_some(entry)
    }

    #[inline]
    fn entry(&self) -> Option<Entry> {
        // SAFETY: null, or from the `&'static` that `fill` was given.
        let scope = unsafe { self.scope.load(Acquire).as_ref() }?;
        // SAFETY: as above.
        let stack = unsafe { self.stack.load(Acquire).as_ref() };
        let (serial, size) = (self.serial.load(Acquire), self.size.load(Acquire));
        Some(Entry { scope, serial, size, stack })
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
        let layout = Layout::new::<Chunk>();
        // SAFETY: a chunk is not zero-sized.
        let memory: *mut Chunk = unsafe { System.alloc_zeroed(layout) }.cast();
        let chunk = at(memory)?;
        chunk.older.store(full, Relaxed);
        chunk.number.store(number + 1, Relaxed);
        match self.newest.compare_exchange(full, memory, AcqRel, Acquire) {
            Ok(_) => Some(memory),
            Err(newer) => {
                // SAFETY: from `System` with this layout, just above, and nobody else has seen it.
                unsafe { System.dealloc(memory.cast(), layout) };
                Some(newer)
            }
        }
    }
}

fn at(chunk: *mut Chunk) -> Option<&'static Chunk> {
    // SAFETY: null, or zeroed memory of the layout of a `Chunk`, which is atomics alone; once published, never freed.
    unsafe { chunk.as_ref() }
}
