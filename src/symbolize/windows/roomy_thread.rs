//! Cold: `on_a_roomy_thread`, which runs work on a thread with a large stack and waits for it; and
//! `start_thread`, which does not wait.
//!
//! A plain thread of the system, for std's own allocates on both sides for what it keeps of each
//! thread.
//!
//! Relies on: Windows, for threads: until it has ended, the new thread alone uses the job.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use crate::sys::win32::{CloseHandle, CreateThread, GetThreadTimes, Handle, WaitForSingleObject};

/// As large as std's own. Only what is used takes memory.
const STACK_SIZE: usize = 2 << 20;

/// So many seconds without any work done mean that the thread waits for a lock of std or of the
/// loader, whose holder waits for the thread that asks: `DllMain`, of which a report is made. A
/// thread does not even begin meanwhile.
const IDLE_LIMIT: u32 = 5;

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
    // On the heap, for a thread that is given up may still look at it.
    let job = Box::into_raw(Box::new(Job { work: Some(work), result: None }));
    // SAFETY: `run` is called with the job that it expects, once, and `job` is not touched before
    // that call is over.
    if unsafe { spawn_and_join(run::<F, R>, job.cast()) } {
        // SAFETY: from `Box::into_raw`, and the thread has ended, or never began.
        let job = unsafe { Box::from_raw(job) };
        let why = match job.work {
            Some(_) => "no thread could be started for it",
            None => "it panicked",
        };
        return job.result.map_or(Outcome::NotDone(why), Outcome::Done);
    }
    Outcome::Stuck
}

struct Job<F, R> {
    work: Option<F>,
    result: Option<R>,
}

type Run = extern "system" fn(*mut c_void) -> u32;

extern "system" fn run<F: FnOnce() -> R + Send, R: Send>(job: *mut c_void) -> u32 {
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
    0
}

/// Starts a thread that calls `work`, and waits neither for that nor for its end. What it allocates
/// counts nowhere.
pub(crate) fn start_thread(work: fn()) {
    let job = Box::into_raw(Box::new(Job { work: Some(work), result: None::<()> }));
    // SAFETY: `run` is called with the job that it expects, once, and `job` is not touched before
    // that call is over.
    match unsafe { spawn(run::<fn(), ()>, job.cast()) } {
        // SAFETY: the thread's, and not used again.
        Some(thread) => drop(unsafe { CloseHandle(thread) }),
        // SAFETY: from `Box::into_raw`, and no thread has it.
        None => drop(unsafe { Box::from_raw(job) }),
    }
}

/// Starts a thread that calls `run` with `job`; `None` if there is none to be had.
///
/// # Safety
/// `run` may be called with `job`, once, on another thread; it does not unwind.
unsafe fn spawn(run: Run, job: *mut c_void) -> Option<Handle> {
    const SIZE_IS_RESERVED: u32 = 0x1_0000;
    let id = ptr::null_mut();
    // SAFETY: the contract; what is null may be.
    let thread = unsafe { CreateThread(ptr::null(), STACK_SIZE, run, job, SIZE_IS_RESERVED, id) };
    (!thread.is_null()).then_some(thread)
}

/// Whether `run` is over, or was not begun for want of a thread.
///
/// # Safety
/// As for [`spawn`], until this returns `true`.
unsafe fn spawn_and_join(run: Run, job: *mut c_void) -> bool {
    // SAFETY: the contract.
    let Some(thread) = (unsafe { spawn(run, job) }) else { return true };
    let (mut idle, mut worked, mut is_over) = (0, work_of(thread), false);
    while idle < IDLE_LIMIT && !is_over {
        // SAFETY: a thread's handle, which is open.
        is_over = unsafe { WaitForSingleObject(thread, 1_000) } == 0;
        let before = std::mem::replace(&mut worked, work_of(thread));
        idle = if worked == before { idle + 1 } else { 0 };
    }
    // SAFETY: it is not used again.
    unsafe { CloseHandle(thread) };
    is_over
}

/// The time for which a thread has run.
fn work_of(thread: Handle) -> (u64, u64) {
    let (mut created, mut ended, mut in_kernel, mut outside) = (0, 0, 0, 0);
    // SAFETY: a thread's handle, which is open; the others are writable.
    unsafe { GetThreadTimes(thread, &mut created, &mut ended, &mut in_kernel, &mut outside) };
    (in_kernel, outside)
}
