//! Hot: `AtomicI64` and `AtomicU64` for processors that have none: two halves, and one lock for all
//! of them. Elsewhere, those of the standard library are used.
//!
//! In plain words: whoever reads or writes both halves has the lock meanwhile, so nobody sees the
//! halves of two values. But what a thread counts is written by that thread alone, and at every
//! event. It takes the lock only when the upper half changes, once in 4 GiB. Else it stores the
//! lower half, and others read the value from before or the one from after.
//!
//! Nobody waits for ever. A thread may have the lock that is no more, since the process was forked;
//! and it may be this one, if a signal handler has interrupted it. So after a while, the lock
//! counts as free. Attempts would not tell: ten thousand take milliseconds on an idle processor,
//! less than a thread may be kept from running, and a minute on a busy one.
//!
//! Relies on: `sched_yield` lets other threads run, so that a thread that has the lock and is at
//! work gives it back within [`PATIENCE`].
#![allow(unsafe_code)]

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, Instant};

static IS_LOCKED: AtomicBool = AtomicBool::new(false);

const PATIENCE: Duration = Duration::from_secs(1);

fn let_others_run() {
    #[cfg(all(unix, not(miri)))]
    // SAFETY: it touches no memory.
    unsafe {
        super::threads::sched_yield();
    }
    #[cfg(not(all(unix, not(miri))))]
    std::hint::spin_loop();
}

#[inline]
fn locked<R>(work: impl FnOnce() -> R) -> R {
    if IS_LOCKED.swap(true, Acquire) {
        wait_for_lock();
    }
    let result = work();
    IS_LOCKED.store(false, Release);
    result
}

#[cold]
fn wait_for_lock() {
    let start = Instant::now();
    while IS_LOCKED.swap(true, Acquire) && start.elapsed() < PATIENCE {
        let_others_run();
    }
}

/// Two halves, in the order in which the processor has those of a whole. So the only one who
/// writes it may read it as a whole.
#[repr(C, align(8))]
struct Halves([AtomicU32; 2]);

impl Halves {
    const fn new(value: u64) -> Self {
        let (lower, upper) = (AtomicU32::new(value as u32), AtomicU32::new((value >> 32) as u32));
        Self(if cfg!(target_endian = "little") { [lower, upper] } else { [upper, lower] })
    }

    #[inline]
    fn lower(&self) -> &AtomicU32 {
        let [first, second] = &self.0;
        if cfg!(target_endian = "little") {
            first
        } else {
            second
        }
    }

    #[inline]
    fn upper(&self) -> &AtomicU32 {
        let [first, second] = &self.0;
        if cfg!(target_endian = "little") {
            second
        } else {
            first
        }
    }

    #[inline]
    fn read(&self) -> u64 {
        u64::from(self.upper().load(Relaxed)) << 32 | u64::from(self.lower().load(Relaxed))
    }

    #[inline]
    fn write(&self, value: u64) {
        self.upper().store((value >> 32) as u32, Relaxed);
        self.lower().store(value as u32, Relaxed);
    }

    #[inline]
    fn write_own(&self, value: u64) {
        if self.upper().load(Relaxed) == (value >> 32) as u32 {
            self.lower().store(value as u32, Relaxed);
        } else {
            locked(|| self.write(value));
        }
    }
}

