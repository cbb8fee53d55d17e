//! crossbeam-utils: scoped threads that count in the scope of the thread that waits for them, and
//! spawn others in their turn.

mod load;
mod panics;

use std::panic::resume_unwind;

use crossbeam_utils::sync::WaitGroup;
use crossbeam_utils::thread::{scope, Scope};
use load::{allocate, block, numbers, repeat};
use mod_alloc::{alloc_budget, uncounted, AllocScope, Budget, ModAlloc, ScopeHandle};
use panics::allocations_of_a_panic;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const THREADS: u64 = 4;

/// Runs `work` with threads that end before it returns. Making and joining them is not counted.
fn with_threads<'env, R>(work: impl FnOnce(&Scope<'env>) -> R) -> R {
    uncounted(|| scope(work).unwrap())
}

#[test]
fn scoped_threads_count() {
    let text = String::from("what they borrow");
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let copies: Vec<String> = with_threads(|threads| {
            let copy = |_: &Scope<'_>| {
                allocate(3, 7);
                let copy = handle.run(|| text.clone());
                allocate(3, 7);
                copy
            };
            let threads: Vec<_> = (0..THREADS).map(|_| threads.spawn(copy)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let bytes = THREADS * text.len() as u64;
        assert_eq!(numbers(scope.stats()), (THREADS, 0, bytes, bytes as i64));
        copies.into_iter().for_each(drop);
        // The last one is the vector around them, which was not counted when it was made.
        assert_eq!(scope.exit().dealloc_count, THREADS + 1);
    });
}

/// A thread has a scope of its own, to which two others add. The scope of the test is around them
/// all.
#[test]
fn threads_of_threads_count_in_all_scopes_around_them() {
    fn family<'env>(handle: &'env ScopeHandle, threads: &Scope<'env>) {
        threads.spawn(move |threads| {
            let _attached = handle.attach();
            let own = AllocScope::enter();
            allocate(1, 10_000);
            let of_own = own.handle();
            uncounted(|| {
                let both = WaitGroup::new();
                for _ in 0..2 {
                    let (of_own, both) = (of_own.clone(), both.clone());
                    threads.spawn(move |_| {
                        of_own.run(|| allocate(1, 100));
                        handle.run(|| allocate(1, 1));
                        drop(both);
                    });
                }
                both.wait();
            });
            let stats = own.exit();
            assert_eq!(numbers(stats), (3, 3, 10_200, 0));
            allocate(1, 1_000);
        });
    }
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        with_threads(|threads| (0..2).for_each(|_| family(&handle, threads)));
        assert_eq!(numbers(scope.exit()), (12, 12, 2 * (10_200 + 2 + 1_000), 0));
    });
}

#[test]
fn a_thread_that_panics_is_counted_up_to_there() {
    let of_a_panic = allocations_of_a_panic();
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        with_threads(|threads| {
            let panics = threads.spawn(|_| {
                handle.run(|| {
                    let _held = block(1_000);
                    allocate(4, 10);
                    resume_unwind(Box::new(()));
                });
            });
            assert!(panics.join().is_err());
            threads.spawn(|_| handle.run(|| allocate(5, 10)));
        });
        let stats = scope.exit();
        assert_eq!((stats.alloc_count, stats.dealloc_count), (10 + of_a_panic, 10));
    });
}

/// Sorts the halves of the numbers on two threads.
#[alloc_budget(exact = 3 + more, max_peak_bytes = 8 * numbers.len() + 8 * numbers.len())]
fn sorted(numbers: &[u64], more: u64) -> Vec<u64> {
    let handle = AllocScope::current().expect("the budget");
    let (low, high) = numbers.split_at(numbers.len() / 2);
    let half = |half: &[u64]| {
        handle.run(|| {
            let mut sorted = half.to_vec();
            sorted.sort_unstable();
            sorted
        })
    };
    let (low, high) = with_threads(|threads| {
        let (low, high) = (threads.spawn(|_| half(low)), threads.spawn(|_| half(high)));
        (low.join().unwrap(), high.join().unwrap())
    });
    let mut all = Vec::with_capacity(low.len() + high.len());
    let (mut low, mut high) = (low.into_iter().peekable(), high.into_iter().peekable());
    while let Some(next) = match (low.peek(), high.peek()) {
        (Some(one), Some(other)) if one > other => high.next(),
        (Some(_), _) => low.next(),
        _ => high.next(),
    } {
        all.push(next);
    }
    all
}

#[test]
fn a_function_is_held_to_what_its_threads_allocate() {
    let numbers: Vec<u64> = (0..100).map(|n| n * 37 % 101).collect();
    repeat(|| {
        let sorted = sorted(&numbers, 0);
        assert!(sorted.windows(2).all(|pair| pair[0] <= pair[1]));
    });
}

#[test]
#[should_panic(expected = "allocations  exactly 4         3  -1")]
fn a_function_whose_threads_allocate_less_than_it_says_fails() {
    sorted(&[3, 1, 2], 1);
}

#[test]
fn one_byte_less_than_the_peak_of_all_threads_breaks_the_budget() {
    repeat(|| {
        let work = || {
            let handle = AllocScope::current().expect("the budget");
            let own = block(100);
            with_threads(|threads| {
                let all = WaitGroup::new();
                for _ in 0..THREADS {
                    let (all, handle) = (all.clone(), &handle);
                    threads.spawn(move |_| {
                        handle.run(|| {
                            let held = block(1_000);
                            all.wait();
                            drop(held);
                        });
                    });
                }
            });
            drop(own);
        };
        // The last of them drops its `WaitGroup` when all blocks are held.
        let peak = 1_000 * THREADS + 100;
        Budget::new().max_peak_bytes(peak).check(work).unwrap();
        let exceeded = Budget::new().max_peak_bytes(peak - 1).check(work).unwrap_err();
        assert_eq!(exceeded.stats().peak_bytes, peak as i64);
    });
}
