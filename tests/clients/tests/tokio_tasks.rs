//! tokio: spawned tasks that count in the scope that they belong to, on whichever worker they are
//! polled, moved, cancelled or dropped.
//!
//! To start and to join tasks is uncounted here: how often that allocates is for tokio to decide.
//! Tasks suspend by [`again`], and not by `tokio::task::yield_now`, for the same reason.

mod load;
mod panics;

use std::future::{pending, poll_fn, Future};
use std::panic::resume_unwind;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

use load::{allocate, block, numbers, repeat};
use mod_alloc::{alloc_budget, uncounted, AllocScope, Budget, ModAlloc};
use panics::allocations_of_a_panic;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const WORKERS: usize = 3;
const TASKS: u64 = 8;
const POLLS: u64 = 10;

fn runtime() -> Runtime {
    with_workers(WORKERS)
}

fn with_workers(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).build().unwrap()
}

/// Spawns a task, of which nothing counts but what the task itself does.
fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    uncounted(|| tokio::spawn(future))
}

/// Suspends once, wakes its task by itself, and allocates nothing.
async fn again() {
    let mut suspended = false;
    poll_fn(|cx| {
        if suspended {
            return Poll::Ready(());
        }
        suspended = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Suspends until another worker polls it. This worker is held up until then, so that it happens.
async fn elsewhere() {
    let here = thread::current().id();
    while thread::current().id() == here {
        let has_come = uncounted(Arc::<AtomicBool>::default);
        let mut suspended = false;
        poll_fn(|cx| {
            if suspended {
                return Poll::Ready(());
            }
            suspended = true;
            uncounted(|| hold_up(cx.waker().clone(), Arc::clone(&has_come)));
            Poll::Pending
        })
        .await;
        has_come.store(true, SeqCst);
        uncounted(|| drop(has_come));
    }
}

/// Spawns a task that this worker will run next. It blocks the worker until the present task has
/// come to another one.
fn hold_up(present: Waker, has_come: Arc<AtomicBool>) {
    drop(tokio::spawn(async move {
        // A task that is woken from outside the runtime may be taken by any worker.
        thread::spawn(|| present.wake()).join().unwrap();
        while !has_come.load(SeqCst) {
            thread::yield_now();
        }
    }));
}

/// Makes two events in each of its polls. One block of these is freed in the next poll.
async fn work() {
    work_moving(0).await;
}

/// Does the same. After each of the first few polls, it moves to another worker.
async fn work_moving(moves: u64) {
    let mut held = block(10);
    for poll in 1..POLLS {
        match poll <= moves {
            true => elsewhere().await,
            false => again().await,
        }
        allocate(1, 100);
        held = block(10);
    }
    allocate(1, 100);
    drop(held);
}

/// How many events one [`work`] makes.
const EVENTS: u64 = 2 * POLLS;
const BYTES: u64 = 110 * POLLS;

#[test]
fn tasks_count_on_every_thread_they_move_to() {
    let runtime = runtime();
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        uncounted(|| {
            runtime.block_on(async {
                let of_nobody = spawn(work());
                // One task at a time holds a worker up.
                let moves = |task| if task == 0 { 2 } else { 0 };
                let task = |task| spawn(handle.instrument(work_moving(moves(task))));
                let tasks: Vec<_> = (0..TASKS).map(task).collect();
                for task in tasks {
                    task.await.unwrap();
                }
                of_nobody.await.unwrap();
            });
        });
        let events = TASKS * EVENTS;
        assert_eq!(numbers(scope.exit()), (events, events, TASKS * BYTES, 0));
    });
}

/// In one task, there are polls within polls, of the same scope and of one around it, and futures
/// of several scopes are polled by turns.
#[test]
fn instrumented_futures_within_others_count_once() {
    let runtime = runtime();
    repeat(|| {
        let outer = AllocScope::enter();
        let inner = AllocScope::enter();
        let (of_outer, of_inner) = (outer.handle(), inner.handle());
        let within = |n: usize| {
            let (of_outer, of_inner) = (of_outer.clone(), of_inner.clone());
            of_outer.clone().instrument(async move {
                allocate(1, n);
                of_inner
                    .instrument(async {
                        work().await;
                        of_inner.instrument(work()).await;
                        of_outer.instrument(work()).await;
                    })
                    .await;
                again().await;
                allocate(1, n);
            })
        };
        let by_turns = || {
            let (of_outer, of_inner) = (of_outer.clone(), of_inner.clone());
            async move {
                let (one, other) = (of_outer.instrument(work()), of_inner.instrument(work()));
                tokio::join!(work(), one, work(), other, work());
            }
        };
        uncounted(|| {
            runtime.block_on(async {
                let (within, by_turns) = (spawn(within(1_000)), spawn(by_turns()));
                within.await.unwrap();
                by_turns.await.unwrap();
            });
        });
        let (events, bytes) = (4 * EVENTS, 4 * BYTES);
        assert_eq!(numbers(inner.exit()), (events, events, bytes, 0));
        let (events, bytes) = (events + EVENTS + 2, bytes + BYTES + 2_000);
        assert_eq!(numbers(outer.exit()), (events, events, bytes, 0));
    });
}

/// A task may be aborted in the middle of its work or before its first poll, or dropped with its
/// runtime. What it holds is freed in its scope.
#[test]
fn cancelled_tasks_count_up_to_their_end() {
    let runtime = runtime();
    repeat(|| {
        let (begun, turns) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let short_lived = with_workers(1);
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let never_done = || {
            let (begun, turns) = (Arc::clone(&begun), Arc::clone(&turns));
            handle.instrument(async move {
                begun.fetch_add(1, Relaxed);
                let _held = block(1_000);
                for _ in 0..POLLS {
                    turns.fetch_add(1, Relaxed);
                    allocate(1, 100);
                    again().await;
                }
                pending().await
            })
        };
        let never_polled = handle.instrument({
            let held = block(500);
            async move { drop(held) }
        });
        uncounted(|| {
            runtime.block_on(async {
                let aborted: [JoinHandle<()>; 2] = [spawn(never_done()), spawn(never_done())];
                drop(never_polled);
                let _dropped: JoinHandle<()> = short_lived.spawn(never_done());
                while turns.load(Relaxed) < POLLS / 2 {
                    again().await;
                }
                for task in aborted {
                    task.abort();
                    assert!(task.await.unwrap_err().is_cancelled());
                }
            });
            drop(short_lived);
        });
        let (begun, turns) = (begun.load(Relaxed), turns.load(Relaxed));
        let events = 1 + begun + turns;
        let bytes = 500 + 1_000 * begun + 100 * turns;
        assert_eq!(numbers(scope.exit()), (events, events, bytes, 0));
    });
}

/// The unwinding allocates where the task does, and frees after the poll.
#[test]
fn tasks_that_panic_count_up_to_there() {
    let runtime = runtime();
    let of_a_panic = allocations_of_a_panic();
    repeat(|| {
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let panics = || {
            let inner = handle.instrument(async {
                let _held = block(1_000);
                work().await;
                resume_unwind(Box::new(()));
            });
            handle.instrument(inner)
        };
        uncounted(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..TASKS).map(|_| spawn(panics())).collect();
                for task in tasks {
                    assert!(task.await.unwrap_err().is_panic());
                }
            });
        });
        let stats = scope.exit();
        assert_eq!(stats.alloc_count, TASKS * (EVENTS + 1 + of_a_panic));
        assert_eq!(stats.dealloc_count, TASKS * (EVENTS + 1));
    });
}

