//! How much recording takes of the stack that it is on. That may be a coroutine's stack of one
//! page.
#![cfg(all(feature = "backtraces", unix))]
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::null_mut;
use std::thread;

use mod_alloc::{measure, AllocScope, Budget, ModAlloc, Profiler};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/other_stack.rs"]
mod other_stack;

use needs_call_sites::needs_call_sites;
use other_stack::OtherStack;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const PAGE: usize = 4096;

/// How many bytes of the stack `work` takes.
fn used_of(stack: &OtherStack, work: extern "C" fn(*mut c_void)) -> usize {
    const PAINT: u8 = 0xa5;
    // SAFETY: the stack's own memory, and nobody is on it.
    unsafe { stack.start.write_bytes(PAINT, stack.size) };
    stack.run(work, null_mut());
    // SAFETY: as above.
    let bytes = unsafe { std::slice::from_raw_parts(stack.start, stack.size) };
    stack.size - bytes.iter().position(|byte| *byte != PAINT).unwrap_or(stack.size)
}

#[inline(never)]
extern "C" fn one_box(_: *mut c_void) {
    drop(black_box(Box::new(black_box(1_u64))));
}

#[inline(never)]
extern "C" fn one_vec_that_grows(_: *mut c_void) {
    let mut vec = vec![1_u8; 100];
    vec.reserve_exact(black_box(1_000));
    drop(black_box(vec));
}

/// How much stack `work` takes without a scope, and while `budget` records.
fn used(budget: Budget, work: extern "C" fn(*mut c_void)) -> (usize, usize) {
    let stack = OtherStack::new(16 * PAGE);
    // The smallest number is right: while other tests track blocks, events take more stack.
    let unrecorded = (0..10).map(|_| used_of(&stack, work)).min().expect("ten");
    let recorded = budget.check(|| used_of(&stack, work)).expect("it holds");
    assert_eq!(budget.check(|| used_of(&stack, work)).expect("it holds"), recorded);
    (unrecorded, recorded)
}

#[test]
fn recording_takes_next_to_nothing_of_a_stack() {
    needs_call_sites!();
    let records = Budget::new().max(1_000).max_peak_bytes(1 << 30);
    for budget in [records, records.max_retained(1_000)] {
        let (unrecorded, recorded) = used(budget, one_box);
        assert!(recorded <= unrecorded + 512, "{unrecorded} and {recorded} bytes");
        // Where events are not counted in assembly, unoptimised code takes more, recorded or not.
        let most = if cfg!(target_arch = "x86_64") { 1_280 } else { 3_584 };
        assert!(recorded <= most, "{recorded} bytes");
        let (unrecorded, recorded) = used(budget, one_vec_that_grows);
        assert!(recorded <= unrecorded + 512, "{unrecorded} and {recorded} bytes");
    }
}

#[test]
fn a_stack_of_one_page_has_room_for_what_records() {
    needs_call_sites!();
    let stack = OtherStack::new(PAGE);
    stack.run(one_box, null_mut());
    for call_sites in [false, true] {
        let budget = Budget::new().max(1).max_retained(0).call_sites(call_sites);
        budget.enforce(|| stack.run(one_box, null_mut()));
    }
    // This thread has not recorded yet.
    let profiler = Profiler::with_call_sites();
    let other = thread::spawn(|| {
        let stack = OtherStack::new(PAGE);
        stack.run(one_box, null_mut());
    });
    other.join().unwrap();
    assert!(profiler.stop().alloc_count >= 1);
}

#[test]
fn what_is_recorded_on_another_stack_is_all_there() {
    needs_call_sites!();
    let stack = OtherStack::new(PAGE);
    let scope = AllocScope::with_call_sites();
    for _ in 0..100 {
        stack.run(one_box, null_mut());
        one_box(null_mut());
    }
    let sites = scope.call_sites();
    assert_eq!((sites.alloc_count(), scope.exit().alloc_count), (200, 200));
    let ((), stats) = measure(|| stack.run(one_box, null_mut()));
    assert_eq!(stats.alloc_count, 1);
}
