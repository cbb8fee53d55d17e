//! Hot: `Link`, which leads to something that lives for ever, or to nothing, and can be changed
//! while any thread looks at it. What lists and sets are made of, to which any thread adds.
//!
//! Relies on: only a `&'static T` is put in.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// All zeros leads to nothing.
#[repr(transparent)]
pub(crate) struct Link<T>(AtomicPtr<T>);

impl<T: Sync + 'static> Link<T> {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    pub(crate) const NONE: Self = Self(AtomicPtr::new(ptr::null_mut()));

    /// Whoever gets it sees all that was done before it was put in.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or made of a `&'static T` by one of the functions below.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    pub(crate) fn set(&self, to: Option<&'static T>) {
        self.0.store(to.map_or(ptr::null_mut(), pointer), Release);
    }

    /// Leads to nothing from now on; what it has led to.
    pub(crate) fn take(&self) -> Option<&'static T> {
        // SAFETY: as in `get`.
        unsafe { self.0.swap(ptr::null_mut(), AcqRel).as_ref() }
    }

    /// Leads to `to` from now on, if it leads to nothing.
    pub(crate) fn fill(&self, to: &'static T) -> bool {
        self.0.compare_exchange(ptr::null_mut(), pointer(to), AcqRel, Relaxed).is_ok()
    }

    /// Leads to `to` from now on, if it leads to `from`.
    pub(crate) fn replace(&self, from: &'static T, to: &'static T) {
        let _ = self.0.compare_exchange(pointer(from), pointer(to), AcqRel, Relaxed);
    }

    /// Puts `item` in front of the list that begins here; `next` is its link to the one behind it.
    pub(crate) fn push(&self, item: &'static T, next: &Self) {
        let mut first = self.0.load(Relaxed);
        loop {
            next.0.store(first, Relaxed);
            // With this item, all behind it are published anew.
            match self.0.compare_exchange_weak(first, pointer(item), AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }
}

fn pointer<T>(to: &'static T) -> *mut T {
    (to as *const T).cast_mut()
}
