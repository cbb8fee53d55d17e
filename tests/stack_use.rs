//! How much recording takes of the stack that it is on. That may be a coroutine's stack of one
//! page.
#![cfg(all(feature = "backtraces", target_os = "linux", target_arch = "x86_64", not(miri)))]
#![allow(unsafe_code)]

use std::arch::global_asm;
use std::ffi::{c_int, c_long, c_void};
use std::hint::black_box;
use std::ptr::null_mut;
use std::thread;

use mod_alloc::{measure, AllocScope, Budget, ModAlloc, Profiler};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

global_asm!(
    ".text",
    "stack_use_run_on:",
    "push rbp",
    "mov rbp, rsp",
    "mov rsp, rdi",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    "ret",
);

extern "C" {
    /// Calls `work` on the stack that ends there.
    fn stack_use_run_on(end: *mut c_void, work: extern "C" fn());
    fn mmap(
        at: *mut c_void,
        size: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn munmap(at: *mut c_void, size: usize) -> c_int;
    fn mprotect(at: *mut c_void, size: usize, protection: c_int) -> c_int;
}

const PAGE: usize = 4096;

/// Memory for a stack, above a page that nobody may touch.
struct OtherStack {
    start: *mut u8,
    size: usize,
}

impl OtherStack {
    fn new(pages: usize) -> Self {
        let size = (pages + 1) * PAGE;
        // SAFETY: new memory, wherever the system likes.
        let start = unsafe { mmap(null_mut(), size, 1 | 2, 0x22, -1, 0) };
        assert_ne!(start as isize, -1);
        // SAFETY: its first page, which nobody uses.
        assert_eq!(unsafe { mprotect(start, PAGE, 0) }, 0);
        Self { start: start.cast(), size }
    }

    fn run(&self, work: extern "C" fn()) {
        let end = self.start.wrapping_add(self.size).cast();
        // SAFETY: the stack ends there, and nobody is on it.
        unsafe { stack_use_run_on(end, work) };
    }

    /// How many bytes `work` takes.
    fn used_by(&self, work: extern "C" fn()) -> usize {
        const PAINT: u8 = 0xa5;
        let (first, size) = (self.start.wrapping_add(PAGE), self.size - PAGE);
        // SAFETY: the stack's own memory, and nobody is on it.
        unsafe { first.write_bytes(PAINT, size) };
        self.run(work);
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts(first, size) };
        size - bytes.iter().position(|byte| *byte != PAINT).unwrap_or(size)
    }
}

impl Drop for OtherStack {
    fn drop(&mut self) {
        // SAFETY: from `mmap`, of that size, and nobody is on it.
        unsafe { munmap(self.start.cast(), self.size) };
    }
}

#[inline(never)]
extern "C" fn one_box() {
    drop(black_box(Box::new(black_box(1_u64))));
}

#[inline(never)]
extern "C" fn one_vec_that_grows() {
    let mut vec = vec![1_u8; 100];
    vec.reserve_exact(black_box(1_000));
    drop(black_box(vec));
}

/// How much stack `work` takes without a scope, and while `budget` records.
fn used(budget: Budget, work: extern "C" fn()) -> (usize, usize) {
    let stack = OtherStack::new(16);
    // The smallest number is right: while other tests track blocks, events take more stack.
    let unrecorded = (0..10).map(|_| stack.used_by(work)).min().expect("ten");
    let recorded = budget.check(|| stack.used_by(work)).expect("it holds");
    assert_eq!(budget.check(|| stack.used_by(work)).expect("it holds"), recorded);
    (unrecorded, recorded)
}

#[test]
fn recording_takes_next_to_nothing_of_a_stack() {
    let records = Budget::new().max(1_000).max_peak_bytes(1 << 30);
    for budget in [records, records.max_retained(1_000)] {
        let (unrecorded, recorded) = used(budget, one_box);
        assert!(recorded <= unrecorded + 512, "{unrecorded} and {recorded} bytes");
        assert!(recorded <= 1_280, "{recorded} bytes");
        let (unrecorded, recorded) = used(budget, one_vec_that_grows);
        assert!(recorded <= unrecorded + 512, "{unrecorded} and {recorded} bytes");
    }
}

#[test]
fn a_stack_of_one_page_has_room_for_what_records() {
    let stack = OtherStack::new(1);
    stack.run(one_box);
    for call_sites in [false, true] {
        let budget = Budget::new().max(1).max_retained(0).call_sites(call_sites);
        budget.enforce(|| stack.run(one_box));
    }
    // This thread has not recorded yet.
    let profiler = Profiler::with_call_sites();
    let other = thread::spawn(|| {
        let stack = OtherStack::new(1);
        stack.run(one_box);
    });
    other.join().unwrap();
    assert!(profiler.stop().alloc_count >= 1);
}

#[test]
fn what_is_recorded_on_another_stack_is_all_there() {
    let stack = OtherStack::new(1);
    let scope = AllocScope::with_call_sites();
    for _ in 0..100 {
        stack.run(one_box);
        one_box();
    }
    let sites = scope.call_sites();
    assert_eq!((sites.alloc_count(), scope.exit().alloc_count), (200, 200));
    let ((), stats) = measure(|| stack.run(one_box));
    assert_eq!(stats.alloc_count, 1);
}
