//! Hot: `Pool`, a lock-free list of things that are lent, given back and lent again, and never
//! freed: anyone may read any of them at any time. For what threads, scopes and profilers use one
//! after another. Memory comes from the system directly, so that none of it is counted.

use std::iter;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::link::Link;
use super::memory;

pub(crate) trait Pooled: Sync + Sized + 'static {
    const NEW: Self;
    fn links(&self) -> &Links<Self>;
}

/// What a pool needs inside each of its items.
pub(crate) struct Links<T> {
    /// Fixed once the item is in the list.
    next: Link<T>,
    users: AtomicUsize,
}

impl<T: Pooled> Links<T> {
    /// Of an item in use.
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each new item.
    pub(crate) const NEW: Self = Self { next: Link::NONE, users: AtomicUsize::new(1) };

    pub(crate) fn in_use(&self) -> bool {
        self.users.load(Relaxed) > 0
    }

    /// Whoever took an item gives it back once, and so does whoever joined. What its users wrote is
    /// visible to whoever takes it next.
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
    first: Link<T>,
}

impl<T: Pooled> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self { first: Link::NONE }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> {
        iter::successors(self.first.get(), |item| item.links().next.get())
    }

    /// An item that nobody uses, now in use; `None` without memory.
    pub(crate) fn take(&self) -> Option<&'static T> {
        self.iter().find(|item| item.links().take()).or_else(|| self.allocate())
    }

    fn allocate(&self) -> Option<&'static T> {
        let item = memory::keep_new(|| T::NEW)?;
        self.first.push(item, &item.links().next);
        Some(item)
    }
}
