//! Hot: `SideStack`, a stack on which a thread records, so that next to nothing is taken of the one
//! that it is on: that may be a coroutine's, of one page. Unoptimised, a walk and what it leads to
//! take some kilobytes. Reports are made on a larger one, by `room`.
//!
//! A signal handler that comes meanwhile runs on this stack, too, which has room for it. If it
//! records, it goes on where it is.
//!
//! Unwinders find the way back: the function that changes stacks says in its table where the
//! caller's frame is. Debuggers do not follow it to a stack at lower addresses, so they are called
//! on the thread's own (`stacks::breakpoint`).
//!
//! Relies on: `pages` hands out memory that belongs to nobody else; one thread uses a side stack.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::sys::pages;
use crate::walk::target::arch::call_aside::call_aside;

/// Where a side stack ends, and how large it is. 0: there is none.
#[derive(Clone, Copy)]
pub(crate) struct SideStack {
    end: usize,
    size: usize,
}

impl SideStack {
    /// To record on: ten times what is used of it unoptimised, and as much as the largest signal
    /// frames take.
    pub(crate) const FOR_RECORDING: usize = 64 << 10;

    /// Of so many bytes, whole pages. It stays until it is given to [`free`](Self::free).
    #[cold]
    pub(crate) fn allocate(size: usize) -> Self {
        let memory = pages::allocate(size);
        if memory.is_null() {
            return Self { end: 0, size: 0 };
        }
        // SAFETY: the first page of what was mapped above, which nobody uses yet. Without the
        // guard, it is still a stack.
        unsafe { pages::guard(memory) };
        Self { end: memory as usize + size, size }
    }

    /// Gives it back.
    ///
    /// # Safety
    /// Nobody is on it, and nobody uses a copy of `self` after this.
    pub(crate) unsafe fn free(self) {
        if self.end != 0 {
            // SAFETY: `allocate` had it from there, of this size; the rest is the contract.
            unsafe { pages::free((self.end - self.size) as *mut u8, self.size) };
        }
    }

    /// Calls `work` on the stack, if nobody is there: else here.
    #[inline]
    pub(crate) fn call<F: FnMut()>(self, work: &mut F) {
        extern "C" fn run<F: FnMut()>(work: *mut c_void) {
            // SAFETY: the `work` below, which nobody else uses now.
            let work = unsafe { &mut *work.cast::<F>() };
            work();
        }

        let argument: *mut c_void = (work as *mut F).cast();
        let place = argument as usize;
        if self.end == 0 || place < self.end && place > self.end - self.size {
            return run::<F>(argument);
        }
        // SAFETY: `run` takes the argument, and does not unwind, being of C. The stack ends
        // where a page does; only the thread whose it is comes here, and is not there.
        unsafe { call_aside(argument, run::<F>, self.end) };
    }
}

#[cfg(test)]
mod tests {
    use super::SideStack;

    fn here() -> usize {
        let here = 0_u8;
        std::hint::black_box(&here) as *const u8 as usize
    }

    #[test]
    fn work_is_done_there_and_goes_on_there_if_it_asks_again() {
        let stack = SideStack::allocate(SideStack::FOR_RECORDING);
        assert_ne!(stack.end, 0);
        let is_there = || stack.end.wrapping_sub(here()) < 64 << 10;
        let (mut outer, mut inner) = (false, false);
        stack.call(&mut || {
            outer = is_there();
            let before = here();
            stack.call(&mut || inner = is_there() && here() < before);
        });
        assert!(outer && inner && !is_there());
        let mut is_done = false;
        SideStack { end: 0, size: 0 }.call(&mut || is_done = !is_there());
        assert!(is_done);
    }

    #[test]
    fn unwinders_find_the_way_back() {
        let stack = SideStack::allocate(SideStack::FOR_RECORDING);
        let mut text = String::new();
        stack.call(&mut || text = std::backtrace::Backtrace::force_capture().to_string());
        assert!(text.contains("unwinders_find_the_way_back"), "{text}");
        assert!(text.contains("__rust_begin_short_backtrace") || text.contains("clone"), "{text}");
    }
}
