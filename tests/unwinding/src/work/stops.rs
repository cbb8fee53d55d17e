//! Where a walk stops before the reference does, and says why: at signal frames, and at code that
//! finds its frame by another register. And where it might, but must not: on stacks that are not
//! the thread's own, and in frames of more than a mebibyte.

use std::ffi::c_int;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::{addr_of_mut, null_mut};

use super::allocate;
use super::frames::{frame_by_another_register, frame_on_another_stack, frame_without_a_rule};
use crate::compare::expecting;
use crate::walk::Stop;

pub(crate) fn work() {
    for _ in 0..20 {
        signal(0, on_signal);
        signal(libc::SA_ONSTACK, on_signal_on_its_stack);
        coroutine();
        assembly();
        huge_frame();
        switched();
        allocate(1); // What was remembered of these stacks does no harm.
    }
}

extern "C" fn on_signal(_: c_int) {
    expecting(Stop::UnknownCode, || allocate(2));
}

extern "C" fn on_signal_on_its_stack(_: c_int) {
    expecting(Stop::UnknownCode, || allocate(3));
}

const STACK: usize = 256 << 10;

/// Sends a signal to its own thread.
fn signal(flags: c_int, handler: extern "C" fn(c_int)) {
    let mut memory = vec![0_u8; STACK];
    let stack = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK };
    let mut stack_before = MaybeUninit::zeroed();
    // SAFETY: the memory lives until the stack is given back below.
    assert_eq!(unsafe { libc::sigaltstack(&stack, stack_before.as_mut_ptr()) }, 0);
    // SAFETY: all zeros is a valid one.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = flags;
    // SAFETY: the handler allocates, which is fine at `raise`, where nothing is interrupted.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &action, null_mut()) }, 0);
    // SAFETY: it has a handler.
    assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
    // SAFETY: what `sigaltstack` gave.
    assert_eq!(unsafe { libc::sigaltstack(stack_before.as_ptr(), null_mut()) }, 0);
}

static mut MAIN: MaybeUninit<libc::ucontext_t> = MaybeUninit::zeroed();

/// Runs a function on a stack of its own.
fn coroutine() {
    extern "C" fn run() {
        allocate(4);
    }
    let mut memory = vec![0_u64; STACK / 8];
    let mut context = MaybeUninit::<libc::ucontext_t>::zeroed();
    // SAFETY: writable.
    assert_eq!(unsafe { libc::getcontext(context.as_mut_ptr()) }, 0);
    // SAFETY: filled in by the call above.
    let mut context = unsafe { context.assume_init() };
    let main = addr_of_mut!(MAIN).cast(); // One thread comes here.
    context.uc_stack.ss_sp = memory.as_mut_ptr().cast();
    context.uc_stack.ss_size = STACK;
    context.uc_link = main;
    // SAFETY: the context has a stack and a successor, and `run` no arguments.
    unsafe { libc::makecontext(&mut context, run, 0) };
    // SAFETY: both are valid; `run` ends, which leads back here.
    assert_eq!(unsafe { libc::swapcontext(main, &context) }, 0);
}

fn assembly() {
    extern "C" fn stopping() {
        expecting(Stop::UnknownCode, || allocate(5));
    }
    // The reference ends there, too.
    extern "C" fn at_the_end() {
        allocate(6);
    }
    // SAFETY: calls back and returns.
    unsafe { frame_by_another_register(stopping) };
    // SAFETY: as above.
    unsafe { frame_without_a_rule(at_the_end) };
}

fn switched() {
    extern "C" fn inner() {
        allocate(8);
    }
    extern "C" fn outer() {
        on_another_stack(inner);
        allocate(9);
    }
    on_another_stack(outer);
}

fn on_another_stack(back: extern "C" fn()) {
    let mut memory = vec![0_u64; STACK / 8];
    let end = memory.as_mut_ptr_range().end as usize & !15;
    // SAFETY: calls back and returns; the stack ends there, and nobody is on it.
    unsafe { frame_on_another_stack(back, end) };
}

#[inline(never)]
fn huge_frame() {
    let array = MaybeUninit::<[u8; 3 << 19]>::uninit();
    black_box(&array);
    allocate(7);
    switched();
    black_box(&array);
}
