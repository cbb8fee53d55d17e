//! Hot: how a thread gives its state back: at its end, or, where it is on loan, when the last scope
//! on it is closed.
//!
//! Relies on: only the state that the current thread's pointer is at is ever given back.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use super::current_thread::{current_even_if_busy, current_thread, CurrentThread};
use super::process_peak;
use super::state::Loan;
use crate::counters::{current, Counts};
use crate::sys::Pooled;

/// Gives the current thread's state back. Later events of the thread count as orphans.
pub(super) fn retire() {
    if let Some(mut thread) = current_thread() {
        thread.flush();
        let counts = thread.counts();
        thread.with_scopes(|scopes| scopes.clear(counts));
        match thread.state.loan.take() {
            None => current::set_retired(),
            Some(loan) => end_loan(&thread, loan),
        }
        thread.state.links().give_back();
    }
}

/// Gives back a state on loan on which no scope is open any more.
#[inline]
pub(super) fn retire_unused_loan(mut thread: CurrentThread) {
    if thread.state.is_on_loan() && thread.with_scopes(|scopes| scopes.is_empty()) {
        retire();
    }
}

/// Gives the thread back what it had before. If that is a state, what was counted meanwhile is
/// moved to it.
#[cold]
fn end_loan(lent: &CurrentThread, loan: Loan) {
    let counted = lent.counts() - loan.start;
    // SAFETY: a dummy, or the thread's own line: the pointer has not been at it since.
    unsafe { current::set_line(loan.before.as_ptr()) };
    let Some(interrupted) = current_even_if_busy(loan.before) else { return };
    lent.add(Counts::ZERO - counted);
    lent.state.counters.flushed.fetch_sub(counted.net, Relaxed);
    process_peak::flush(counted.net.wrapping_neg(), i64::MIN);
    interrupted.add(counted);
    let events = counted.sums().events;
    interrupted.state.interruptions.miss(usize::try_from(events).unwrap_or(0));
}