/// The interface of `std::sync::atomic`, as far as the library uses it. The lock orders more than
/// any `Ordering` asks for.
macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[repr(transparent)]
        pub(crate) struct $name(Halves);

        #[allow(dead_code)] // Both have the same.
        impl $name {
            pub(crate) const fn new(value: $value) -> Self {
                Self(Halves::new(value as u64))
            }

            /// # Safety
            /// The value is aligned to 8, lives for so long, and is written atomically meanwhile,
            /// or by the current thread alone.
            pub(crate) unsafe fn from_ptr<'a>(value: *mut $value) -> &'a Self {
                // SAFETY: of the same size, and any bits are valid; the rest is the contract.
                unsafe { &*value.cast::<Self>() }
            }

            pub(crate) fn into_inner(self) -> $value {
                self.0.read() as $value
            }

            pub(crate) fn load(&self, _: Ordering) -> $value {
                locked(|| self.0.read()) as $value
            }

            pub(crate) fn store(&self, value: $value, _: Ordering) {
                locked(|| self.0.write(value as u64));
            }

            /// Stores what the current thread alone writes.
            #[inline]
            pub(crate) fn store_own(&self, value: $value) {
                self.0.write_own(value as u64);
            }

            /// Both halves, which may be those of two values.
            #[inline]
            pub(crate) fn glance(&self) -> $value {
                self.0.read() as $value
            }

            pub(crate) fn swap(&self, value: $value, _: Ordering) -> $value {
                self.change(|_| value)
            }

            pub(crate) fn fetch_add(&self, amount: $value, _: Ordering) -> $value {
                self.change(|now| now.wrapping_add(amount))
            }

            pub(crate) fn fetch_sub(&self, amount: $value, _: Ordering) -> $value {
                self.change(|now| now.wrapping_sub(amount))
            }

            pub(crate) fn fetch_max(&self, other: $value, _: Ordering) -> $value {
                self.change(|now| now.max(other))
            }

            pub(crate) fn compare_exchange(
                &self,
                expected: $value,
                new: $value,
                _: Ordering,
                _: Ordering,
            ) -> Result<$value, $value> {
                let before = self.change(|now| if now == expected { new } else { now });
                if before == expected {
                    Ok(before)
                } else {
                    Err(before)
                }
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                expected: $value,
                new: $value,
                on_success: Ordering,
                on_failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(expected, new, on_success, on_failure)
            }

            fn change(&self, change: impl FnOnce($value) -> $value) -> $value {
                locked(|| {
                    let before = self.0.read() as $value;
                    self.0.write(change(before) as u64);
                    before
                })
            }
        }
    };
}
atomic!(AtomicI64, i64);
atomic!(AtomicU64, u64);

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread;

    use super::{AtomicI64, AtomicU64, IS_LOCKED};

    /// Values on both sides of where the upper half changes.
    const VALUES: [i64; 8] =
        [0, 1, -1, i64::MIN, i64::MAX, (1 << 32) - 1, 1 << 32, -(1 << 62) + (1 << 31)];

    /// Where one test keeps the lock, those that share values would wait, and all take it at once.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(target_has_atomic = "64")]
    #[test]
    fn it_does_what_std_s_do() {
        for first in VALUES {
            for second in VALUES {
                let own = AtomicI64::new(first);
                let std = std::sync::atomic::AtomicI64::new(first);
                macro_rules! same {
                    ($method:ident($($argument:expr),*)) => {
                        assert_eq!(own.$method($($argument),*), std.$method($($argument),*));
                        assert_eq!(own.load(Relaxed), std.load(Relaxed));
                    };
                }
                same!(fetch_add(second, Relaxed));
                same!(fetch_max(second, Relaxed));
                same!(fetch_sub(second, Relaxed));
                same!(compare_exchange(first, second, Relaxed, Relaxed));
                same!(compare_exchange(second, first, Relaxed, Relaxed));
                same!(swap(first, Relaxed));
                same!(store(second, Relaxed));
                own.store_own(first);
                assert_eq!([own.glance(), own.load(Relaxed), own.into_inner()], [first; 3]);
                let own = AtomicU64::new(first as u64);
                own.fetch_max(second as u64, Relaxed);
                assert_eq!(own.into_inner(), (first as u64).max(second as u64));
            }
        }
    }

    #[test]
    fn its_bits_are_those_of_the_value() {
        #[repr(align(8))]
        struct Aligned(i64);

        for value in VALUES {
            let mut aligned = Aligned(value);
            // SAFETY: a local value that nobody else uses, aligned.
            let own = unsafe { AtomicI64::from_ptr(&mut aligned.0) };
            own.fetch_add(2, Relaxed);
            own.store_own(own.load(Relaxed).wrapping_add(1));
            assert_eq!(aligned.0, value.wrapping_add(3));
        }
    }

    /// The upper half changes at each step, in both directions.
    #[test]
    fn nobody_sees_the_halves_of_two_values() {
        const STEP: i64 = (1 << 32) + 1;
        const CHANGES: u32 = 20;
        let _alone = alone();
        let value = &AtomicI64::new(0);
        thread::scope(|threads| {
            // However late it begins, it goes on until it has read enough.
            let reader = threads.spawn(move || {
                let (mut changes, mut before) = (0, 0);
                while changes < CHANGES {
                    let now = value.load(Relaxed);
                    assert!(now % STEP == 0, "{now:#x} has the halves of two values");
                    changes += u32::from(now != before);
                    before = now;
                }
            });
            // What the owner reads of its own is what it has stored last.
            for at in (0..7).cycle().take_while(|_| !reader.is_finished()) {
                value.store_own(at * STEP);
                assert_eq!(value.glance(), at * STEP);
            }
        });
    }

    #[test]
    fn no_addition_is_lost() {
        const ROUNDS: i64 = 2_000;
        let _alone = alone();
        let value = &AtomicI64::new(0);
        thread::scope(|threads| {
            for amount in [1, -(1 << 40), (1 << 33) + 7] {
                threads.spawn(move || {
                    for _ in 0..ROUNDS {
                        value.fetch_add(amount, Relaxed);
                    }
                });
            }
        });
        assert_eq!(value.load(Relaxed), ROUNDS * (1 - (1 << 40) + (1 << 33) + 7));
    }

    /// In a forked process, and in a signal handler.
    #[test]
    fn a_lock_that_nobody_gives_back_counts_as_free() {
        let _alone = alone();
        let value = AtomicI64::new(5);
        IS_LOCKED.store(true, Relaxed);
        assert_eq!(value.fetch_add(1 << 40, Relaxed), 5);
        assert_eq!(value.load(Relaxed), 5 + (1 << 40));
    }
}
