//! rayon: jobs that count in the scope that they belong to, whichever worker runs or steals them.
//!
//! A worker that waits in `join` or `install` runs other jobs meanwhile. They are charged to
//! whatever the worker is attached to while it waits. So jobs that are not to count must not share
//! a pool with it, and each test here has a pool of its own.

mod load;

use std::sync::{Barrier, Mutex};
use std::thread;

use load::{allocate, block, numbers, repeat};
use mod_alloc::{alloc_budget, uncounted, AllocScope, AllocStats, Budget, ModAlloc, ScopeHandle};
use rayon::prelude::*;
use rayon::{join, join_context, ThreadPool, ThreadPoolBuilder};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const JOBS: u64 = 40;

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Makes two events, of 10 and of n bytes, for each n below `JOBS`. Before and after each, it does
/// what does not count.
fn run_jobs(handle: &ScopeHandle) {
    (0..JOBS as usize).into_par_iter().with_max_len(1).for_each(|n| {
        allocate(3, 7);
        handle.run(|| {
            allocate(1, 10);
            allocate(1, n + 1);
        });
        allocate(3, 7);
    });
}

const OF_THE_JOBS: (u64, u64, u64, i64) =
    (2 * JOBS, 2 * JOBS, 10 * JOBS + JOBS * (JOBS + 1) / 2, 0);

/// The numbers to compare if workers call rayon while they count. Now and then, they free there
/// what the threads of earlier pools have left.
fn events_and_bytes(stats: AllocStats) -> (u64, u64) {
    (stats.alloc_count, stats.total_bytes)
}

#[test]
fn jobs_of_a_parallel_iterator_count() {
    let pool = pool(3);
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        // What it takes to hand the work over is rayon's business.
        uncounted(|| pool.install(|| run_jobs(&handle)));
        allocate(1, 1);
        let (events, freed, bytes, net) = OF_THE_JOBS;
        assert_eq!(numbers(scope.exit()), (events + 1, freed + 1, bytes + 1, net));
    });
}

#[test]
fn what_a_job_hands_on_is_allocated_there_and_freed_here() {
    let pool = pool(3);
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let blocks: Vec<Vec<u8>> = uncounted(|| {
            let blocks = (0..JOBS).into_par_iter().map(|_| handle.run(|| block(100)));
            pool.install(|| blocks.collect())
        });
        assert_eq!(numbers(scope.stats()), (JOBS, 0, 100 * JOBS, 100 * JOBS as i64));
        blocks.into_iter().for_each(drop);
        // The last one is the vector around them, which was not counted when it was made.
        assert_eq!(scope.exit().dealloc_count, JOBS + 1);
    });
}

#[test]
fn the_peak_is_that_of_all_workers_together() {
    const WORKERS: usize = 3;
    let pool = pool(WORKERS);
    let all = Barrier::new(WORKERS);
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let own = block(500);
        uncounted(|| {
            pool.broadcast(|_| {
                handle.run(|| {
                    let held = block(1_000);
                    all.wait();
                    drop(held);
                    // No job goes on before all have freed their blocks.
                    all.wait();
                    allocate(10, 400);
                });
            })
        });
        drop(own);
        let stats = scope.exit();
        assert_eq!((stats.alloc_count, stats.peak_bytes), (1 + 11 * WORKERS as u64, 3_500));
    });
}

/// Makes one event in each node of a tree with two to the power of `depth` leaves. `join` is called
/// attached and not attached by turns. The handles are of the scope itself, and of whatever counts
/// on the worker.
fn tree(handle: &ScopeHandle, depth: u32) {
    if depth == 0 {
        return handle.run(|| allocate(1, 8));
    }
    if depth % 2 == 1 {
        join(|| tree(handle, depth - 1), || tree(handle, depth - 1));
        handle.run(|| allocate(1, 8));
    } else {
        handle.run(|| {
            allocate(1, 8);
            let same = AllocScope::current().expect("it is attached");
            join(|| tree(&same, depth - 1), || tree(handle, depth - 1));
        });
    }
}

#[test]
fn nested_joins_count_each_job_once() {
    const DEPTH: u32 = 5;
    const NODES: u64 = 2 * (1 << DEPTH) - 1;
    let pool = pool(3);
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        uncounted(|| pool.install(|| tree(&handle, DEPTH)));
        assert_eq!(events_and_bytes(scope.exit()), (NODES, 8 * NODES));
    });
}

