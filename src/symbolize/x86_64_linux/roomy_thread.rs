//! Cold: `on_a_roomy_thread`, which runs work on a thread with a large stack and waits for it.
//!
//! Formatting a backtrace takes some 21 KB of stack, and resolving one more; the caller may be a thread that has 16
//! KiB. A plain POSIX thread, for std's own allocates on both sides for what it keeps of each thread.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

/// As large as std's own. Only what is used takes memory.
const STACK_SIZE: usize = 2 << 20;

/// Calls `work`, and says whether it was called and did not panic. What it allocates counts nowhere.
pub(super) fn on_a_roomy_thread<F: FnOnce() + Send>(work: F) -> bool {
    let mut job = Job { work: Some(work), is_done: false };
    let place = (&mut job as *mut Job<F>).cast();
    // SAFETY: `run` is called with the job that it expects, once, and `job` is not touched before that call is over.
    let has_run = unsafe { spawn_and_join(run::<F>, place) };
    has_run && job.is_done
}

struct Job<F> {
    work: Option<F>,
    is_done: bool,
}

extern "C" fn run<F: FnOnce() + Send>(job: *mut c_void) -> *mut c_void {
    // SAFETY: `on_a_roomy_thread` passed a job of this `F`, and waits for this thread before it looks at it again.
    let job = unsafe { &mut *job.cast::<Job<F>>() };
    if let Some(work) = job.work.take() {
        crate::count::ignored(|| match catch_unwind(AssertUnwindSafe(work)) {
            Ok(()) => job.is_done = true,
            // Dropping it could panic again.
            Err(payload) => std::mem::forget(payload),
        });
    }
    ptr::null_mut()
}

/// `false` if there is no thread to be had.
///
/// # Safety
/// `run` may be called with `job`, once, on another thread, until this returns; it does not unwind.
unsafe fn spawn_and_join(run: extern "C" fn(*mut c_void) -> *mut c_void, job: *mut c_void) -> bool {
    let mut attributes = MaybeUninit::<Attributes>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: there is room for the attributes.
    if unsafe { pthread_attr_init(attributes) } != 0 {
        return false;
    }
    let mut thread: Thread = 0;
    // SAFETY: made above.
    let has_size = unsafe { pthread_attr_setstacksize(attributes, STACK_SIZE) } == 0;
    // SAFETY: the attributes are valid, `thread` is writable, and for `run` and `job` see the contract.
    let has_started = has_size && unsafe { pthread_create(&mut thread, attributes, run, job) } == 0;
    // SAFETY: made above, not used any more.
    unsafe { pthread_attr_destroy(attributes) };
    // SAFETY: `thread` was started above, and neither detached nor joined.
    has_started && unsafe { pthread_join(thread, ptr::null_mut()) } == 0
}

/// `pthread_t` on Linux.
type Thread = usize;

/// `pthread_attr_t` on 64-bit Linux, glibc and musl.
#[repr(C)]
struct Attributes([u64; 7]);

extern "C" {
    fn pthread_attr_init(attributes: *mut Attributes) -> c_int;
    fn pthread_attr_setstacksize(attributes: *mut Attributes, size: usize) -> c_int;
    fn pthread_attr_destroy(attributes: *mut Attributes) -> c_int;
    fn pthread_create(
        thread: *mut Thread,
        attributes: *const Attributes,
        run: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_join(thread: Thread, result: *mut *mut c_void) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::on_a_roomy_thread;

    #[test]
    fn what_the_work_allocates_is_ignored() {
        let mut seen = 0;
        let has_run = on_a_roomy_thread(|| {
            let before = crate::count::ignored_allocs();
            std::hint::black_box(Box::new(1_u64));
            seen = crate::count::ignored_allocs() - before;
        });
        assert!(has_run);
        assert_eq!(seen, 1);
    }

    #[test]
    fn a_panic_of_the_work_stays_on_its_thread() {
        assert!(!on_a_roomy_thread(|| std::panic::resume_unwind(Box::new(()))));
    }

    #[test]
    fn the_work_may_use_half_a_megabyte_of_stack() {
        let mut sum = 0;
        assert!(on_a_roomy_thread(|| sum = std::hint::black_box([1_u8; 1 << 18])[1 << 17]));
        assert_eq!(sum, 1);
    }
}
