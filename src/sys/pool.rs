//! Hot: `Pool`, a lock-free list of things that are lent, given back and lent again, and never
//! freed: anyone may read any of them at any time. For states and for observers of the peak. Memory
//! comes from the system directly, so that none of it is counted.
//!
//! Relies on: memory of `memory::keep` belongs to nobody else and is never freed; an item is
//! written before the compare-and-swap that publishes it.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::iter;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use crate::sys::memory;

pub(crate) trait Pooled: Sync + Sized + 'static {
    const NEW: Self;
    fn links(&self) -> &Links<Self>;
}

/// What a pool needs inside each of its items.
pub(crate) struct Links<T> {
    /// Fixed once the item is in the list.
    next: AtomicPtr<T>,
    users: AtomicUsize,
}

impl<T> Links<T> {
    /// Of an item in use.
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each new item.
    pub(crate) const NEW: Self =
        Self { next: AtomicPtr::new(ptr::null_mut()), users: AtomicUsize::new(1) };

    pub(crate) fn in_use(&self) -> bool {
        self.users.load(Relaxed) > 0
    }

    /// Who took an item gives it back once, and so does who joined. What its users wrote is visible
    /// to who takes it next.
    pub(crate) fn give_back(&self) {
        self.users.fetch_sub(1, Release);
    }

    /// Uses an item beside others, so that nobody takes it as free. If nobody used it any more, it
    /// may be another's by now, or become so; then it is to be given back at once, without a look
    /// at it.
    pub(crate) fn join(&self) {
        // What was done before the item was given back is visible from here on.
        self.users.fetch_add(1, Acquire);
    }

    fn take(&self) -> bool {
        !self.in_use() && self.users.compare_exchange(0, 1, AcqRel, Relaxed).is_ok()
    }
}

pub(crate) struct Pool<T> {
    first: AtomicPtr<T>,
}

impl<T: Pooled> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self { first: AtomicPtr::new(ptr::null_mut()) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> {
        // SAFETY: a pointer in the list came from `allocate`, which initialised it; items are never
        // freed.
        let at = |link: &AtomicPtr<T>| unsafe { link.load(Acquire).as_ref() };
        iter::successors(at(&self.first), move |item| at(&item.links().next))
    }

    /// An item that nobody uses, now in use; `None` without memory.
    pub(crate) fn take(&self) -> Option<&'static T> {
        self.iter().find(|item| item.links().take()).or_else(|| self.allocate())
    }

    fn allocate(&self) -> Option<&'static T> {
        let memory: *mut T = memory::keep(Layout::new::<T>()).cast();
        if memory.is_null() {
            return None;
        }
        // SAFETY: `memory` is fresh, and of the layout of a `T`.
        unsafe { memory.write(T::NEW) };
        // SAFETY: initialised above, and never freed.
        let item = unsafe { &*memory };
        let mut first = self.first.load(Relaxed);
        loop {
            item.links().next.store(first, Relaxed);
            match self.first.compare_exchange_weak(first, memory, Release, Relaxed) {
                Ok(_) => return Some(item),
                Err(now) => first = now,
            }
        }
    }
}