/// A pool is made for each scope. Its threads may outlive the scope, and count until it ends.
#[test]
fn the_threads_of_a_pool_are_attached_where_they_start() {
    const WORKERS: u64 = 2;
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let pool = uncounted(|| {
            let builder = ThreadPoolBuilder::new().num_threads(WORKERS as usize);
            let pool = builder.start_handler(move |_| handle.attach_thread()).build().unwrap();
            // Whatever a worker allocates for its start, it has when it runs its first job.
            pool.broadcast(|_| ());
            pool
        });
        let before = scope.stats();
        uncounted(|| pool.broadcast(|_| allocate(5, 100)));
        let after = scope.stats();
        assert_eq!(after.alloc_count - before.alloc_count, 5 * WORKERS);
        assert_eq!(after.total_bytes - before.total_bytes, 500 * WORKERS);
        uncounted(|| drop(pool));
    });
}

/// The scope is that of a worker, which runs some of the jobs itself, and steals others while it
/// waits for the rest.
#[test]
fn a_job_on_the_scopes_own_worker_counts_once() {
    let pool = pool(2);
    let both = Barrier::new(2);
    repeat(|| {
        pool.install(|| {
            let scope = AllocScope::enter();
            let handle = scope.handle();
            // Neither of these ends before the other begins, so one of them is here and one
            // elsewhere.
            let job = |_| {
                both.wait();
                handle.run(|| allocate(1, 100));
                thread::current().id()
            };
            let (here, elsewhere) = pool.install(|| join_context(job, job));
            assert_eq!(here, thread::current().id());
            assert_ne!(here, elsewhere);
            run_jobs_only(&handle);
            assert_eq!(events_and_bytes(scope.exit()), (JOBS + 2, 100 * (JOBS + 2)));
        });
    });
}

/// Makes one event of 100 bytes in each job.
fn run_jobs_only(handle: &ScopeHandle) {
    let jobs = (0..JOBS as usize).into_par_iter().with_max_len(1);
    jobs.for_each(|_| handle.run(|| allocate(1, 100)));
}

/// The thread of the scope is the pool's only worker.
#[test]
fn a_pool_of_the_current_thread_alone_counts_once() {
    let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    let own = thread::current().id();
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        pool.install(|| {
            let job = || {
                assert_eq!(thread::current().id(), own);
                handle.run(|| allocate(1, 100));
            };
            join(job, || join(job, job));
            handle.run(|| run_jobs_only(&handle));
        });
        assert_eq!(events_and_bytes(scope.exit()), (JOBS + 3, 100 * (JOBS + 3)));
    });
}

/// The squares of the numbers below `count`, each in a vector of its own.
#[alloc_budget(exact = count, max_bytes = 8 * count, call_sites = false)]
fn squares(pool: &ThreadPool, count: u64, more: u64) -> Vec<Vec<u64>> {
    let handle = AllocScope::current().expect("the budget");
    let squares = (0..count).into_par_iter().map(|n| handle.run(|| vec![n * n]));
    uncounted(|| {
        pool.broadcast(|_| handle.run(|| allocate(more, 1)));
        pool.install(|| squares.collect())
    })
}

#[test]
fn a_function_is_held_to_what_its_jobs_allocate() {
    let pool = pool(2);
    repeat(|| {
        let squares = squares(&pool, JOBS, 0);
        assert_eq!(squares.last(), Some(&vec![(JOBS - 1) * (JOBS - 1)]));
    });
}

#[test]
#[should_panic(expected = "allocations  exactly 40        42  +2")]
fn one_allocation_more_in_each_worker_breaks_the_budget() {
    squares(&pool(2), JOBS, 1);
}

/// The jobs allocate, other jobs that belong to no scope free, and one keeps a block. What was
/// there before may go.
#[test]
fn what_the_jobs_retain_goes_by_block() {
    let pool = pool(2);
    let kept = Mutex::new(Vec::with_capacity(1));
    let budget = Budget::new().max_retained(0).call_sites(false);
    repeat(|| {
        let before: Vec<Vec<u8>> = (0..JOBS).map(|_| block(10)).collect();
        let work = |keeps: u64| {
            let handle = AllocScope::current().expect("the budget");
            let blocks: Vec<Vec<u8>> = uncounted(|| {
                let blocks = (0..JOBS).into_par_iter().map(|_| handle.run(|| block(100)));
                pool.install(|| blocks.collect())
            });
            let (keep, free): (Vec<_>, Vec<_>) =
                uncounted(|| blocks.into_iter().zip(0..).partition(|(_, number)| *number < keeps));
            uncounted(|| kept.lock().unwrap().extend(keep));
            uncounted(|| pool.install(|| free.into_par_iter().for_each(drop)));
        };
        budget.check(|| work(0)).unwrap();
        let exceeded = budget
            .check(|| {
                work(1);
                drop(before);
            })
            .unwrap_err();
        // By subtraction, one less than the blocks from before would be retained, and their vector.
        assert_eq!(exceeded.stats().alloc_count, JOBS);
        assert_eq!(kept.lock().unwrap().drain(..).count(), 1);
    });
}
