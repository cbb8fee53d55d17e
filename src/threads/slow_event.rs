//! Hot: the slow half of an event, on the current thread's own state: counts it, and tells everyone
//! who wants to know of it. If the thread records, this is done aside, on a stack of the library's
//! own, since its present stack may be a coroutine's, of one page.
//!
//! Relies on: a [`CurrentThread`] is of the state that the current thread alone owns; a tracer is
//! never freed.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use super::current_thread::{current_thread, CurrentThread};
use super::registry;
use crate::blocks::{self, MovingBlock};
use crate::counters::own_line::{add_got, add_net, count_alloc, count_dealloc, count_realloc};
use crate::counters::thread_counters::flush_interval;
use crate::counters::{Event, EventKind, HUGE};
use crate::open_scopes::ScopeStack;
use crate::refusals::Refused;
use crate::stacks::{self, Stack, Tracer};
use crate::walk::Registers;

/// A block is about to be reallocated: does [`blocks::begin_realloc`] where this thread has room.
#[cold]
pub(crate) fn begin_realloc(address: usize) -> MovingBlock {
    let mut moving = MovingBlock::nothing(address);
    aside(&mut || moving = blocks::begin_realloc(address));
    moving
}

/// It was, or it was not. It is at `address` now, and is so big: does [`blocks::end_realloc`]
/// likewise.
#[cold]
pub(crate) fn end_realloc(moving: &MovingBlock, address: usize, size: u64) {
    aside(&mut || blocks::end_realloc(moving, address, size));
}

/// Does `work` where this thread records, if it has ever recorded and is not recording just now.
#[inline(always)]
fn aside(work: &mut impl FnMut()) {
    match current_thread() {
        Some(thread) if !thread.state.tracer.get().is_null() => {
            // SAFETY: the guard of this arm has seen its tracer.
            unsafe { thread.aside(&mut |_| work()) };
        }
        _ => work(),
    }
}

impl CurrentThread {
    /// Counts an event that the frequent half has left: the first of a thread, one that crosses a
    /// threshold, or one to record. If the thread records, that is done aside, where there is room.
    pub(super) fn count(mut self, event: &Event, from: &Registers) {
        if self.state.is_busy.is_set() {
            return self.count_interruption(event);
        }
        let mut tracer = self.state.tracer.get();
        if tracer.is_null() && self.wants_room(event) {
            tracer = self.tracer();
        }
        let mut stops = false;
        if tracer.is_null() {
            stops = self.count_here(event, from);
        } else {
            // SAFETY: the thread has a tracer: `tracer`, which was looked at above.
            unsafe { self.aside(&mut |thread| stops = thread.count_here(event, from)) };
        }
        if stops {
            stacks::stop_in_debugger();
        }
    }

    /// Counts an event of a signal handler that has interrupted this thread at work on the state.
    #[cold]
    fn count_interruption(&self, event: &Event) {
        blocks::forget_freed(event);
        self.add_event(event);
        self.state.interruptions.add(*event);
    }

    fn add_event(&self, event: &Event) {
        let line = self.state.counters.line();
        // SAFETY: the current thread owns this state; likewise below.
        unsafe { add_net(line, event.net().wrapping_sub(event.huge_net())) };
        // SAFETY: as above.
        unsafe { add_got(line, event.got) };
        match event.kind {
            // SAFETY: as above.
            EventKind::Alloc => unsafe { count_alloc(line) },
            // SAFETY: as above.
            EventKind::Dealloc => unsafe { count_dealloc(line) },
            // SAFETY: as above.
            EventKind::Realloc => unsafe { count_realloc(line) },
        }
        if event.huge_net() != 0 {
            self.state.counters.huge_net.fetch_add(event.huge_net(), Relaxed);
        }
        if event.got >= HUGE {
            self.state.counters.huge.fetch_add(event.got / HUGE, Relaxed);
            registry::watch_everything();
        }
    }

    /// Counts it where the caller is. Returns whether a debugger is to see this event.
    fn count_here(mut self, event: &Event, from: &Registers) -> bool {
        blocks::forget_freed(event);
        self.add_event(event);
        let net = self.state.counters.net();
        let grown = event.net();
        if net.wrapping_sub(grown).checked_add(grown).is_none() {
            self.set_high(i64::MAX);
        } else if net > self.high() {
            self.set_high(net);
        }
        let (floor, ceiling) = flush_interval(self.state.counters.flushed.load(Relaxed));
        if net < floor || net > ceiling {
            self.flush();
        }
        if self.is_watched() {
            self.note(event, Some(from));
        }
        stacks::has_passed_breakpoint()
    }

