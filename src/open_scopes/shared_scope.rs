//! Hot: `SharedScope`, a scope that other threads add to. Its own thread counts it by an entry, as
//! any scope. Each thread that is attached has a [`Share`] of it, and what the scope has counted is
//! the sum. Handles and entries keep it alive by a count of references. It is never freed, but used
//! again by a later scope.
//!
//! Relies on: a pool lends a scope to one thread at a time; whoever looks at a scope holds a
//! [`SharedScopeRef`].
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{fence, AtomicBool, AtomicUsize};

use super::share::Share;
use crate::blocks::Tracked;
use crate::counters::{AtomicCounts, Counts, Sums};
use crate::stacks::{SharedSums, SiteCounts, Stack, Watch};
use crate::sys::{Links, OutOfMemory, Pool, Pooled, SystemVec};

static SCOPES: Pool<SharedScope> = Pool::new();

pub(crate) struct SharedScope {
    references: AtomicUsize,
    has_ended: AtomicBool,
    has_warned: AtomicBool,
    /// A thread was detached in the middle of an uncounted stretch.
    is_still_uncounted: AtomicBool,
    setup: UnsafeCell<Setup>,
    sums: SharedSums,
    shares: Pool<Share>,
    /// What the shares had counted when the scope ended.
    counted: AtomicCounts,
    links: Links<SharedScope>,
}

/// What does not change while anybody refers to it.
struct Setup {
    watch: Watch,
    is_recording: bool,
    tracked: Option<Tracked>,
    /// The scopes around it on its own thread, outermost first. Whoever attaches to it attaches to
    /// them too.
    enclosing: SystemVec<&'static SharedScope>,
}

// SAFETY: `setup` is written only by a thread that has just taken the scope from the pool, before
// anyone else knows of it, or that gives it back, when nobody else does any more; the rest is
// `Sync`.
unsafe impl Sync for SharedScope {}

impl Pooled for SharedScope {
    const NEW: Self = Self {
        references: AtomicUsize::new(0),
        has_ended: AtomicBool::new(false),
        has_warned: AtomicBool::new(false),
        is_still_uncounted: AtomicBool::new(false),
        setup: UnsafeCell::new(Setup {
            watch: Watch::NOTHING,
            is_recording: false,
            tracked: None,
            enclosing: SystemVec::new(),
        }),
        sums: SharedSums::new(),
        shares: Pool::new(),
        counted: AtomicCounts::zero(),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// A reference that keeps the scope alive.
pub(crate) struct SharedScopeRef(&'static SharedScope);

/// What the attached threads have counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Others {
    pub(crate) counts: Counts,
    /// The highest net bytes of the whole scope since it was shared, those of its own thread
    /// included. They are above the scope's start, or for a future above the start of the poll that
    /// shared it. `None` if nobody asked for them.
    pub(crate) highest: Option<i64>,
    /// Allocation events in uncounted stretches.
    pub(crate) uncounted: i64,
    /// Whether a thread was detached in the middle of an uncounted stretch that it had left without
    /// ending it.
    pub(crate) is_still_uncounted: bool,
}

impl SharedScopeRef {
    /// A scope that has come to `now`, and whose highest net bytes were `highest`. `None` without
    /// memory.
    pub(crate) fn new<'a>(
        watch: Watch,
        is_recording: bool,
        tracked: Option<Tracked>,
        enclosing: impl Iterator<Item = &'a SharedScopeRef>,
        now: Sums,
        highest: i64,
    ) -> Option<Self> {
        let shared = SCOPES.take()?;
        shared.references.store(1, Relaxed);
        shared.has_ended.store(false, Relaxed);
        shared.has_warned.store(false, Relaxed);
        shared.is_still_uncounted.store(false, Relaxed);
        shared.sums.begin(now, highest);
        let this = Self(shared);
        // SAFETY: just taken from the pool: nobody else knows of it yet.
        let setup = unsafe { &mut *shared.setup.get() };
        setup.watch = watch;
        setup.is_recording = is_recording;
        setup.tracked = tracked;
        // Whoever refers to the scope may note a size.
        if let Some(largest) = tracked.and_then(|tracked| tracked.largest) {
            largest.join();
        }
        setup.enclosing.clear();
        for outer in enclosing {
            setup.enclosing.push(outer.0).ok()?;
            outer.retain();
        }
        Some(this)
    }

    /// The scopes around it, outermost first, and then itself.
    pub(crate) fn with_enclosing(&self) -> impl Iterator<Item = Self> + '_ {
        let enclosing = self.setup().enclosing.as_slice().iter().copied();
        enclosing.chain([self.0]).map(|scope| {
            scope.retain();
            Self(scope)
        })
    }
}

