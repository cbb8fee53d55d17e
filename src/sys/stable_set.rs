//! Hot: `StableSet`, a set that any thread searches and adds to at any time, without a lock. It
//! only grows: its members live for ever.
//!
//! In plain words: a table of slots with open addressing, found by the last bits of a hash. The
//! first four bits of the hash stand in the slot itself, in the low bits of the pointer, so that a
//! search looks at one in sixteen of the members that it passes by. Equal hashes stand one behind
//! the other; whoever searches says which of them it is.
//!
//! A table that is three quarters full is followed by one twice as large:
//!
//! 1. Whoever adds a member makes the next table, goes through the slots of the old one, enters
//!    each member there, too, and *closes* each slot that is empty: nothing is put into it any
//!    more. Then the next table becomes the one that all begin with.
//! 2. Meanwhile, a search that comes to a closed slot goes on in the next table. No slot is ever
//!    emptied, and a member is put into the first on its way that is empty; so none stands behind
//!    one that is empty or closed.
//! 3. Whoever else adds one meanwhile does the same work instead of waiting. To enter a member that
//!    is there already changes nothing.
//! 4. Old tables are kept, for somebody may be about to read one. All of them together are as large
//!    as the last.
//!
//! Without memory for the next table, the old one takes members up to seven eighths: where every
//! slot is taken, a search would not end.
//!
//! Relies on: only a `&'static T` is put in, and all are aligned to 16 bytes; memory of
//! `memory::allocate` is zeroed, and that of a table which others have seen is never freed.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::mem::align_of;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::link::Link;
use super::memory;

pub(crate) struct StableSet<T: 'static> {
    /// `None` before the first member.
    table: Link<Table<T>>,
    /// Members, and those that are being added.
    count: AtomicUsize,
}

pub(crate) trait Member: Sync + Sized + 'static {
    fn hash(&self) -> u64;
}

struct Table<T: 'static> {
    /// A power of two. Each is null, [`CLOSED`], or a member with its tag.
    slots: &'static [AtomicPtr<T>],
    next: Link<Table<T>>,
}

/// In the slot of a member: as many bits of its hash as its alignment leaves free.
const TAG: usize = 15;

/// Of a slot, where a member has its address: no more than a tag.
const CLOSED: usize = 1;

/// A page of them.
const FIRST_SLOTS: usize = memory::PAGE_BYTES / 8;

impl<T: Member> StableSet<T> {
    const TAG_FITS: () = assert!(align_of::<T>() > TAG);

    pub(crate) const fn new() -> Self {
        Self { table: Link::NONE, count: AtomicUsize::new(0) }
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// The member of this hash that `is_it`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&'static T> {
        let mut table = self.table.get()?;
        loop {
            let mut at = hash as usize;
            let free = loop {
                let slot = table.slot(at).load(Acquire);
                let untagged = slot.wrapping_byte_sub(tag(hash));
                if untagged as usize & TAG == 0 {
                    if untagged.is_null() {
                        break slot;
                    }
                    // SAFETY: it has this tag, so that it is of `Table::insert`, which added that.
                    let member = unsafe { &*untagged };
                    if is_it(member) {
                        return Some(member);
                    }
                } else if slot as usize <= TAG {
                    break slot;
                }
                at = at.wrapping_add(1);
            };
            if free.is_null() {
                return None;
            }
            table = table.next.get()?;
        }
    }

    /// Adds a member, and returns the one that is there now: if another thread was first, its own,
    /// which `is_it`. `None` without memory.
    pub(crate) fn insert(&self, new: &'static T, is_it: impl Fn(&T) -> bool) -> Option<&'static T> {
        // Before the member is there, so that no table ever gets more than it may hold.
        let count = self.count.fetch_add(1, Relaxed) + 1;
        let member = self.table_for(count).and_then(|table| table.insert(new, is_it));
        if !member.is_some_and(|member| ptr::eq(member, new)) {
            self.count.fetch_sub(1, Relaxed);
        }
        member
    }

    /// Shows `visit` all members; those that are added meanwhile, perhaps.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&'static T)) {
        let Some(mut table) = self.table.get() else { return };
        while let Some(next) = table.next.get() {
            self.move_all(table, next);
            table = next;
        }
        table.slots.iter().filter_map(member).for_each(visit);
    }

    /// A table that is not being moved, with room for so many members.
    fn table_for(&self, count: usize) -> Option<&'static Table<T>> {
        let () = Self::TAG_FITS;
        loop {
            let Some(table) = self.table.get() else {
                Table::append(&self.table, FIRST_SLOTS)?;
                continue;
            };
            let (len, mut next) = (table.slots.len(), table.next.get());
            if next.is_none() {
                if count <= len - len / 4 {
                    return Some(table);
                }
                next = Table::append(&table.next, len * 2);
            }
            match next {
                Some(next) => self.move_all(table, next),
                None => return (count <= len - len / 8).then_some(table),
            }
        }
    }

    /// Sees to it that all members of `table` are in the next one, and that none is added to it.
    fn move_all(&self, table: &'static Table<T>, next: &'static Table<T>) {
        for slot in table.slots {
            if slot.load(Relaxed).is_null() && close(slot) {
                continue;
            }
            if let Some(moved) = member(slot) {
                next.insert(moved, |member| ptr::eq(member, moved));
            }
        }
        self.table.replace(table, next);
    }
}

