//! Hot: how a thread comes to a state: it adopts one at its first event or scope, or has one on
//! loan for as long as scopes are open on it.
//!
//! Relies on: the pool lends a state to one thread at a time.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use super::current_thread::{current_even_if_busy, current_thread, CurrentThread};
use super::registry::THREADS;
use super::state::Loan;
use super::thread_exit::retire_at_exit;
use crate::counters::current::{self, current};
use crate::counters::Registration;
use crate::sys::OutOfMemory;
use crate::walk;

/// The current thread's state, adopted now if it has none yet; `None` past the thread's end or
/// without memory.
pub(super) fn current_or_adopted() -> Option<CurrentThread> {
    match current().registration() {
        Registration::Registered => current_thread(),
        Registration::New => register(),
        Registration::Retired | Registration::Ignored => None,
    }
}

/// The state to open a scope on. It is one on loan, for as long as scopes are open there, in a
/// destructor of a thread-local that runs after the thread's end, and in a signal handler that has
/// interrupted the library at work.
#[inline]
pub(super) fn current_or_lent() -> Result<CurrentThread, OutOfMemory> {
    match current_thread() {
        Some(thread) => Ok(thread),
        None => adopted_or_lent(),
    }
}

#[cold]
fn adopted_or_lent() -> Result<CurrentThread, OutOfMemory> {
    current_or_adopted().or_else(lend).ok_or(OutOfMemory)
}

fn lend() -> Option<CurrentThread> {
    let before = current();
    let thread = adopt()?;
    thread.state.loan.set(Some(Loan { before, start: thread.counts() }));
    if before.registration() == Registration::Retired {
        // For a scope that is forgotten, or stays until the thread ends.
        retire_at_exit(thread.state);
    }
    Some(thread)
}

#[cold]
fn register() -> Option<CurrentThread> {
    let Some(thread) = adopt() else {
        current::set_retired();
        return None;
    };
    // After `adopt` has set the pointer: should this allocate, it is counted rather than recursed
    // into.
    retire_at_exit(thread.state);
    walk::watch_forks();
    Some(thread)
}

/// Makes a free state the current thread's.
fn adopt() -> Option<CurrentThread> {
    let state = THREADS.take()?;
    // SAFETY: the pool lends it to nobody else until `retire` gives it back, which has the thread
    // write another line first.
    unsafe { state.make_current() };
    let mut thread = current_even_if_busy(current())?;
    let net = thread.counts().net;
    thread.state.counters.flushed.store(net, Relaxed);
    thread.start_flush_interval(net);
    Some(thread)
}
