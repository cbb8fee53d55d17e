//! Cold: `on_a_roomy_thread`, which runs work on a thread with a large stack and waits for it; and
//! `start_thread`, which does not wait.
//!
//! Formatting a backtrace takes some 21 KB of stack, and resolving one more; the caller may be a
//! thread that has 16 KiB. A plain POSIX thread, for std's own allocates on both sides for what it
//! keeps of each thread.
//!
//! Relies on: POSIX, for threads: until it is joined, the new thread alone uses the job.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, Release},
};
use std::sync::Arc;

use crate::symbolize::target::waiting::{join_in_a_second, work_of};
use crate::sys::threads::{
    pthread_attr_destroy, pthread_attr_init, pthread_attr_setstacksize, pthread_create,
    pthread_detach, pthread_sigmask, sigfillset, Attributes, SignalSet, Thread, SIG_SETMASK,
};
use crate::walk;

/// As large as std's own. Only what is used takes memory.
const STACK_SIZE: usize = 2 << 20;

/// So many seconds without any work done mean that the thread waits for a lock of std or of the
/// loader, whose holder waits for the thread that asks: a library's constructor that has another
/// thread make a report. Or, in a forked child, that the holder is a thread which the child does
/// not have.
const IDLE_LIMIT: u32 = 5;

/// A thread of this process, a forked child, waits for ever.
static IS_STUCK: AtomicBool = AtomicBool::new(false);

/// What became of the work.
pub(crate) enum Outcome<R> {
    Done(R),
    /// And why.
    NotDone(&'static str),
    /// What is needed is locked, and was not to be had in time.
    Stuck,
}

/// Calls `work` and waits for it. What it allocates counts nowhere.
pub(crate) fn on_a_roomy_thread<F, R>(work: F) -> Outcome<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    if IS_STUCK.load(Relaxed) && walk::is_forked() {
        return Outcome::Stuck;
    }
    // On the heap, for a thread that is given up may still look at it.
    let job = Job::new(work);
    let is_over = job.is_over.clone();
    let job = Box::into_raw(Box::new(job));
    // SAFETY: `run` is called with the job that it expects, once, and `job` is not touched before
    // that call is over.
    let is_joined = unsafe { spawn_and_join(run::<F, R>, job.cast(), &is_over) };
    if is_joined {
        // SAFETY: from `Box::into_raw`, and the thread has ended, or never began.
        let job = unsafe { Box::from_raw(job) };
        let why = match job.work {
            Some(_) => "no thread could be started for it",
            None => "it panicked",
        };
        return job.result.map_or(Outcome::NotDone(why), Outcome::Done);
    }
    IS_STUCK.store(true, Relaxed);
    Outcome::Stuck
}

struct Job<F, R> {
    work: Option<F>,
    result: Option<R>,
    is_over: Arc<AtomicBool>,
}

impl<F, R> Job<F, R> {
    fn new(work: F) -> Self {
        Self { work: Some(work), result: None, is_over: Arc::default() }
    }
}

type Run = extern "C" fn(*mut c_void) -> *mut c_void;

extern "C" fn run<F: FnOnce() -> R + Send, R: Send>(job: *mut c_void) -> *mut c_void {
    // SAFETY: `on_a_roomy_thread` passed a job of this type, and looks at it again only when this
    // thread has ended.
    let job = unsafe { &mut *job.cast::<Job<F, R>>() };
    if let Some(work) = job.work.take() {
        crate::counters::ignored(|_| match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => job.result = Some(result),
            // Dropping it could panic again.
            Err(payload) => std::mem::forget(payload),
        });
    }
    job.is_over.store(true, Release);
    ptr::null_mut()
}

