//! Hot: `SharedSums`, how far a scope has come to which several threads add. It is kept where each
//! event has to be looked at: for the highest net bytes, and for the first allocation past the
//! limits of a budget. It takes one atomic addition for each number that is kept.
//! A scope of one thread needs no sums of its own ([`FirstOverrun`](super::first_overrun)): the
//! thread's counters have them.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::breakpoint;
use super::stack::Stack;
use crate::counters::{Event, Sums};
use crate::sys::{AtomicI64, AtomicU64, Link};

/// What each event of a shared scope is looked at for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// The highest net bytes.
    pub(crate) peak: bool,
    /// The first allocation past one of these limits; `i64::MAX` stands for no limit.
    pub(crate) limits: Option<Sums>,
}

pub(crate) struct SharedSums {
    events: AtomicI64,
    reallocs: AtomicI64,
    bytes: AtomicI64,
    net: AtomicI64,
    highest: AtomicI64,
    /// For each limit, the event that passed it first.
    past: [Past; 4],
}

/// The number of an event, from 1, and its stack; claimed by the one event that passes a limit
/// first.
struct Past {
    event: AtomicU64,
    stack: Link<Stack>,
}

/// The event is being written.
const CLAIMED: u64 = u64::MAX;

impl Watch {
    pub(crate) const NOTHING: Self = Self { peak: false, limits: None };
}

impl Past {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    const NONE: Self = Self { event: AtomicU64::new(0), stack: Link::NONE };

    fn claim(&self, event: u64, stack: Option<&'static Stack>) {
        if self.event.load(Relaxed) == 0
            && self.event.compare_exchange(0, CLAIMED, Relaxed, Relaxed).is_ok()
        {
            self.stack.set(stack);
            self.event.store(event, Release);
            breakpoint::pass();
        }
    }
}

impl SharedSums {
    pub(crate) const fn new() -> Self {
        Self {
            events: AtomicI64::new(0),
            reallocs: AtomicI64::new(0),
            bytes: AtomicI64::new(0),
            net: AtomicI64::new(0),
            highest: AtomicI64::new(0),
            past: [Past::NONE; 4],
        }
    }

    /// Begins at `now`, when the highest net bytes were `highest`. Nobody else uses it yet.
    pub(crate) fn begin(&self, now: Sums, highest: i64) {
        self.events.store(now.events, Relaxed);
        self.reallocs.store(now.reallocs, Relaxed);
        self.bytes.store(now.bytes, Relaxed);
        self.net.store(now.net_bytes, Relaxed);
        self.highest.store(highest, Relaxed);
        for past in &self.past {
            past.event.store(0, Relaxed);
        }
    }

    pub(crate) fn note(&self, watch: Watch, stack: Option<&'static Stack>, event: &Event) {
        let limits = watch.limits.unwrap_or(Sums::MAX);
        let number = if watch.limits.is_some() && event.is_allocation() {
            self.note_allocation(limits, stack, event)
        } else {
            0
        };
        if watch.peak {
            let net = event.net();
            let now = self.net.fetch_add(net, Relaxed).wrapping_add(net);
            if now > self.highest.load(Relaxed) {
                self.highest.fetch_max(now, Relaxed);
            }
            if now > limits.net_bytes && number > 0 {
                let [.., past] = &self.past;
                past.claim(number, stack);
            }
        }
    }

    /// The number of the allocation event, from 1.
    fn note_allocation(&self, limits: Sums, stack: Option<&'static Stack>, event: &Event) -> u64 {
        let events = self.events.fetch_add(1, Relaxed).wrapping_add(1);
        let number = events as u64;
        // Each of these rises only, so one event alone is the first past it; `begin` found none of
        // them passed.
        if events == limits.events.wrapping_add(1) {
            let [past, ..] = &self.past;
            past.claim(number, stack);
        }
        if limits.reallocs < i64::MAX && !event.is_fresh() {
            let reallocs = self.reallocs.fetch_add(1, Relaxed).wrapping_add(1);
            if reallocs == limits.reallocs + 1 {
                let [_, past, ..] = &self.past;
                past.claim(number, stack);
            }
        }
        if limits.bytes < i64::MAX {
            let size = event.got;
            let bytes = self.bytes.fetch_add(size, Relaxed).wrapping_add(size);
            if bytes > limits.bytes && bytes.wrapping_sub(size) <= limits.bytes {
                let [_, _, past, _] = &self.past;
                past.claim(number, stack);
            }
        }
        number
    }