/// A runtime is made for each scope. What its workers allocate counts, whatever task they poll.
#[test]
fn the_threads_of_a_runtime_are_attached_where_they_start() {
    repeat(|| {
        let all = Arc::new(Barrier::new(WORKERS));
        let scope = AllocScope::enter();
        let handle = scope.handle();
        let runtime = uncounted(|| {
            let mut builder = Builder::new_multi_thread();
            let builder = builder.worker_threads(WORKERS);
            builder.on_thread_start(move || handle.attach_thread()).build().unwrap()
        });
        // Whatever a worker allocates for its start, it has when it runs its first task.
        uncounted(|| {
            runtime.block_on(async {
                let meet = || {
                    let all = Arc::clone(&all);
                    async move { all.wait().is_leader() }
                };
                let workers: Vec<_> = (0..WORKERS).map(|_| spawn(meet())).collect();
                for worker in workers {
                    worker.await.unwrap();
                }
            });
        });
        let before = scope.stats();
        uncounted(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..TASKS).map(|_| spawn(work())).collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
        let after = scope.stats();
        assert_eq!(after.alloc_count - before.alloc_count, TASKS * EVENTS);
        assert_eq!(after.total_bytes - before.total_bytes, TASKS * BYTES);
        uncounted(|| drop(runtime));
    });
}

