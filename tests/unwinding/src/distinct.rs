//! The stacks so far, by their hash. They are counted, and equal walks must have equal hashes.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const PLACES: usize = 1 << 20;

/// A hash of this file's own, and the walker's.
type Entry = (u64, u64);

struct Table {
    is_locked: AtomicBool,
    count: AtomicU64,
    /// An entry whose first hash is 0 is free. Its memory is untouched until it is used.
    entries: UnsafeCell<[Entry; PLACES]>,
}

// SAFETY: `entries` is used by the thread that set `is_locked` only.
unsafe impl Sync for Table {}

static TABLE: Table = Table {
    is_locked: AtomicBool::new(false),
    count: AtomicU64::new(0),
    entries: UnsafeCell::new([(0, 0); PLACES]),
};

pub(crate) fn count() -> u64 {
    TABLE.count.load(Ordering::Relaxed)
}

/// Adds a stack. `Err` says what is wrong with it. It never allocates, and waits for other threads
/// without sleeping.
pub(crate) fn add(addresses: &[usize], stop: u64, hash: u64) -> Result<(), &'static str> {
    let own = addresses.iter().fold(stop | 1 << 32, |hash, address| {
        (hash ^ *address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    }) | 1;
    while TABLE.is_locked.swap(true, Ordering::Acquire) {
        std::hint::spin_loop();
    }
    // SAFETY: the table is locked.
    let entries = unsafe { &mut *TABLE.entries.get() };
    let result = add_to(entries, (own, hash));
    TABLE.is_locked.store(false, Ordering::Release);
    result
}

fn add_to(entries: &mut [Entry; PLACES], entry: Entry) -> Result<(), &'static str> {
    let mut at = (entry.0 >> 20) as usize % PLACES;
    loop {
        match entries[at] {
            (0, _) => break,
            known if known.0 != entry.0 => at = (at + 1) % PLACES,
            known if known.1 == entry.1 => return Ok(()),
            _ => return Err("equal walks have different hashes"),
        }
    }
    entries[at] = entry;
    if TABLE.count.fetch_add(1, Ordering::Relaxed) as usize == PLACES / 4 * 3 {
        return Err("the table of this test is too small");
    }
    Ok(())
}