    /// The allocation events by now, if limits are watched.
    pub(crate) fn events(&self) -> i64 {
        self.events.load(Relaxed)
    }

    /// The highest net bytes since [`begin`](Self::begin).
    pub(crate) fn highest(&self) -> i64 {
        self.highest.load(Relaxed)
    }

    /// The first event past any limit.
    pub(crate) fn first_overrun(&self) -> Option<(u64, Option<&'static Stack>)> {
        let read = |past: &Past| match past.event.load(Acquire) {
            0 | CLAIMED => None,
            event => Some((event, past.stack.get())),
        };
        self.past.iter().filter_map(read).min_by_key(|(event, _)| *event)
    }
}

#[cfg(test)]
mod tests {
    use super::{SharedSums, Sums, Watch};
    use crate::counters::Event;
    use crate::stacks::made_up_stack;

    #[test]
    fn any_limit_can_be_the_first_to_be_passed_whichever_thread_passes_it() {
        let check = |limits: Sums, expected: Option<u64>| {
            let sums = SharedSums::new();
            sums.begin(Sums { events: 0, reallocs: 0, bytes: 0, net_bytes: 0 }, 0);
            let watch = Watch { peak: true, limits: Some(limits) };
            let stacks: Vec<_> = (1..=100).map(|event| made_up_stack(&[13, event])).collect();
            for (at, stack) in stacks.iter().enumerate() {
                let grows = at % 10 == 9;
                let event = if grows { Event::realloc(0, 4, 10) } else { Event::alloc(0, 10) };
                let thread = || sums.note(watch, Some(stack), &event);
                std::thread::scope(|scope| scope.spawn(thread).join()).expect("it ends well");
            }
            let first_overrun = sums.first_overrun();
            assert_eq!(first_overrun.map(|(event, _)| event), expected, "{limits:?}");
            if let Some((event, stack)) = first_overrun {
                assert_eq!(stack.expect("one").return_addresses(), [13, event as usize]);
            }
            assert_eq!(sums.highest(), 90 * 10 + 10 * 6);
        };
        check(Sums::MAX, None);
        check(Sums { events: 100, ..Sums::MAX }, None);
        check(Sums { events: 99, ..Sums::MAX }, Some(100));
        check(Sums { events: 0, ..Sums::MAX }, Some(1));
        check(Sums { reallocs: 1, ..Sums::MAX }, Some(20));
        check(Sums { bytes: 55, ..Sums::MAX }, Some(6));
        check(Sums { net_bytes: 99, ..Sums::MAX }, Some(11));
        check(Sums { bytes: 55, events: 2, ..Sums::MAX }, Some(3));
    }

    #[test]
    fn it_goes_on_from_where_the_scope_is_and_knows_nothing_of_an_earlier_one() {
        let sums = SharedSums::new();
        let first_overrun = |limits: Sums| {
            sums.begin(Sums { events: 10, reallocs: 3, bytes: 100, net_bytes: 50 }, 70);
            assert!(sums.first_overrun().is_none() && sums.highest() == 70);
            let watch = Watch { peak: true, limits: Some(limits) };
            for _ in 0..5 {
                sums.note(watch, None, &Event::realloc(0, 0, 10));
            }
            assert_eq!(sums.highest(), 100);
            sums.first_overrun().map(|(event, _)| event)
        };
        assert_eq!(first_overrun(Sums { events: 12, ..Sums::MAX }), Some(13));
        assert_eq!(first_overrun(Sums { reallocs: 4, ..Sums::MAX }), Some(12));
        assert_eq!(first_overrun(Sums { bytes: 130, ..Sums::MAX }), Some(14));
        assert_eq!(first_overrun(Sums { net_bytes: 90, ..Sums::MAX }), Some(15));
        assert_eq!(first_overrun(Sums::MAX), None);
    }

    #[test]
    fn of_many_threads_exactly_one_event_is_the_first_past_a_limit() {
        for limit in [0, 10, 3_999] {
            let sums = SharedSums::new();
            sums.begin(Sums { events: 0, reallocs: 0, bytes: 0, net_bytes: 0 }, 0);
            let limits = Sums { events: limit, ..Sums::MAX };
            let watch = Watch { peak: true, limits: Some(limits) };
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..1_000 {
                            sums.note(watch, None, &Event::alloc(0, 1));
                        }
                    });
                }
            });
            let (event, stack) = sums.first_overrun().expect("it was passed");
            assert!(event == limit as u64 + 1 && stack.is_none(), "{event}");
            assert_eq!(sums.highest(), 4_000);
        }
    }
}