/// Spawns two tasks, each of which spawns another one.
#[alloc_budget(exact = 4 * EVENTS + 1 + more)]
async fn fans_out(more: u64) {
    async fn spawns_another() {
        let handle = AllocScope::current().expect("the task is attached");
        let another = spawn(handle.instrument(work()));
        work().await;
        another.await.unwrap();
    }
    again().await;
    let handle = AllocScope::current().expect("the budget");
    let (one, other) =
        (spawn(handle.instrument(spawns_another())), spawn(handle.instrument(spawns_another())));
    again().await;
    allocate(1, 10);
    one.await.unwrap();
    other.await.unwrap();
}

#[test]
fn an_async_function_is_held_to_what_its_tasks_allocate() {
    let runtime = runtime();
    repeat(|| {
        runtime.block_on(async {
            let (one, other) = (spawn(fans_out(0)), spawn(fans_out(0)));
            one.await.unwrap();
            other.await.unwrap();
        });
    });
    let panic = runtime.block_on(async { spawn(fans_out(1)).await.unwrap_err().into_panic() });
    let report = panic.downcast_ref::<String>().unwrap();
    assert!(report.contains("allocations  exactly 82        81"), "{report}");
}

/// Suspends until `all` tasks have come.
async fn meet(have_come: &AtomicU64, all: u64) {
    have_come.fetch_add(1, Relaxed);
    while have_come.load(Relaxed) < all {
        again().await;
    }
}

#[test]
fn the_peak_is_that_of_all_tasks_together() {
    let runtime = runtime();
    const TOGETHER: u64 = 4;
    const PEAK: u64 = TOGETHER * 1_000 + 500;
    repeat(|| {
        let have_come = Arc::new(AtomicU64::new(0));
        let tasks = || async {
            let handle = AllocScope::current().expect("the budget");
            let own = block(500);
            let task = |have_come: Arc<AtomicU64>| {
                handle.instrument(async move {
                    let held = block(1_000);
                    meet(&have_come, TOGETHER).await;
                    drop(held);
                    meet(&have_come, 2 * TOGETHER).await;
                    allocate(10, 500);
                })
            };
            let tasks: Vec<_> =
                uncounted(|| (0..TOGETHER).map(|_| spawn(task(Arc::clone(&have_come)))).collect());
            for task in tasks {
                task.await.unwrap();
            }
            drop(own);
        };
        let budget = |peak| Budget::new().max_peak_bytes(peak).call_sites(false);
        runtime.block_on(async {
            budget(PEAK).check_future(tasks()).await.unwrap();
            have_come.store(0, Relaxed);
            let exceeded = budget(PEAK - 1).check_future(tasks()).await.unwrap_err();
            let stats = exceeded.stats();
            assert_eq!((stats.alloc_count, stats.peak_bytes), (1 + 11 * TOGETHER, PEAK as i64));
        });
    });
}

/// Each task sends a block to one that belongs to no scope, which keeps some and frees the others.
#[test]
fn what_the_tasks_retain_goes_by_block() {
    let runtime = runtime();
    let work = |keeps: usize| async move {
        let handle = AllocScope::current().expect("the budget");
        let (tasks, receivers): (Vec<_>, Vec<_>) = uncounted(|| {
            (0..TASKS)
                .map(|_| {
                    let (sender, receiver) = oneshot::channel();
                    let task = handle.instrument(async move {
                        again().await;
                        let mut sent = block(100);
                        sent.reserve_exact(200);
                        again().await;
                        drop(sender.send(sent));
                    });
                    (spawn(task), receiver)
                })
                .unzip()
        });
        let keeper = spawn(async move {
            let mut kept = Vec::new();
            for receiver in receivers {
                kept.push(receiver.await.unwrap());
            }
            kept.truncate(keeps);
            kept
        });
        for task in tasks {
            task.await.unwrap();
        }
        keeper.await.unwrap()
    };
    repeat(|| {
        let budget = |blocks: u64| {
            Budget::new().max_retained(blocks).max_retained_bytes(200 * blocks).call_sites(false)
        };
        runtime.block_on(async {
            budget(0).check_future(work(0)).await.unwrap();
            budget(3).check_future(work(3)).await.unwrap();
            let exceeded = budget(2).check_future(work(3)).await.unwrap_err();
            assert_eq!(exceeded.stats().alloc_count, 2 * TASKS);
            let one_byte_less = Budget::new().max_retained_bytes(599).call_sites(false);
            one_byte_less.check_future(work(3)).await.unwrap_err();
        });
    });
}
