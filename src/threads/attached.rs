//! Hot: `AttachedThread`, a thread's hold on a scope of another thread: the thread attaches to it,
//! and detaches.

use std::marker::PhantomData;

use super::adoption::current_or_lent;
use super::current_thread::current_thread;
use super::open_scope::is_inside;
use super::retirement::retire_unused_loan;
use super::state::ThreadState;
use crate::open_scopes::{ScopeIds, SharedScopeRef};
use crate::sys::OutOfMemory;
use crate::walk::{self, Registers};

/// The current thread is attached to a scope. Dropping this detaches it.
pub(crate) struct AttachedThread {
    state: &'static ThreadState,
    entries: ScopeIds,
    _thread: PhantomData<*const ()>,
}

/// Attaches the current thread; `Ok(None)` if the scope has ended.
#[inline(never)]
pub(crate) fn attach(shared: &SharedScopeRef) -> Result<Option<AttachedThread>, OutOfMemory> {
    attach_as(shared, true)
}

/// Attaches the current thread until the scope or the thread ends; `Ok(false)` if the scope has
/// ended already.
#[inline(never)]
pub(crate) fn attach_for_good(shared: &SharedScopeRef) -> Result<bool, OutOfMemory> {
    Ok(attach_as(shared, false)?.map(std::mem::forget).is_some())
}

#[inline(always)] // So that the stack begins in the function that users of this file call.
fn attach_as(
    shared: &SharedScopeRef,
    is_guarded: bool,
) -> Result<Option<AttachedThread>, OutOfMemory> {
    let mut thread = current_or_lent()?;
    let at = if shared.is_recording() {
        walk::prepare();
        thread.stack(Registers::here())
    } else {
        None
    };
    let entries = thread.change_scopes(|scopes, counts| {
        scopes.attach(shared, &thread.state.counters, at, counts, is_guarded)
    })?;
    Ok(entries.map(|entries| AttachedThread { state: thread.state, entries, _thread: PhantomData }))
}

impl Drop for AttachedThread {
    fn drop(&mut self) {
        let Some(mut thread) =
            current_thread().filter(|thread| std::ptr::eq(thread.state, self.state))
        else {
            return;
        };
        let open_stretch = thread.with_scopes(|scopes| scopes.open_stretch(self.entries));
        if open_stretch.is_some_and(|at| !is_inside(at)) {
            thread.with_scopes(|scopes| scopes.note_still_uncounted(self.entries));
        }
        thread.change_scopes(|scopes, counts| scopes.detach(self.entries, counts));
        retire_unused_loan(thread);
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::attach;
    use crate::open_scopes::Kind;
    use crate::threads::current_thread::current_thread;
    use crate::threads::open;
    use crate::threads::retirement::retire;

    #[test]
    fn past_its_end_a_thread_has_a_state_on_loan_while_it_is_attached() {
        let scope = open(Kind::Scope, 0, true).expect("memory");
        let shared = &scope.share().expect("memory");
        let past_its_end = || {
            drop(black_box(vec![1_u8; 10]));
            retire();
            for _ in 0..100 {
                let (outer, inner) = (attach(shared), attach(shared));
                let (outer, inner) = (outer.expect("memory"), inner.expect("memory"));
                drop(black_box(vec![1_u8; 30]));
                drop(outer);
                assert!(current_thread().is_some(), "on loan");
                drop(inner);
                assert!(current_thread().is_none(), "given back");
            }
        };
        std::thread::scope(|threads| threads.spawn(past_its_end).join()).expect("it ends well");
        assert_eq!(shared.others().counts.got, 3_000);
    }
}