/// Starts a thread that calls `work`, and waits neither for that nor for its end. What it allocates
/// counts nowhere. No signal handler runs on it: the program may expect them on its own threads.
pub(crate) fn start_thread(work: fn()) {
    let job = Box::into_raw(Box::new(Job::<_, ()>::new(work)));
    let (mut all, mut before) = (SignalSet([0; 16]), SignalSet([0; 16]));
    // SAFETY: there is room for the set, and likewise below.
    unsafe { sigfillset(&mut all) };
    // SAFETY: both are sets. A thread begins with the mask of the one that starts it.
    unsafe { pthread_sigmask(SIG_SETMASK, &all, &mut before) };
    // SAFETY: `run` is called with the job that it expects, once, and `job` is not touched before
    // that call is over.
    let thread = unsafe { spawn(run::<fn(), ()>, job.cast()) };
    // SAFETY: as above; the mask that this thread had.
    unsafe { pthread_sigmask(SIG_SETMASK, &before, ptr::null_mut()) };
    match thread {
        // SAFETY: it was started above, and nobody joins it.
        Some(thread) => drop(unsafe { pthread_detach(thread) }),
        // SAFETY: from `Box::into_raw`, and no thread has it.
        None => drop(unsafe { Box::from_raw(job) }),
    }
}

/// Starts a thread that calls `run` with `job`; `None` if there is none to be had.
///
/// # Safety
/// `run` may be called with `job`, once, on another thread; it does not unwind.
unsafe fn spawn(run: Run, job: *mut c_void) -> Option<Thread> {
    let mut attributes = MaybeUninit::<Attributes>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: there is room for the attributes.
    if unsafe { pthread_attr_init(attributes) } != 0 {
        return None;
    }
    let mut thread: Thread = 0;
    // SAFETY: made above.
    let has_size = unsafe { pthread_attr_setstacksize(attributes, STACK_SIZE) } == 0;
    // SAFETY: the attributes are valid, `thread` is writable, and for `run` and `job` see the
    // contract.
    let has_started = has_size && unsafe { pthread_create(&mut thread, attributes, run, job) } == 0;
    // SAFETY: made above, not used any more.
    unsafe { pthread_attr_destroy(attributes) };
    has_started.then_some(thread)
}

/// Whether `run` is over, or was not begun for want of a thread.
///
/// # Safety
/// As for [`spawn`], until this returns `true`. `run` sets `is_over` at its end.
unsafe fn spawn_and_join(run: Run, job: *mut c_void, is_over: &AtomicBool) -> bool {
    // SAFETY: the contract.
    let Some(thread) = (unsafe { spawn(run, job) }) else { return true };
    let (mut idle, mut worked) = (0, work_of(thread));
    while idle < IDLE_LIMIT {
        // SAFETY: `thread` was started above, and is neither detached nor joined.
        if unsafe { join_in_a_second(thread, is_over) } {
            return true;
        }
        let before = std::mem::replace(&mut worked, work_of(thread));
        idle = if worked == before { idle + 1 } else { 0 };
    }
    // SAFETY: as above. Nobody joins it any more.
    unsafe { pthread_detach(thread) };
    false
}

#[cfg(test)]
mod tests {
    use super::{on_a_roomy_thread, Outcome};

    #[test]
    fn what_the_work_allocates_is_ignored() {
        let work = || {
            let before = crate::counters::ignored_allocs();
            std::hint::black_box(Box::new(1_u64));
            crate::counters::ignored_allocs() - before
        };
        assert!(matches!(on_a_roomy_thread(work), Outcome::Done(1)));
    }

    #[test]
    fn a_panic_of_the_work_stays_on_its_thread() {
        let outcome = on_a_roomy_thread(|| std::panic::resume_unwind(Box::new(())));
        assert!(matches!(outcome, Outcome::<()>::NotDone("it panicked")));
    }

    #[test]
    fn work_that_waits_for_ever_is_given_up_and_work_that_takes_its_time_is_not() {
        let (held, waited_for) = std::sync::mpsc::channel::<()>();
        assert!(matches!(on_a_roomy_thread(move || waited_for.recv().is_ok()), Outcome::Stuck));
        drop(held);
        let start = std::time::Instant::now();
        let long = std::time::Duration::from_secs(u64::from(super::IDLE_LIMIT) + 2);
        let work = move || while start.elapsed() < long {};
        assert!(matches!(on_a_roomy_thread(work), Outcome::Done(())));
    }

    #[test]
    fn the_work_may_use_half_a_megabyte_of_stack() {
        let work = || std::hint::black_box([1_u8; 1 << 18])[1 << 17];
        assert!(matches!(on_a_roomy_thread(work), Outcome::Done(1)));
    }
}