impl Clone for SharedScopeRef {
    fn clone(&self) -> Self {
        self.retain();
        Self(self.0)
    }
}

impl Drop for SharedScopeRef {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl std::ops::Deref for SharedScopeRef {
    type Target = SharedScope;

    fn deref(&self) -> &SharedScope {
        self.0
    }
}

impl SharedScope {
    fn retain(&self) {
        self.references.fetch_add(1, Relaxed);
    }

    fn release(&'static self) {
        if self.references.fetch_sub(1, AcqRel) > 1 {
            return;
        }
        for share in self.shares.iter() {
            share.clear();
        }
        // SAFETY: the last reference is gone: nobody else knows of it.
        let setup = unsafe { &mut *self.setup.get() };
        if let Some(largest) = setup.tracked.take().and_then(|tracked| tracked.largest) {
            largest.give_back();
        }
        // Those were around it on one thread, so they are few, and none of them encloses itself.
        for outer in setup.enclosing.as_slice() {
            outer.release();
        }
        setup.enclosing.clear();
        self.links.give_back();
    }

    fn setup(&self) -> &Setup {
        // SAFETY: not written while anybody holds a reference.
        unsafe { &*self.setup.get() }
    }

    pub(crate) fn watch(&self) -> Watch {
        self.setup().watch
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.setup().is_recording
    }

    pub(crate) fn tracked(&self) -> Option<Tracked> {
        self.setup().tracked
    }

    pub(crate) fn sums(&self) -> &SharedSums {
        &self.sums
    }

    /// The scope is over. Whoever attaches later finds that out, and what it has counted stays as
    /// it is.
    pub(crate) fn end(&self) {
        if self.has_ended() {
            return;
        }
        self.counted.store(self.count_shares());
        self.has_ended.store(true, Release);
        // A thread that attaches at this moment takes its share first, and asks afterwards.
        fence(SeqCst);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Acquire)
    }

    /// Whether this is the first time that it is asked.
    pub(crate) fn warns_first(&self) -> bool {
        !self.has_warned.swap(true, Relaxed)
    }

    /// What a thread did in an uncounted stretch that it has left without its end is in nobody's
    /// numbers.
    pub(crate) fn note_still_uncounted(&self) {
        self.is_still_uncounted.store(true, Relaxed);
    }

    /// A share for the current thread; `Ok(None)` if the scope has ended.
    pub(crate) fn lend_share(&self) -> Result<Option<&'static Share>, OutOfMemory> {
        let share = self.shares.take().ok_or(OutOfMemory)?;
        fence(SeqCst);
        if self.has_ended() {
            share.links().give_back();
            return Ok(None);
        }
        Ok(Some(share))
    }

    /// What the attached threads have counted, so far or until the end.
    pub(crate) fn others(&self) -> Others {
        let counts = if self.has_ended() { self.counted.load() } else { self.count_shares() };
        let highest = self.watch().peak.then(|| self.sums.highest());
        Others {
            counts,
            highest,
            uncounted: self.shares.iter().map(Share::uncounted).sum(),
            is_still_uncounted: self.is_still_uncounted.load(Relaxed),
        }
    }

    fn count_shares(&self) -> Counts {
        let mut counts = Counts::ZERO;
        for share in self.shares.iter() {
            counts += share.read();
        }
        counts
    }

    /// How many threads are attached by a guard.
    pub(crate) fn attached(&self) -> usize {
        self.shares.iter().filter(|share| share.is_attached()).count()
    }

    /// Shows `visit` what the attached threads have counted at each stack, with `None` for events
    /// without one, and whether one of them attached there.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Option<&'static Stack>, &SiteCounts, bool)) {
        for share in self.shares.iter() {
            share.sites().visit(visit);
        }
    }

    /// The first event past a limit, since the scope was shared.
    pub(crate) fn first_overrun(&self) -> Option<(u64, Option<&'static Stack>)> {
        self.sums.first_overrun()
    }

    pub(crate) fn is(&self, other: &SharedScope) -> bool {
        ptr::eq(self, other)
    }
}
