//! Cold: `with_room`, which runs work of the library's own where there is room for it. Unoptimised,
//! a report takes more of the stack than the 16 KiB that a thread may have. (To look up names takes
//! more still, and has a thread of its own: `symbolize`.)
//!
//! Relies on: `SideStack::call` returns only when its work has.
#![allow(unsafe_code)]

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::thread;

use crate::walk::SideStack;

/// Only what is used takes memory.
const SIZE: usize = 1 << 20;

/// Calls `work` on a stack of a megabyte, or on the caller's where the system gives none. It must
/// not run code of the user's, who may look at the stack.
pub(crate) fn with_room<R>(work: impl FnOnce() -> R) -> R {
    let stack = SideStack::allocate(SIZE);
    let (mut work, mut result) = (Some(work), None);
    stack.call(&mut || result = work.take().map(run));
    // SAFETY: `call` has come back from it, and `stack` is not used any more.
    unsafe { stack.free() };
    match result {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("`call` calls its work once"),
    }
}

/// Nothing may unwind from one stack to the other. It must not be inlined, or its frame would be on
/// the caller's stack.
#[inline(never)]
fn run<R>(work: impl FnOnce() -> R) -> thread::Result<R> {
    catch_unwind(AssertUnwindSafe(work))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::with_room;

    /// Where no stack is walked, none is made either.
    #[test]
    fn work_has_half_a_megabyte_whatever_its_caller_has() {
        if crate::walk::UNAVAILABLE.is_some() {
            return;
        }
        let work = || with_room(|| std::hint::black_box([1_u8; 1 << 18])[1 << 17]);
        let small = std::thread::Builder::new().stack_size(16 << 10).spawn(work).expect("a thread");
        assert_eq!(small.join().expect("room"), 1);
    }

    #[test]
    fn a_panic_of_the_work_goes_on_in_the_caller() {
        let panic = catch_unwind(|| with_room(|| std::panic::resume_unwind(Box::new(7))));
        assert_eq!(panic.expect_err("it panics").downcast_ref(), Some(&7));
    }
}