    /// Tells those who ask for the largest block of a request that was refused.
    #[cold]
    pub(super) fn note_refused(mut self, size: u64, from: &Registers) {
        if self.state.is_busy.is_set() || !self.with_scopes(|scopes| scopes.asks_for_sizes()) {
            return;
        }
        let tracer = self.state.tracer.get();
        if tracer.is_null() {
            self.note_refused_here(size, from);
        } else {
            // SAFETY: the thread has a tracer: `tracer`, which was looked at above.
            unsafe { self.aside(&mut |mut thread| thread.note_refused_here(size, from)) };
        }
        if stacks::has_passed_breakpoint() {
            stacks::stop_in_debugger();
        }
    }

    /// Where the caller is. What is said of it comes before the null that the caller may not bear.
    fn note_refused_here(&mut self, size: u64, from: &Registers) {
        let wants_stack = self.with_scopes(|scopes| scopes.is_recording() || scopes.wants_stacks());
        let stack = if wants_stack { self.stack(*from) } else { None };
        let Some(largest) = self.with_scopes(|scopes| scopes.note_refused(size, stack)) else {
            return;
        };
        if let Some(code) = largest.code() {
            Refused { bytes: size, max: largest.max(), stack, code }.say();
        }
    }

    /// Whether more than the counters has to hear of the event.
    #[cold]
    fn wants_room(&mut self, event: &Event) -> bool {
        event.is_allocation()
            && (stacks::is_profiling() || self.with_scopes(|scopes| scopes.events_to_note().allocs))
    }

    /// Tells everyone who wants to know of the event. Without registers, it happened in a signal
    /// handler.
    // This and the next are called from two places, the rarer of which would keep them out of line.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn note(&mut self, event: &Event, from: Option<&Registers>) {
        let busy = self.busy();
        // SAFETY: lent to `note_on`, which has no `&mut` of the thread. `busy` keeps handlers
        // away.
        let scopes = unsafe { self.scopes() };
        if self.note_on(scopes, event, from) {
            drop(busy);
            self.set_thresholds();
        }
    }

    /// Tells them. Returns whether nobody wants to know of such events any more: the last profiler
    /// has stopped, or a scope of another thread has ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn note_on(&self, scopes: &mut ScopeStack, event: &Event, from: Option<&Registers>) -> bool {
        let is_profiling = stacks::is_profiling();
        let is_recording = scopes.is_recording();
        let is_allocation = event.is_allocation();
        if !is_allocation || !is_profiling && !is_recording {
            let events = scopes.events_to_note();
            if !(if is_allocation { events.allocs } else { events.deallocs }) {
                let is_any = events.allocs || events.deallocs;
                return !is_any && !is_profiling && !blocks::is_tracking();
            }
        }
        // Whether anybody asks where it happened.
        let wants_stack = is_allocation && (is_profiling || is_recording || scopes.wants_stacks());
        let stack = match from {
            _ if !wants_stack => None,
            Some(from) => self.stack(*from),
            None => stacks::interrupting_stack(),
        };
        let is_entered = scopes.note(stack, event, self.counts().sums());
        if is_profiling && is_allocation {
            stacks::profile_event(stack, event);
            blocks::profile_event(stack, event, !is_entered);
        }
        false
    }

    /// The stack that ends at these registers; `None` if there is no room for it.
    // Left to the compiler, it is a call of 30 instructions in each event that is recorded.
    // Unoptimised, inlining it would take room on the stack of its caller.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn stack(&self, from: Registers) -> Option<&'static Stack> {
        // SAFETY: null, or `allocate` made it. It is never freed, and belongs to the state, hence
        // to this thread alone. The method does not come here again; nor does a signal handler,
        // which finds the state busy.
        let tracer = unsafe { self.tracer().as_mut() }?;
        let _busy = self.busy();
        tracer.stack(from)
    }

    /// The thread's tracer, which it has from now on; null without memory.
    #[inline]
    pub(super) fn tracer(&self) -> *mut Tracer {
        if self.state.tracer.get().is_null() {
            self.state.tracer.set(Tracer::allocate());
        }
        self.state.tracer.get()
    }

    #[cold]
    #[inline(never)]
    pub(super) fn note_interruptions(mut self) {
        self.state.interruptions.take(|event| self.note(&event, None));
    }
}
