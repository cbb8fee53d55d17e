//! Cold: `on_a_roomy_thread`, which runs work on a thread with a large stack and waits for it.
//!
//! Formatting a backtrace takes some 21 KB of stack, and resolving one more; the caller may be a thread that has 16
//! KiB. A plain POSIX thread, for std's own allocates on both sides for what it keeps of each thread.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_void};
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::SystemTime;

use crate::walk;

/// As large as std's own. Only what is used takes memory.
const STACK_SIZE: usize = 2 << 20;

/// How long a forked child waits. What takes so long waits for a lock of std or of the loader, held at the fork by a thread that the
/// child does not have: for ever.
const LIMIT_IN_FORKED_CHILD: c_long = 5;

/// A thread of this process waits for ever.
static IS_STUCK: AtomicBool = AtomicBool::new(false);

/// What became of the work.
pub(super) enum Outcome<R> {
    Done(R),
    /// There was no thread to be had, or `work` has panicked.
    NotDone,
    /// In a forked child: what is needed is locked for ever.
    Stuck,
}

/// Calls `work` and waits for it. What it allocates counts nowhere.
pub(super) fn on_a_roomy_thread<F, R>(work: F) -> Outcome<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    if IS_STUCK.load(Relaxed) && walk::is_forked() {
        return Outcome::Stuck;
    }
    // On the heap, for a thread that is given up may still look at it.
    let job = Box::into_raw(Box::new(Job { work: Some(work), result: None }));
    // SAFETY: `run` is called with the job that it expects, once, and `job` is not touched before that call is over.
    let is_over = unsafe { spawn_and_join(run::<F, R>, job.cast()) };
    if is_over {
        // SAFETY: from `Box::into_raw`, and the thread has ended, or never began.
        let job = unsafe { Box::from_raw(job) };
        return job.result.map_or(Outcome::NotDone, Outcome::Done);
    }
    IS_STUCK.store(true, Relaxed);
    Outcome::Stuck
}

struct Job<F, R> {
    work: Option<F>,
    result: Option<R>,
}

type Run = extern "C" fn(*mut c_void) -> *mut c_void;

extern "C" fn run<F: FnOnce() -> R + Send, R: Send>(job: *mut c_void) -> *mut c_void {
    // SAFETY: `on_a_roomy_thread` passed a job of this type, and looks at it again only when this thread has ended.
    let job = unsafe { &mut *job.cast::<Job<F, R>>() };
    if let Some(work) = job.work.take() {
        crate::count::ignored(|| match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => job.result = Some(result),
            // Dropping it could panic again.
            Err(payload) => std::mem::forget(payload),
        });
    }
    ptr::null_mut()
}

/// Whether `run` is over, or was not begun for want of a thread.
///
/// # Safety
/// `run` may be called with `job`, once, on another thread, until this returns `true`; it does not unwind.
unsafe fn spawn_and_join(run: Run, job: *mut c_void) -> bool {
    let mut attributes = MaybeUninit::<Attributes>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: there is room for the attributes.
    if unsafe { pthread_attr_init(attributes) } != 0 {
        return true;
    }
    let mut thread: Thread = 0;
    // SAFETY: made above.
    let has_size = unsafe { pthread_attr_setstacksize(attributes, STACK_SIZE) } == 0;
    // SAFETY: the attributes are valid, `thread` is writable, and for `run` and `job` see the contract.
    let has_started = has_size && unsafe { pthread_create(&mut thread, attributes, run, job) } == 0;
    // SAFETY: made above, not used any more.
    unsafe { pthread_attr_destroy(attributes) };
    if !has_started {
        return true;
    }
    if !walk::is_forked() {
        // SAFETY: `thread` was started above, and neither detached nor joined.
        return unsafe { pthread_join(thread, ptr::null_mut()) } == 0;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let limit = TimeSpec {
        seconds: (now.as_secs() as c_long).saturating_add(LIMIT_IN_FORKED_CHILD),
        nanoseconds: 0,
    };
    // SAFETY: as above, and `limit` is a time.
    unsafe { pthread_timedjoin_np(thread, ptr::null_mut(), &limit) == 0 }
}

/// `pthread_t` on Linux.
type Thread = usize;

/// `pthread_attr_t` on 64-bit Linux, glibc and musl.
#[repr(C)]
struct Attributes([u64; 7]);

/// `struct timespec`, a time since 1970.
#[repr(C)]
struct TimeSpec {
    seconds: c_long,
    nanoseconds: c_long,
}

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
    fn pthread_timedjoin_np(
        thread: Thread,
        result: *mut *mut c_void,
        limit: *const TimeSpec,
    ) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::{on_a_roomy_thread, Outcome};

    #[test]
    fn what_the_work_allocates_is_ignored() {
        let work = || {
            let before = crate::count::ignored_allocs();
            std::hint::black_box(Box::new(1_u64));
            crate::count::ignored_allocs() - before
        };
        assert!(matches!(on_a_roomy_thread(work), Outcome::Done(1)));
    }

    #[test]
    fn a_panic_of_the_work_stays_on_its_thread() {
        let outcome = on_a_roomy_thread(|| std::panic::resume_unwind(Box::new(())));
        assert!(matches!(outcome, Outcome::<()>::NotDone));
    }

    #[test]
    fn the_work_may_use_half_a_megabyte_of_stack() {
        let work = || std::hint::black_box([1_u8; 1 << 18])[1 << 17];
        assert!(matches!(on_a_roomy_thread(work), Outcome::Done(1)));
    }
}
