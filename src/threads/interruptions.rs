//! Hot: `Interruptions`, the events of signal handlers that have interrupted their thread while its
//! scopes or its tracer were in use. They are counted at once, and kept here until the thread is
//! done. Then it tells everyone who wants to know of each event, as ever, but without a stack.
//!
//! A handler may interrupt another one anywhere, so each takes its place by one atomic addition.
//! The thread itself takes the events out when no handler runs.

use std::cell::Cell;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::counters::{Event, EventKind};
use crate::sys::{AtomicI64, OwnFlag};

const ROOM: usize = 8;

pub(super) struct Interruptions {
    /// Whether there is anything below.
    is_any: OwnFlag,
    /// How many events are kept, or would be if there were room.
    len: AtomicUsize,
    events: [Cell<Event>; ROOM],
    /// Allocations of blocks that were freed before the next event. They need no room, however many
    /// there are. Of their sizes, the sum is kept.
    gone: AtomicUsize,
    gone_bytes: AtomicI64,
    /// Allocation events without room.
    missed: AtomicUsize,
    /// The largest block of those two.
    largest: AtomicI64,
    is_taking: Cell<bool>,
}

const NOTHING: Event =
    Event { kind: EventKind::Dealloc, address: Event::UNKNOWN, got: 0, freed: 0 };

/// An allocation event of which nothing is known.
const MISSED: Event = Event { kind: EventKind::Alloc, ..NOTHING };

impl Interruptions {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    pub(super) const NONE: Self = {
        const EMPTY: Cell<Event> = Cell::new(NOTHING);
        Self {
            is_any: OwnFlag::UNSET,
            len: AtomicUsize::new(0),
            events: [EMPTY; ROOM],
            gone: AtomicUsize::new(0),
            gone_bytes: AtomicI64::new(0),
            missed: AtomicUsize::new(0),
            largest: AtomicI64::new(0),
            is_taking: Cell::new(false),
        }
    };

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        !self.is_any.is_set()
    }

    /// Keeps an event. Called by a handler.
    #[cold]
    pub(super) fn add(&self, event: Event) {
        self.is_any.set(true);
        match event.kind {
            EventKind::Dealloc if self.free(event.address) => return,
            // One of those kept may be the block that is gone now.
            EventKind::Realloc => {
                self.allocs().for_each(|(_, place)| change_block(place, Event::UNKNOWN))
            }
            _ => {}
        }
        match self.events.get(self.len.fetch_add(1, Relaxed)) {
            Some(place) => place.set(event),
            None if event.kind == EventKind::Dealloc => {}
            None => {
                self.largest.fetch_max(event.got, Relaxed);
                self.missed.fetch_add(1, Relaxed);
            }
        }
    }

    /// Keeps the number of allocation events of which nothing more is to be known. Called by a
    /// handler.
    pub(super) fn miss(&self, allocation_events: usize) {
        self.missed.fetch_add(allocation_events, Relaxed);
        self.is_any.set(true);
    }

    fn allocs(&self) -> impl Iterator<Item = (usize, &Cell<Event>)> {
        let kept = self.events.iter().take(self.len.load(Relaxed)).enumerate();
        kept.filter(|(_, place)| place.get().kind == EventKind::Alloc)
    }

    /// A block was freed. `false` if its allocation is not kept here.
    fn free(&self, address: usize) -> bool {
        let Some((at, place)) = self.allocs().find(|(_, place)| place.get().address == address)
        else {
            return false;
        };
        let Event { got, .. } = place.get();
        if self.len.compare_exchange(at + 1, at, Relaxed, Relaxed).is_ok() {
            self.largest.fetch_max(got, Relaxed);
            self.gone_bytes.fetch_add(got, Relaxed);
            self.gone.fetch_add(1, Relaxed);
        } else {
            place.set(Event { freed: got, ..place.get() });
            change_block(place, Event::GONE);
        }
        true
    }

    /// Takes all out, and what comes in meanwhile. Called by the thread itself.
    #[cold]
    pub(super) fn take(&self, mut take: impl FnMut(Event)) {
        if self.is_taking.replace(true) {
            return;
        }
        while self.is_any.take() {
            // In this order: what comes in meanwhile adds to the latter ones, and is told later.
            let (gone, missed) = (self.gone.swap(0, Relaxed), self.missed.swap(0, Relaxed));
            let largest = self.largest.swap(0, Relaxed);
            let mut bytes = self.gone_bytes.swap(0, Relaxed);
            for _ in 0..gone {
                // As large as can be: the sum is right, and none is larger than one was.
                let got = bytes.min(largest);
                bytes -= got;
                take(Event { kind: EventKind::Alloc, address: Event::GONE, got, freed: got });
            }
            self.gone_bytes.fetch_add(bytes, Relaxed);
            for at in 0..missed {
                let got = if at == 0 { largest } else { 0 };
                take(Event { got, freed: got, ..MISSED });
            }
            let mut at = 0;
            loop {
                let len = self.len.load(Relaxed);
                if at < len {
                    if let Some(place) = self.events.get(at) {
                        take(place.replace(NOTHING));
                    }
                    at += 1;
                } else if self.len.compare_exchange(len, 0, Relaxed, Relaxed).is_ok() {
                    break;
                }
            }
        }
        self.is_taking.set(false);
    }
}

