//! Hot: `Node`, the entry of one live block for one scope, and `Nodes`, the memory of them all:
//! chunks from the system allocator that are handed out piece by piece, never freed, and can be
//! read from end to end. Used by [`live`](super::live), which says who may touch a node when.
#![allow(unsafe_code)]

use std::mem::{align_of, size_of};
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::birth::Birth;
use super::heap_profile::HeapProfile;
use super::leak_counter::LeakCounter;
use super::program_point::ProgramPoint;
use crate::stacks::Stack;
use crate::sys::memory;

/// What a node says of its block.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    /// It was allocated in a scope that asks which of its blocks are live. Counts while the scope
    /// has that serial.
    LeakCounter {
        scope: &'static LeakCounter,
        serial: u64,
        size: u64,
        stack: Option<&'static Stack>,
    },
    /// It was born in a heap profile. Counts while that is the present one of `points`.
    Profiled { points: &'static HeapProfile, born: Birth, size: u64, point: &'static ProgramPoint },
}

/// All zeros is a free node. Aligned so that a look at the first two fields is one at one cache
/// line.
#[repr(C, align(16))]
pub(super) struct Node {
    /// The block's, or one of the two below.
    address: AtomicUsize,
    /// The next one of the bucket: fixed once the node is in it.
    pub(super) next: AtomicPtr<Node>,
    /// A `LeakCounter`, or, with [`PROFILED`] added, a `HeapProfile`.
    owner: AtomicPtr<u8>,
    /// The serial, or the birth.
    stamp: AtomicU64,
    size: AtomicU64,
    /// A `Stack` or null, or, with [`PROFILED`] added, a `ProgramPoint`.
    place: AtomicPtr<u8>,
}

/// All that is pointed at is aligned, so that the lowest bit is free. Both pointers of an entry
/// have it or none: [`read`](Node::read) may meet one of an old entry and one of the next, and must
/// not take a `Stack` for a `ProgramPoint`.
const PROFILED: usize = 1;

const _: () = assert!(size_of::<Node>() <= 48, "a million take 48 MB");
const _: () = assert!(align_of::<LeakCounter>() > 1 && align_of::<HeapProfile>() > 1);
const _: () = assert!(align_of::<Stack>() > 1 && align_of::<ProgramPoint>() > 1);

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

    /// Every store releases: who reads one of the new fields, and then the address, sees that the
    /// node was claimed.
    #[inline]
    pub(super) fn fill(&self, address: usize, entry: Entry) {
        let (owner, stamp, size, place) = entry.words();
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
    pub(super) fn next_taken(&self) -> Option<&'static Self> {
        let address = self.address.load(Relaxed);
        if address == self.place() {
            return None;
        }
        // SAFETY: the caller has put the node at the place of another one; those are never freed.
        unsafe { (address as *const Self).as_ref() }
    }

    /// Frees the node; by the owner of its block.
    #[inline]
    pub(super) fn take(&self) -> Option<Entry> {
        let entry = self.entry();
        self.address.store(FREE, Release);
        entry
    }

    /// What the node says; by anyone. It may change meanwhile, so it is read twice, and is nothing
    /// unless both are the same. Even then it may be of two entries, if the second is of the same
    /// address and was finished just before the last look at that.
    pub(super) fn read(&self) -> Option<Entry> {
        let address = self.address.load(Acquire);
        if address < FIRST_ADDRESS {
            return None;
        }
        let words = self.words();
        let is_same = self.words() == words && self.is_at(address);
        if is_same {
            Entry::of(words)
        } else {
            None
        }
    }

    #[inline]
    pub(super) fn entry(&self) -> Option<Entry> {
        Entry::of(self.words())
    }

    #[inline]
    fn words(&self) -> Words {
        let owner = self.owner.load(Acquire);
        let (stamp, size) = (self.stamp.load(Acquire), self.size.load(Acquire));
        (owner, stamp, size, self.place.load(Acquire))
    }
}

