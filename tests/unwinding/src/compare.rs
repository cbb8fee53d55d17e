//! The allocator, which compares the walks, and the threads on which it does so.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::reference::Reference;
use crate::walk::{Registers, Stop, Walker, MAX_FRAMES};
use crate::{distinct, mismatch};

/// The system's allocator. Before each call, it compares the two walks.
pub(crate) struct Comparing;

// SAFETY: it does what the system's allocator does. `event` neither allocates nor panics.
unsafe impl GlobalAlloc for Comparing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        event();
        // SAFETY: the caller keeps the rules.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        event();
        // SAFETY: the caller keeps the rules.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        event();
        // SAFETY: the caller keeps the rules.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        event();
        // SAFETY: the caller keeps the rules.
        unsafe { System.dealloc(block, layout) }
    }
}

/// What a thread needs to compare. It is not on the thread's stack, which may be small.
struct Comparison {
    /// It makes all walks of the thread, so that it remembers.
    walker: Walker,
    reference: Reference,
    /// The walk before.
    previous: [usize; MAX_FRAMES],
    previous_len: usize,
    /// `None` before the first walk.
    previous_stop: Option<Stop>,
}

struct Place {
    is_taken: AtomicBool,
    comparison: UnsafeCell<Comparison>,
}

// SAFETY: only the thread that set `is_taken` uses `comparison`.
unsafe impl Sync for Place {}

/// A thread takes over what an ended one has left, and must not be misled by what the walker
/// remembers.
static PLACES: [Place; 16] = {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each place.
    const FREE: Place = Place {
        is_taken: AtomicBool::new(false),
        comparison: UnsafeCell::new(Comparison {
            walker: Walker::NEW,
            reference: Reference::NEW,
            previous: [0; MAX_FRAMES],
            previous_len: 0,
            previous_stop: None,
        }),
    };
    [FREE; 16]
};

static CAPTURES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Null on threads that are not watched, and during a comparison. It has no destructor, so it
    /// outlives all thread-locals that have one.
    static COMPARISON: Cell<*mut Comparison> = const { Cell::new(null_mut()) };
    static EXPECTED: Cell<Option<Stop>> = const { Cell::new(None) };
}

pub(crate) fn captures() -> u64 {
    CAPTURES.load(Ordering::Relaxed)
}

/// A thread that is watched. To be given up when it has ended.
#[must_use]
pub(crate) struct Watched(&'static Place);

impl Watched {
    pub(crate) fn give_up(self) {
        self.0.is_taken.store(false, Ordering::Release);
    }
}

/// Compares at each event of this thread from now on, to its very end.
pub(crate) fn watch_this_thread() -> Watched {
    let place = PLACES.iter().find(|place| !place.is_taken.swap(true, Ordering::Acquire));
    let place = place.expect("at most 16 threads at a time");
    COMPARISON.with(|comparison| comparison.set(place.comparison.get()));
    Watched(place)
}

/// While `work` runs, walks end with `stop`, and have only the innermost part of what the reference
/// has.
#[cfg_attr(target_vendor = "apple", allow(dead_code))]
pub(crate) fn expecting(stop: Stop, work: impl FnOnce()) {
    let before = EXPECTED.with(|expected| expected.replace(Some(stop)));
    work();
    EXPECTED.with(|expected| expected.set(before));
}

/// The function whose callers are compared. Both walks start here, and neither call is the last one
/// in it.
#[inline(never)]
fn event() {
    let pointer = COMPARISON.with(|comparison| comparison.replace(null_mut()));
    // SAFETY: null, or of this thread's place. Nobody uses it meanwhile, as it is null now.
    let Some(comparison) = (unsafe { pointer.as_mut() }) else { return };
    let registers = Registers::here();
    comparison.reference.capture();
    comparison.compare(registers);
    COMPARISON.with(|comparison| comparison.set(pointer));
}

impl Comparison {
    fn compare(&mut self, registers: Registers) {
        let walked = self.walker.walk(registers);
        let expected = self.reference.return_addresses();
        let stop = EXPECTED.with(Cell::get);
        let fault = fault(walked.return_addresses, walked.stop, expected, &self.reference, stop)
            .or_else(|| {
                let is_same = self.previous_stop == Some(walked.stop)
                    && self.previous.get(..self.previous_len) == Some(walked.return_addresses);
                (is_same != walked.is_same).then_some("`is_same` is wrong")
            })
            .or_else(|| {
                distinct::add(walked.return_addresses, walked.stop as u64, walked.hash).err()
            });
        if let Some(fault) = fault {
            mismatch::exit(fault, walked.return_addresses, walked.stop, expected);
        }
        self.previous_len = walked.return_addresses.len();
        self.previous_stop = Some(walked.stop);
        self.previous[..self.previous_len].copy_from_slice(walked.return_addresses);
        CAPTURES.fetch_add(1, Ordering::Relaxed);
    }
}

/// What is wrong with a walk.
fn fault(
    walked: &[usize],
    stop: Stop,
    expected: &[usize],
    reference: &Reference,
    part: Option<Stop>,
) -> Option<&'static str> {
    let wanted = match part {
        None => expected,
        Some(_) => expected.get(..walked.len()).unwrap_or(expected),
    };
    if !walked.iter().rev().eq(wanted) {
        return Some("the return addresses differ");
    }
    (stop != part.unwrap_or(reference.stop())).then_some("it did not end as it should")
}
