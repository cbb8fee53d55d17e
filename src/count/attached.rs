//! Hot: `AttachedFrame`, a thread's hold on a scope of another thread: attaches to it, and detaches.

use std::marker::PhantomData;

use super::frames::Attached;
use super::ledger::Ledger;
use super::open_frame::is_inside;
use super::shared::SharedRef;
use super::thread::{own, own_or_on_loan, retire};
use crate::system_vec::OutOfMemory;
use crate::walk::{self, Registers};

/// Dropping it detaches the current thread.
pub(crate) struct AttachedFrame {
    ledger: &'static Ledger,
    attached: Attached,
    _thread: PhantomData<*const ()>,
}

/// Attaches the current thread; `Ok(None)` if the scope has ended.
#[inline(never)]
pub(crate) fn attach(shared: &SharedRef) -> Result<Option<AttachedFrame>, OutOfMemory> {
    attach_frames(shared, true)
}

/// Attaches the current thread until the scope or the thread ends; `Ok(false)` if the scope has ended already.
#[inline(never)]
pub(crate) fn attach_for_good(shared: &SharedRef) -> Result<bool, OutOfMemory> {
    let attached = attach_frames(shared, false)?;
    let has_attached = attached.is_some();
    std::mem::forget(attached);
    Ok(has_attached)
}

#[inline(always)] // So that a stack begins in a function that the caller has called.
fn attach_frames(
    shared: &SharedRef,
    is_guarded: bool,
) -> Result<Option<AttachedFrame>, OutOfMemory> {
    let own = match own() {
        Some(own) => own,
        None => own_or_on_loan()?,
    };
    let at = if shared.records() {
        walk::prepare();
        own.stack(Registers::here())
    } else {
        None
    };
    let attached =
        own.at_cut(|frames, counts| frames.attach(shared, own.ledger, at, counts, is_guarded));
    own.set_limits();
    let frame = |attached| AttachedFrame { ledger: own.ledger, attached, _thread: PhantomData };
    Ok(attached?.map(frame))
}

impl Drop for AttachedFrame {
    fn drop(&mut self) {
        let Some(own) = own().filter(|own| std::ptr::eq(own.ledger, self.ledger)) else { return };
        own.cut();
        let counts = own.counts();
        let open_stretch = own.with_frames(|frames| frames.open_stretch(self.attached));
        if open_stretch.is_some_and(|at| !is_inside(at)) {
            own.with_frames(|frames| frames.note_still_hidden(self.attached));
        }
        own.with_frames(|frames| frames.detach(self.attached, counts));
        own.set_limits();
        if own.ledger.is_on_loan() && own.with_frames(|frames| frames.is_empty()) {
            retire();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::attach;
    use crate::count::{open, thread, Kind};

    #[test]
    fn past_the_end_of_a_thread_a_ledger_is_on_loan_while_it_is_attached() {
        let frame = open(Kind::Scope, 0, true).expect("memory");
        let shared = &frame.share().expect("memory");
        let past_its_end = || {
            drop(black_box(vec![1_u8; 10]));
            thread::retire();
            for _ in 0..100 {
                let (outer, inner) = (attach(shared), attach(shared));
                let (outer, inner) = (outer.expect("memory"), inner.expect("memory"));
                drop(black_box(vec![1_u8; 30]));
                drop(outer);
                assert!(thread::own().is_some(), "on loan");
                drop(inner);
                assert!(thread::own().is_none(), "given back");
            }
        };
        std::thread::scope(|threads| threads.spawn(past_its_end).join()).expect("it ends well");
        assert_eq!(shared.others().counts.got, 3_000);
    }
}
