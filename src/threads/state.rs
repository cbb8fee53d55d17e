//! Hot: `ThreadState`, what the library keeps of one thread: its counters, which anyone may read,
//! and what the thread alone may touch, above all the scopes that are open on it.
//!
//! Relies on: states live for ever, and the pool lends one to one thread at a time.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::mem::align_of;
use std::ptr;

use super::interruptions::Interruptions;
use crate::counters::current::{self, CurrentLine};
use crate::counters::{Counts, Registration, ThreadCounters};
use crate::open_scopes::ScopeStack;
use crate::stacks::Tracer;
use crate::sys::{Links, OwnFlag, Pooled};

/// What a state on loan stands in for. That is a dummy, past the thread's end or where the library
/// is at work for itself, or a state that is busy.
#[derive(Clone, Copy)]
pub(super) struct Loan {
    /// What the thread's pointer was at before.
    pub(super) before: CurrentLine,
    /// What the state on loan had counted then.
    pub(super) start: Counts,
}

/// What there is of one thread. Allocated once, never freed, handed from a thread that has ended to
/// one that starts.
#[repr(C, align(128))]
pub(crate) struct ThreadState {
    /// First, so that the thread-local pointer at its line is a pointer at the state as well.
    pub(super) counters: ThreadCounters,
    /// The highest net bytes since the last flush, up to the present peak segment. Only the owner
    /// uses this and what follows.
    pub(super) flush_high: Cell<i64>,
    /// Adopted for as long as a scope is open on it.
    pub(super) loan: Cell<Option<Loan>>,
    /// The scopes or the tracer are in use. What a signal handler does meanwhile is kept in
    /// `interruptions`.
    pub(super) is_busy: OwnFlag,
    pub(super) interruptions: Interruptions,
    /// Null until the thread first records.
    pub(super) tracer: Cell<*mut Tracer>,
    /// Not borrowed while anything may allocate through `ModAlloc`.
    pub(super) scopes: UnsafeCell<ScopeStack>,
    links: Links<ThreadState>,
}

// SAFETY: the counters and the links of the pool are `Sync`; the cells are used by the owning
// thread only, and ownership passes through the pool with acquire and release.
unsafe impl Sync for ThreadState {}

const _: () = assert!(align_of::<ThreadState>() == 128);

impl Pooled for ThreadState {
    const NEW: Self = Self {
        counters: ThreadCounters::NEW,
        flush_high: Cell::new(0),
        loan: Cell::new(None),
        is_busy: OwnFlag::UNSET,
        interruptions: Interruptions::NONE,
        tracer: Cell::new(ptr::null_mut()),
        scopes: UnsafeCell::new(ScopeStack::new()),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl ThreadState {
    /// The current thread's, if it has one and the library is not at work for itself. The line is
    /// handed in, for in unoptimised builds it takes a fifth of a kilobyte of stack to ask for it.
    #[inline]
    pub(super) fn of(current: CurrentLine) -> Option<&'static Self> {
        // By a pattern: unoptimised, to compare them is 25 instructions.
        if !matches!(current.registration(), Registration::Registered) {
            return None;
        }
        // SAFETY: such a line is the beginning of a `ThreadState` by the contract of `set_line`; it
        // was set by `make_current`, so the state lives for ever.
        Some(unsafe { &*current.as_ptr().cast::<Self>() })
    }

    /// Makes this the state of the current thread.
    ///
    /// # Safety
    /// The current thread alone owns the state, until it has another.
    pub(super) unsafe fn make_current(&'static self) {
        // SAFETY: the line is the first thing of the state, which the caller promises to own.
        unsafe { current::set_line((self as *const Self).cast()) };
    }

    pub(super) fn is_on_loan(&self) -> bool {
        self.loan.get().is_some()
    }
}