impl<T: Member> Table<T> {
    /// What `link` leads to; if to nothing, a new table from now on. `None` without memory.
    fn append(link: &Link<Self>, len: usize) -> Option<&'static Self> {
        let layout = Layout::array::<AtomicPtr<T>>(len).ok()?;
        let slots: *mut AtomicPtr<T> = memory::allocate(layout.size()).cast();
        if slots.is_null() {
            return None;
        }
        // SAFETY: zeroed, so each is a null pointer.
        let slots = unsafe { &*ptr::slice_from_raw_parts(slots, len) };
        let new = memory::keep_new(|| Self { slots, next: Link::NONE });
        if !new.is_some_and(|new| link.fill(new)) {
            // SAFETY: allocated above with this size, and nobody else has seen it.
            unsafe { memory::free(slots.as_ptr().cast_mut().cast(), layout.size()) };
        }
        link.get()
    }

    /// Counted on and on, from the first slot for a hash, which is the hash.
    #[inline]
    fn slot(&self, at: usize) -> &AtomicPtr<T> {
        let at = at & self.slots.len().wrapping_sub(1);
        // SAFETY: a power of two, of which something less is in `slots`.
        unsafe { &*self.slots.as_ptr().wrapping_add(at) }
    }

    /// Puts `new` into the first slot on its way that is empty, unless it comes to one that
    /// `is_it`; returns the one that is there. There is room.
    fn insert(&self, new: &'static T, is_it: impl Fn(&T) -> bool) -> Option<&'static T> {
        let (hash, pointer): (_, *const T) = (new.hash(), new);
        let tagged = pointer.cast_mut().wrapping_byte_add(tag(hash));
        let (mut table, mut at) = (self, hash as usize);
        loop {
            let slot = table.slot(at);
            match slot.compare_exchange(ptr::null_mut(), tagged, AcqRel, Acquire) {
                Ok(_) => return Some(new),
                Err(taken) if taken as usize == CLOSED => {
                    table = table.next.get()?;
                    at = hash as usize;
                }
                Err(taken) => {
                    let known = member(slot).filter(|_| taken as usize & TAG == tag(hash));
                    if let Some(known) = known.filter(|known| is_it(known)) {
                        return Some(known);
                    }
                    at = at.wrapping_add(1);
                }
            }
        }
    }
}

/// Bits of a hash that say little of its slot.
#[inline]
fn tag(hash: u64) -> usize {
    (hash >> (u64::BITS - TAG.count_ones())) as usize
}

/// The member in a slot, which never changes again.
fn member<T: Member>(slot: &AtomicPtr<T>) -> Option<&'static T> {
    let tagged = slot.load(Acquire);
    let member = tagged.wrapping_byte_sub(tagged as usize & TAG);
    // SAFETY: null, where there is no member; else of `Table::insert`, without the tag that it has
    // added.
    unsafe { member.as_ref() }
}

