//! threadpool: jobs that are sent to long-lived threads, which run those of many scopes, one after
//! another and at the same time.

mod load;
mod panics;

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use load::{allocate, block, numbers, repeat};
use mod_alloc::{alloc_budget, uncounted, AllocScope, Budget, ModAlloc};
use panics::allocations_of_a_panic;
use threadpool::ThreadPool;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const WORKERS: usize = 3;
const JOBS: u64 = 20;

/// Hands a job over. What that takes is for the pool to decide, and uncounted.
fn execute(pool: &ThreadPool, job: impl FnOnce() + Send + 'static) {
    uncounted(|| pool.execute(job));
}

#[test]
fn jobs_count() {
    let pool = ThreadPool::new(WORKERS);
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        for n in 1..=JOBS {
            execute(&pool, handle.wrap(move || allocate(n, 10)));
            execute(&pool, || allocate(50, 7));
        }
        pool.join();
        let events = JOBS * (JOBS + 1) / 2;
        assert_eq!(numbers(scope.exit()), (events, events, 10 * events, 0));
    });
}

/// There are jobs of an inner and an outer scope, and of one that ends before its jobs do.
#[test]
fn jobs_of_several_scopes_on_one_thread_do_not_mix() {
    let pool = ThreadPool::new(1);
    let both = Arc::new(Barrier::new(2));
    repeat(|| {
        let outer = AllocScope::enter();
        let inner = AllocScope::enter();
        let (of_outer, of_inner) = (outer.handle(), inner.handle());
        execute(&pool, of_outer.wrap(|| allocate(1, 100)));
        execute(&pool, of_inner.wrap(|| allocate(1, 10)));
        let (begun, waits) = (Arc::clone(&both), Arc::clone(&both));
        execute(&pool, move || {
            let _attached = of_inner.attach();
            begun.wait();
            // Here the inner scope ends. The thread stays attached to the outer one.
            begun.wait();
            allocate(1, 1);
            of_outer.run(|| allocate(1, 2));
        });
        waits.wait();
        assert_eq!(numbers(inner.exit()), (1, 1, 10, 0));
        waits.wait();
        pool.join();
        assert_eq!(numbers(outer.exit()), (4, 4, 113, 0));
    });
}

/// The pool makes a new thread for each job that panics.
#[test]
fn jobs_that_panic_count_up_to_there() {
    let pool = ThreadPool::new(WORKERS);
    let of_a_panic = allocations_of_a_panic();
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let panics = handle.wrap(|| {
            let _held = block(1_000);
            resume_unwind(Box::new(()));
        });
        execute(&pool, panics);
        execute(&pool, handle.wrap(|| allocate(1, 10)));
        pool.join();
        let stats = scope.exit();
        assert_eq!((stats.alloc_count, stats.dealloc_count), (2 + of_a_panic, 2));
    });
}

/// Adds up the lengths of the lines, which the jobs copy.
#[alloc_budget(exact = lines.len(), max_bytes = 3 * lines.len(), call_sites = false)]
fn lengths(pool: &ThreadPool, lines: &[&'static str]) -> usize {
    let handle = AllocScope::current().expect("the budget");
    let (sender, lengths) = uncounted(channel);
    for &line in lines {
        let (handle, sender) = (handle.clone(), sender.clone());
        execute(pool, move || {
            let copy = handle.run(|| line.to_string());
            sender.send(copy).unwrap();
        });
    }
    drop(sender);
    // A thread that has to wait for a message allocates.
    uncounted(|| lengths.iter().map(|line| line.len()).sum())
}

#[test]
fn a_function_is_held_to_what_its_jobs_allocate() {
    let pool = ThreadPool::new(WORKERS);
    repeat(|| assert_eq!(lengths(&pool, &["one", "two", "six"]), 9));
}

#[test]
#[should_panic(expected = "bytes                9        10  +1")]
fn one_byte_too_many_in_a_job_breaks_the_budget() {
    lengths(&ThreadPool::new(WORKERS), &["one", "four", "six"]);
}

thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });

/// Each worker keeps the buffer of its last job, in place of that of the job before, which was
/// allocated in the scope before.
#[test]
fn what_the_workers_keep_is_retained() {
    let pool = ThreadPool::new(WORKERS);
    let all = Arc::new(Barrier::new(WORKERS));
    let work = || {
        let handle = AllocScope::current().expect("the budget");
        for _ in 0..WORKERS {
            let all = Arc::clone(&all);
            let fill = handle.wrap(|| {
                BUFFER.with(|buffer| *buffer.borrow_mut() = block(100));
            });
            execute(&pool, move || {
                all.wait();
                fill();
            });
        }
        pool.join();
    };
    let workers = WORKERS as u64;
    let budget = Budget::new().max_retained_bytes(100 * workers).call_sites(false);
    repeat(|| {
        budget.max_retained(workers).check(work).unwrap();
        let exceeded = budget.max_retained(workers - 1).check(work).unwrap_err();
        // By subtraction, nothing would be retained.
        assert_eq!((exceeded.stats().alloc_count, exceeded.stats().live_count), (workers, 0));
    });
}