/// Owner, stamp, size and place.
type Words = (*mut u8, u64, u64, *mut u8);

impl Entry {
    #[inline]
    fn words(self) -> Words {
        let pointer = |pointer: *const u8| pointer.cast_mut();
        match self {
            Self::LeakCounter { scope, serial, size, stack } => {
                let owner: *const LeakCounter = scope;
                let place = stack.map_or(ptr::null(), |stack| stack as *const Stack);
                (pointer(owner.cast()), serial, size, pointer(place.cast()))
            }
            Self::Profiled { points, born, size, point } => {
                let (owner, place): (*const HeapProfile, *const ProgramPoint) = (points, point);
                let marked = |at: *const u8| pointer(at.wrapping_add(PROFILED));
                (marked(owner.cast()), born.to_word(), size, marked(place.cast()))
            }
        }
    }

    /// `None` for a node that was never filled, and for words of two entries, if those are of
    /// different kinds.
    #[inline]
    fn of((owner, stamp, size, place): Words) -> Option<Self> {
        let is_marked = |pointer: *mut u8| pointer as usize & PROFILED != 0;
        match (is_marked(owner), is_marked(place)) {
            (false, false) => {
                // SAFETY: null, or from the `&'static LeakCounter` that `words` was given: others
                // it marks.
                let scope = unsafe { owner.cast::<LeakCounter>().as_ref() }?;
                // SAFETY: likewise a `Stack`.
                let stack = unsafe { place.cast::<Stack>().as_ref() };
                Some(Self::LeakCounter { scope, serial: stamp, size, stack })
            }
            (true, true) => {
                // SAFETY: from the `&'static HeapProfile` that `words` has marked.
                let points =
                    unsafe { owner.wrapping_sub(PROFILED).cast::<HeapProfile>().as_ref() }?;
                // SAFETY: likewise a `ProgramPoint`.
                let point =
                    unsafe { place.wrapping_sub(PROFILED).cast::<ProgramPoint>().as_ref() }?;
                Some(Self::Profiled { points, born: Birth::of_word(stamp), size, point })
            }
            _ => None,
        }
    }

    /// Whether anybody still counts it.
    #[inline]
    pub(super) fn is_present(&self) -> bool {
        match self {
            Self::LeakCounter { scope, serial, .. } => *serial == scope.serial(),
            Self::Profiled { points, born, .. } => points.has(*born),
        }
    }

    #[inline]
    pub(super) fn with_size(self, new_size: u64) -> Self {
        let mut entry = self;
        match &mut entry {
            Self::LeakCounter { size, .. } | Self::Profiled { size, .. } => *size = new_size,
        }
        entry
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

#[cfg(test)]
mod tests {
    use super::{Birth, Entry, HeapProfile, LeakCounter, ProgramPoint};
    use crate::stacks::made_up_stack;

    #[test]
    fn halves_of_two_entries_are_none() {
        let scope: &LeakCounter = Box::leak(Box::new(LeakCounter::NEW));
        let points: &HeapProfile = Box::leak(Box::new(HeapProfile::NEW));
        let point: &ProgramPoint = Box::leak(Box::new(ProgramPoint::new(None)));
        let stack = Some(made_up_stack(&[1, 2]));
        let retained = Entry::LeakCounter { scope, serial: 3, size: 4, stack }.words();
        let profiled = Entry::Profiled { points, born: Birth::of_word(5), size: 6, point }.words();
        let is_none = |words| Entry::of(words).is_none();
        assert!(!is_none(retained) && !is_none(profiled));
        assert!(is_none((profiled.0, profiled.1, profiled.2, retained.3)));
        assert!(is_none((retained.0, retained.1, retained.2, profiled.3)));
        let nowhere = Entry::LeakCounter { scope, serial: 3, size: 4, stack: None }.words();
        assert!(!is_none(nowhere) && is_none((profiled.0, 3, 4, nowhere.3)));
    }
}
