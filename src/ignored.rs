//! Cold: `Ignored`, a value of the library's own whose memory counts nowhere. It is made, changed
//! and dropped while the thread's events are ignored.
//!
//! Relies on: nobody but `Ignored` takes the value out, and it does so once.
#![allow(unsafe_code)]

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use crate::counters::{self, AtWork};

/// It is no bigger than `T`, and has the same niche.
#[derive(Debug)]
pub(crate) struct Ignored<T> {
    value: ManuallyDrop<T>,
}

impl<T> Ignored<T> {
    /// `make` must not run code of the user's.
    pub(crate) fn new(make: impl FnOnce(AtWork<'_>) -> T) -> Self {
        counters::ignored(|at_work| Self::of(at_work, make(at_work)))
    }

    /// Keeps a value that was made while events were ignored.
    pub(crate) fn of(_: AtWork<'_>, value: T) -> Self {
        Self { value: ManuallyDrop::new(value) }
    }

    /// Hands the value to `work`, which must not run code of the user's.
    #[cfg(feature = "dhat-compat")]
    pub(crate) fn into_inner<R>(self, work: impl FnOnce(AtWork<'_>, T) -> R) -> R {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used after this, and is not dropped.
        let value = unsafe { ManuallyDrop::take(&mut this.value) };
        counters::ignored(|at_work| work(at_work, value))
    }

    /// Lends the value to `work`, which must not run code of the user's.
    pub(crate) fn change<R>(&mut self, work: impl FnOnce(&mut T) -> R) -> R {
        counters::ignored(|_| work(&mut self.value))
    }
}

impl<T> Deref for Ignored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Ignored<T> {
    fn drop(&mut self) {
        // SAFETY: `self` is being dropped: nothing uses `value` after this.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        counters::ignored(|_| drop(value));
    }
}

/// Text that a user's `Display` may write to. Only the appending is ignored.
impl fmt::Write for Ignored<String> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.change(|value| value.push_str(text));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::mem::size_of;

    use super::Ignored;
    use crate::measure;

    #[test]
    fn it_counts_nowhere_but_what_its_user_does_counts() {
        let ((), stats) = measure(|| {
            let mut text = Ignored::new(|_| String::from("a"));
            write!(text, "{}", String::from("counted")).expect("it always succeeds");
            assert_eq!(*text, "acounted");
        });
        assert_eq!((stats.alloc_count, stats.dealloc_count, stats.total_bytes), (1, 1, 7));
        assert_eq!(size_of::<Option<Ignored<Box<u8>>>>(), size_of::<Box<u8>>());
    }
}