/// Closes a slot if it is empty.
fn close<T>(slot: &AtomicPtr<T>) -> bool {
    let closed = ptr::null_mut::<T>().wrapping_byte_add(CLOSED);
    slot.compare_exchange(ptr::null_mut(), closed, AcqRel, Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;

    use super::super::memory::{keep_new, refusals};
    use super::{close, Member, StableSet, Table, FIRST_SLOTS};

    #[repr(align(16))]
    struct Number {
        hash: u64,
        number: u64,
    }

    impl Member for Number {
        fn hash(&self) -> u64 {
            self.hash
        }
    }

    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
    }

    fn add(set: &StableSet<Number>, hash: u64, number: u64) -> Option<&'static Number> {
        set.insert(keep_new(|| Number { hash, number })?, |known| known.number == number)
    }

    fn find(set: &StableSet<Number>, hash: u64, number: u64) -> Option<&'static Number> {
        set.find(hash, |known| known.number == number)
    }

    /// All members, each once.
    fn shown(set: &StableSet<Number>) -> Vec<u64> {
        let mut shown = Vec::new();
        set.visit(&mut |member| shown.push(member.number));
        shown.sort_unstable();
        shown
    }

    #[test]
    fn members_stand_side_by_side_whatever_their_hashes_have_in_common() {
        static SET: StableSet<Number> = StableSet::new();
        assert!(find(&SET, 0, 0).is_none() && shown(&SET).is_empty());
        // The same slot and the same tag; only the one or the other; and the last slot, which the
        // first comes after.
        let hashes = [0, 0, 0, 1, 2, 1 << 60, u64::MAX, u64::MAX, u64::MAX - 1, 1 << 63];
        for (number, hash) in (0..).zip(hashes) {
            assert_eq!(add(&SET, hash, number).expect("memory").number, number);
            assert!(find(&SET, hash, number + 1).is_none());
        }
        for (number, hash) in (0..).zip(hashes) {
            let known = find(&SET, hash, number).expect("it was added");
            assert!(known.number == number && known.hash == hash);
            assert!(std::ptr::eq(known, add(&SET, hash, number).expect("the same")));
        }
        assert_eq!((shown(&SET), SET.len()), ((0..10).collect(), 10));
    }

    #[test]
    fn a_hundred_thousand_come_back_as_they_were() {
        static SET: StableSet<Number> = StableSet::new();
        let count = if cfg!(miri) { 1_500 } else { 100_000 };
        for number in 0..count {
            add(&SET, hash(number), number).expect("memory");
        }
        for number in 0..count {
            assert_eq!(find(&SET, hash(number), number).expect("it was added").number, number);
        }
        assert!(find(&SET, hash(count), count).is_none());
        assert_eq!((shown(&SET), SET.len() as u64), ((0..count).collect(), count));
    }

    #[test]
    fn threads_that_add_the_same_at_once_get_the_same_and_readers_miss_none() {
        static SET: StableSet<Number> = StableSet::new();
        static ADDED: AtomicUsize = AtomicUsize::new(0);
        let count = if cfg!(miri) { 800 } else { 20_000 };
        thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| {
                    for number in 0..count {
                        let added = add(&SET, hash(number), number).expect("memory");
                        let found = find(&SET, hash(number), number).expect("it was added");
                        assert!(std::ptr::eq(added, found));
                        ADDED.fetch_max(number as usize + 1, SeqCst);
                    }
                });
            }
            threads.spawn(|| loop {
                let added = ADDED.load(SeqCst) as u64;
                assert!((0..added).step_by(7).all(|n| find(&SET, hash(n), n).is_some()));
                let shown = shown(&SET);
                assert!((0..added).all(|number| shown.binary_search(&number).is_ok()));
                assert!(shown.windows(2).all(|two| two[0] < two[1]), "one twice");
                if added == count {
                    break;
                }
            });
        });
        assert_eq!((shown(&SET), SET.len() as u64), ((0..count).collect(), count));
    }

    /// What a thread sees that comes while another is in the middle of a move.
    #[test]
    fn half_a_move_hides_nothing_and_whoever_comes_ends_it() {
        let count = FIRST_SLOTS as u64 / 2;
        for moved in [0, 1, FIRST_SLOTS / 3, FIRST_SLOTS] {
            let set: &StableSet<Number> = Box::leak(Box::new(StableSet::new()));
            for number in 0..count {
                add(set, hash(number), number).expect("memory");
            }
            let begin = |is_shown: bool| {
                let old = set.table.get().expect("the first");
                let next = Table::append(&old.next, FIRST_SLOTS * 2).expect("memory");
                for slot in &old.slots[..moved] {
                    if let Some(member) = super::member(slot) {
                        next.insert(member, |_| false);
                    } else {
                        assert!(close(slot));
                    }
                }
                for number in 0..count {
                    assert_eq!(
                        find(set, hash(number), number).expect("it is there").number,
                        number
                    );
                }
                assert!(find(set, hash(count), count).is_none());
                if is_shown {
                    assert_eq!(shown(set), (0..count).collect::<Vec<_>>());
                }
                // As a thread does that has begun before.
                let late =
                    keep_new(|| Number { hash: hash(count), number: count }).expect("memory");
                assert!(old.insert(late, |known| known.number == count).is_some());
                assert!(std::ptr::eq(late, find(set, hash(count), count).expect("it is there")));
            };
            begin(moved % 2 == 1);
            let last = count + 1;
            add(set, hash(last), last).expect("memory");
            assert!(set.table.get().expect("one").slots.len() == FIRST_SLOTS * 2);
            assert_eq!(shown(set), (0..=last).collect::<Vec<_>>());
            assert!((0..=last).all(|number| find(set, hash(number), number).is_some()));
        }
    }

    #[test]
    fn without_memory_for_more_it_keeps_what_it_has() {
        let count = 3 * FIRST_SLOTS as u64;
        let most = |slots: usize| slots - slots / 8;
        // For a member and for each table, two requests.
        for (tables, room) in [(0, 0), (1, most(FIRST_SLOTS)), (2, most(2 * FIRST_SLOTS))] {
            let numbers: Vec<&Number> = (0..count)
                .map(|number| keep_new(|| Number { hash: hash(number), number }).expect("memory"))
                .collect();
            for half in [0, 1] {
                let set: &StableSet<Number> = Box::leak(Box::new(StableSet::new()));
                let added = refusals::after(2 * tables + half, || {
                    numbers.iter().filter(|number| set.insert(number, |_| false).is_some()).count()
                });
                assert_eq!((added, set.len()), (room, room));
                assert_eq!(shown(set), (0..room as u64).collect::<Vec<_>>());
                assert!((0..count).all(|n| find(set, hash(n), n).is_some() == (n < room as u64)));
                // Once there is memory, all is as before.
                numbers
                    .iter()
                    .for_each(|new| assert!(set.insert(new, |n| n.number == new.number).is_some()));
                assert_eq!(shown(set), (0..count).collect::<Vec<_>>());
            }
        }
    }
}
