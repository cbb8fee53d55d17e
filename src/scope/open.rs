//! Cold: opens the scopes that `threads` keeps, and panics where there is no memory for one.

use crate::open_scopes::Kind;
use crate::stacks::FirstOverrun;
use crate::threads::{self, OpenScope, Track, Tracking};

#[track_caller]
#[inline]
pub(super) fn open(kind: Kind, tag: u64, wants_peak: bool) -> OpenScope {
    match threads::open(kind, tag, wants_peak) {
        Ok(frame) => frame,
        Err(_) => not_opened(),
    }
}

#[track_caller]
pub(super) fn open_uncounted(at: usize) -> OpenScope {
    match threads::open_uncounted(at) {
        Ok(frame) => frame,
        Err(_) => not_opened(),
    }
}

#[track_caller]
pub(super) fn open_recording(tag: u64, wants_peak: bool, first_overrun: FirstOverrun) -> OpenScope {
    match threads::open_recording(tag, wants_peak, first_overrun) {
        Ok(frame) => frame,
        Err(_) => not_opened(),
    }
}

#[cold]
#[track_caller]
pub(super) fn not_opened() -> ! {
    panic!("no memory for this thread's allocation counters")
}

#[track_caller]
pub(super) fn track(wanted: Track) -> Tracking {
    match threads::track(wanted) {
        Some(tracking) => tracking,
        None => panic!("no memory for the table of live blocks"),
    }
}
