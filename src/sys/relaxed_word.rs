//! Hot: `RelaxedWord`, relaxed loads and stores of atomics, for what happens at each scope.
//!
//! Unoptimised, the methods of atomics are calls upon calls, of 30 instructions. There an aligned
//! `mov` does the same.
//!
//! Relies on: x86_64, whose aligned loads and stores of up to eight bytes are atomic.
#![allow(unsafe_code)]

#[cfg(target_has_atomic = "64")]
use std::sync::atomic::AtomicI64;
#[allow(unused_imports)] // Unoptimised, all of x86_64 is assembly.
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

#[cfg(not(target_has_atomic = "64"))]
use super::atomic64::AtomicI64;

pub(crate) trait RelaxedWord {
    type Value;

    /// A relaxed load.
    fn get(&self) -> Self::Value;

    /// A relaxed store.
    fn set(&self, value: Self::Value);

    /// A relaxed store of what the current thread alone writes.
    #[inline(always)]
    fn set_own(&self, value: Self::Value) {
        self.set(value);
    }

    /// A relaxed load, at every event. Where there are no atomics of this size, the halves may be
    /// those of two values, of which the later was stored meanwhile.
    #[inline(always)]
    fn glance(&self) -> Self::Value {
        self.get()
    }
}

macro_rules! relaxed {
    ($atomic:ty, $value:ty, $load:literal, $store:literal) => {
        impl RelaxedWord for $atomic {
            type Value = $value;

            #[inline(always)]
            fn get(&self) -> $value {
                #[cfg(all(
                    debug_assertions,
                    target_arch = "x86_64",
                    target_pointer_width = "64",
                    not(miri)
                ))]
                {
                    let value: $value;
                    // SAFETY: reads this value, as a reference to it may.
                    unsafe {
                        std::arch::asm!(
                            $load,
                            value = out(reg) value,
                            at = in(reg) self as *const Self,
                            options(nostack, preserves_flags, readonly),
                        );
                    }
                    value
                }
                #[cfg(not(all(
                    debug_assertions,
                    target_arch = "x86_64",
                    target_pointer_width = "64",
                    not(miri)
                )))]
                self.load(Ordering::Relaxed)
            }

            #[inline(always)]
            fn set(&self, value: $value) {
                #[cfg(all(
                    debug_assertions,
                    target_arch = "x86_64",
                    target_pointer_width = "64",
                    not(miri)
                ))]
                // SAFETY: writes this value, which a reference may, since it is atomic.
                unsafe {
                    std::arch::asm!(
                        $store,
                        value = in(reg) value,
                        at = in(reg) self as *const Self,
                        options(nostack, preserves_flags),
                    );
                }
                #[cfg(not(all(
                    debug_assertions,
                    target_arch = "x86_64",
                    target_pointer_width = "64",
                    not(miri)
                )))]
                self.store(value, Ordering::Relaxed);
            }
        }
    };
}
#[cfg(target_has_atomic = "64")]
relaxed!(AtomicI64, i64, "mov {value}, [{at}]", "mov [{at}], {value}");
relaxed!(AtomicUsize, usize, "mov {value}, [{at}]", "mov [{at}], {value}");
relaxed!(AtomicU32, u32, "mov {value:e}, [{at}]", "mov [{at}], {value:e}");

#[cfg(not(target_has_atomic = "64"))]
impl RelaxedWord for AtomicI64 {
    type Value = i64;

    #[inline]
    fn get(&self) -> i64 {
        self.load(Ordering::Relaxed)
    }

    #[inline]
    fn set(&self, value: i64) {
        self.store(value, Ordering::Relaxed);
    }

    #[inline]
    fn set_own(&self, value: i64) {
        self.store_own(value);
    }

    #[inline]
    fn glance(&self) -> i64 {
        AtomicI64::glance(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{AtomicI64, AtomicU32, AtomicUsize, RelaxedWord};

    #[test]
    fn what_is_set_is_what_others_load_and_what_others_store_is_what_is_read() {
        macro_rules! check {
            ($atomic:ty, $value:expr) => {
                let words = [<$atomic>::new(1), <$atomic>::new(2), <$atomic>::new(3)];
                words[1].set($value);
                assert_eq!([0, 1, 2].map(|at| words[at].get()), [1, $value, 3]);
                assert_eq!(words.map(<$atomic>::into_inner), [1, $value, 3]);
            };
        }
        check!(AtomicI64, i64::MIN + 5);
        check!(AtomicUsize, usize::MAX - 5);
        check!(AtomicU32, u32::MAX - 5);
    }
}