fn change_block(place: &Cell<Event>, address: usize) {
    let event = place.get();
    if event.address != Event::GONE {
        place.set(Event { address, ..event });
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, EventKind, Interruptions, ROOM};

    fn event(kind: EventKind, address: usize) -> Event {
        Event { kind, address, got: 8, freed: 0 }
    }

    fn taken(interruptions: &Interruptions) -> Vec<(EventKind, usize)> {
        let mut taken = Vec::new();
        interruptions.take(|event| taken.push((event.kind, event.address)));
        assert!(interruptions.is_none());
        taken
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let interruptions = Interruptions::NONE;
        for address in [100, 200, 300] {
            interruptions.add(event(EventKind::Alloc, address));
        }
        for address in [200, 400] {
            interruptions.add(event(EventKind::Dealloc, address));
        }
        let allocs = [100, Event::GONE, 300].map(|address| (EventKind::Alloc, address));
        let taken = taken(&interruptions);
        assert_eq!((&taken[..3], &taken[3..]), (&allocs[..], &[(EventKind::Dealloc, 400)][..]));
    }

    #[test]
    fn of_a_block_that_is_reallocated_nothing_is_known() {
        let interruptions = Interruptions::NONE;
        interruptions.add(event(EventKind::Alloc, 100));
        interruptions.add(event(EventKind::Realloc, 300));
        assert_eq!(
            taken(&interruptions),
            [(EventKind::Alloc, Event::UNKNOWN), (EventKind::Realloc, 300)]
        );
    }

    #[test]
    fn blocks_that_are_freed_at_once_need_no_room_and_those_without_are_missed() {
        let interruptions = Interruptions::NONE;
        for _ in 0..100 {
            for (kind, address) in
                [EventKind::Alloc, EventKind::Dealloc].into_iter().zip([100, 100])
            {
                interruptions.add(event(kind, address));
            }
        }
        let mut bytes = 0;
        (0..ROOM + 3).for_each(|_| interruptions.add(event(EventKind::Alloc, 200)));
        interruptions.miss(5);
        let mut taken = [0; 3];
        interruptions.take(|event| {
            bytes += event.got;
            taken[event.address.min(2)] += 1;
        });
        assert_eq!((taken, bytes), ([3 + 5, 100, ROOM], 8 * (100 + ROOM as i64 + 1)));
    }

    #[test]
    fn the_largest_of_those_that_are_not_kept_is_told_and_none_that_is_larger() {
        let largest = |sizes: &[i64], is_freed: bool| {
            let interruptions = Interruptions::NONE;
            if !is_freed {
                (0..ROOM).for_each(|_| interruptions.add(event(EventKind::Alloc, 200)));
            }
            for got in sizes {
                interruptions.add(Event { got: *got, ..event(EventKind::Alloc, 100) });
                if is_freed {
                    interruptions.add(event(EventKind::Dealloc, 100));
                }
            }
            let (mut largest, mut sum) = (0, 0);
            interruptions.take(|event| {
                assert!(event.kind != EventKind::Alloc || event.address != 100);
                largest = largest.max(event.got);
                sum += event.got;
            });
            assert!(!is_freed || sum == sizes.iter().sum());
            largest
        };
        for sizes in [&[8, 8, 8][..], &[8, 100, 24], &[100, 8], &[0, 9]] {
            assert_eq!(largest(sizes, true), sizes.iter().copied().max().expect("one"));
            assert_eq!(largest(sizes, false), sizes.iter().copied().max().expect("one").max(8));
        }
    }

    #[test]
    fn what_comes_in_while_they_are_taken_is_taken_too() {
        let interruptions = Interruptions::NONE;
        interruptions.add(event(EventKind::Alloc, 100));
        let mut taken = 0;
        interruptions.take(|_| {
            taken += 1;
            interruptions.take(|_| panic!("one at a time"));
            if taken < 50 {
                interruptions.add(event(EventKind::Alloc, 100));
            }
        });
        assert!(taken == 50 && interruptions.is_none());
    }
}
