//! Hot: `Entry`, what the table of live blocks says of a block for one scope or heap profile, and
//! the words that say it in a [`Node`](super::nodes::Node).
//!
//! Relies on: leak counters, heap profiles, program points and stacks are never freed, so that a
//! pointer which was once made of a `&'static` stays one; all of them are aligned to more than one
//! byte.
#![allow(unsafe_code)]

use std::mem::align_of;
use std::ptr;

use super::birth::Birth;
use super::heap_profile::HeapProfile;
use super::leak_counter::LeakCounter;
use super::nodes::Words;
use super::program_point::ProgramPoint;
use crate::stacks::Stack;

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

/// All that is pointed at is aligned, so that the lowest bit is free. Both pointers of an entry
/// have it or none: [`Node::read`](super::nodes::Node::read) may meet one of an old entry and one
/// of the next, and must not take a `Stack` for a `ProgramPoint`.
const PROFILED: usize = 1;

const _: () = assert!(align_of::<LeakCounter>() > 1 && align_of::<HeapProfile>() > 1);
const _: () = assert!(align_of::<Stack>() > 1 && align_of::<ProgramPoint>() > 1);

impl Entry {
    #[inline]
    pub(super) fn words(self) -> Words {
        let pointer = |pointer: *const u8| pointer.cast_mut();
        match self {
            Self::LeakCounter { scope, serial, size, stack } => {
                let owner: *const LeakCounter = scope;
                let place = stack.map_or(ptr::null(), |stack| stack as *const Stack);
                let (owner, place) = (pointer(owner.cast()), pointer(place.cast()));
                Words { owner, stamp: serial, size, place }
            }
            Self::Profiled { points, born, size, point } => {
                let (owner, place): (*const HeapProfile, *const ProgramPoint) = (points, point);
                let marked = |at: *const u8| pointer(at.wrapping_add(PROFILED));
                let (owner, place) = (marked(owner.cast()), marked(place.cast()));
                Words { owner, stamp: born.to_word(), size, place }
            }
        }
    }

    /// `None` for a node that was never filled, and for words of two entries, if those are of
    /// different kinds.
    #[inline]
    pub(super) fn of(Words { owner, stamp, size, place }: Words) -> Option<Self> {
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
            Self::LeakCounter { scope, serial, .. } => scope.has(*serial),
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

    /// A block that was counted is no longer live.
    #[inline]
    pub(super) fn leave(self) {
        match self {
            Self::LeakCounter { scope, serial, .. } => scope.drop_one(serial),
            Self::Profiled { points, born, size, point } => {
                if points.has(born) {
                    points.freed(point, born, size);
                }
            }
        }
    }

    /// A block that was counted finds no room any more.
    #[cold]
    pub(super) fn lose(self) {
        self.leave();
        match self {
            Self::LeakCounter { scope, serial, .. } => scope.lose_one(serial),
            Self::Profiled { points, .. } => points.lost_one(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Birth, Entry, HeapProfile, LeakCounter, ProgramPoint, Words};
    use crate::stacks::made_up_stack;
    use crate::sys::Pooled;

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
        assert!(is_none(Words { place: retained.place, ..profiled }));
        assert!(is_none(Words { place: profiled.place, ..retained }));
        let nowhere = Entry::LeakCounter { scope, serial: 3, size: 4, stack: None }.words();
        assert!(!is_none(nowhere) && is_none(Words { owner: profiled.owner, ..nowhere }));
    }
}
