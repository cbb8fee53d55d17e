//! `max_retained` and `max_retained_bytes`: blocks that were allocated in a scope and are live at
//! its end. They are counted by their identity.

use std::cell::RefCell;
use std::future::Future;
use std::hint::black_box;
use std::mem::forget;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{channel, Sender};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use mod_alloc::{
    alloc_budget, assert_allocs, measure, uncounted, AllocScope, Budget, Exceeded, ModAlloc,
};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;

use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

/// Holds `work` to limits that it breaks. Returns the blocks and bytes that it retained.
fn retained<R>(work: impl FnOnce() -> R) -> (u64, u64) {
    let limits = |blocks, bytes| {
        Budget::new().max_retained(blocks).max_retained_bytes(bytes).call_sites(false)
    };
    let mut value = None;
    let exceeded = limits(0, 0).check(|| value = Some(work())).err();
    let (blocks, bytes) = exceeded.as_ref().map_or((0, 0), numbers);
    drop(value);
    (blocks, bytes)
}

fn numbers(exceeded: &Exceeded) -> (u64, u64) {
    let numbers = (exceeded.retained_count(), exceeded.retained_bytes());
    (numbers.0.expect("asked for"), numbers.1.expect("asked for"))
}

fn on_a_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    uncounted(|| thread::scope(|scope| scope.spawn(work).join().expect("it ends well")))
}

#[test]
fn what_is_freed_within_is_not_retained_and_what_is_not_is() {
    assert_eq!(retained(|| drop(block(10))), (0, 0));
    assert_eq!(retained(|| block(10)), (1, 10));
    assert_eq!(retained(|| (block(10), drop(block(20)), block(30))), (2, 40));
    assert_eq!(retained(|| Box::leak(Box::new([0_u64; 4]))), (1, 32));
}

#[test]
fn it_goes_by_identity_not_by_subtraction() {
    let before = block(500);
    // As many blocks are freed as are allocated.
    assert_eq!(retained(|| (drop(before), block(7))), (1, 7));
}

#[test]
fn a_block_stays_the_same_when_it_is_reallocated() {
    let mut old = block(8);
    assert_eq!(retained(|| old.reserve_exact(100_000)), (0, 0), "it is from before");
    let grow = || {
        let mut new = block(8);
        new.reserve_exact(100_000);
        new.shrink_to(1_000);
        new
    };
    assert_eq!(retained(grow), (1, 1_000));
    assert_eq!(retained(|| drop(grow())), (0, 0));
}

#[cfg(target_pointer_width = "64")] // Others may grant half of all addresses.
#[test]
fn a_reallocation_that_fails_leaves_the_block_where_it_is() {
    let work = || {
        let mut block = block(64);
        block.try_reserve_exact(isize::MAX as usize - 64).expect_err("no system grants that");
        block
    };
    assert_eq!(retained(work), (1, 64));
    assert_eq!(retained(|| drop(work())), (0, 0));
}

#[test]
fn a_free_counts_wherever_it_happens() {
    assert_eq!(retained(|| on_a_thread_with(block(10), drop)), (0, 0));
    assert_eq!(retained(|| on_a_thread_with(block(10), forget)), (1, 10));
    assert_eq!(retained(|| uncounted_drop(block(10))), (0, 0));
    let (keeper, blocks) = keeper();
    assert_eq!(retained(|| blocks.send(block(10)).expect("it keeps them")).0, 1);
    drop(blocks);
    keeper.join().expect("it ends well");
}

fn on_a_thread_with(block: Vec<u8>, work: fn(Vec<u8>)) {
    on_a_thread(move || work(block));
}

fn uncounted_drop(block: Vec<u8>) {
    uncounted(|| drop(block));
}

/// Starts a thread that grows the blocks that it gets, and frees them when the sender is gone.
fn keeper() -> (thread::JoinHandle<()>, Sender<Vec<u8>>) {
    let (sender, blocks) = channel::<Vec<u8>>();
    // Otherwise, the channel's own first block would be retained.
    sender.send(Vec::new()).expect("it listens");
    let keep = move || {
        let mut kept: Vec<Vec<u8>> = blocks.iter().collect();
        kept.iter_mut().for_each(|block| block.reserve_exact(1_000));
    };
    (thread::spawn(keep), sender)
}

#[test]
fn what_is_allocated_in_uncounted_is_not_retained() {
    assert_eq!(retained(|| uncounted(|| forget(block(10)))), (0, 0));
}

/// Std frees some of a thread's memory after the end of the scope in which the thread was spawned.
#[test]
fn threads_that_nobody_joins_are_waited_for() {
    let spawn = || {
        thread::scope(|threads| {
            threads.spawn(|| ());
        });
    };
    spawn();
    let budget = Budget::new().max_retained(0).max_retained_bytes(0).call_sites(false);
    for _ in 0..1_000 {
        budget.check(spawn).expect("nothing leaks");
    }
    let waker = waker::idle();
    budget.runs(20).check(spawn).expect("nothing leaks");
    for _ in 0..100 {
        let mut future = Box::pin(budget.check_future(async { spawn() }));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(matches!(polled, Poll::Ready(Ok(()))));
        assert_eq!(retained(|| (spawn(), forget(block(50)))), (1, 50));
    }
}

/// If they did, a leak would depend on what other threads of the process do.
#[test]
fn what_a_thread_frees_later_that_is_not_std_s_own_is_live_at_the_end() {
    needs_call_sites!();
    for _ in 0..5 {
        let is_asked = &AtomicBool::new(false);
        thread::scope(|threads| {
            let exceeded = Budget::new().max_retained(0).check(|| {
                let kept = block(1_000);
                threads.spawn(move || {
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_millis(50) {}
                    drop(kept);
                    is_asked.store(true, SeqCst);
                });
            });
            let exceeded = exceeded.expect_err("the block was live");
            assert!(is_asked.load(SeqCst), "what std frees was waited for");
            assert_eq!(
                (exceeded.retained_count(), exceeded.retained_bytes()),
                (Some(1), Some(1_000))
            );
        });
    }
}

#[test]
fn a_thread_that_does_not_end_is_waited_for_a_while_only() {
    let (end, wait) = channel::<()>();
    let start = Instant::now();
    let mut thread = None;
    let budget = Budget::new().max_retained(0).call_sites(false);
    let exceeded = budget.check(|| {
        thread = Some(thread::spawn(move || wait.recv().is_err()));
        forget(block(50));
    });
    assert!(exceeded.expect_err("it leaks").retained_count() >= Some(1));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    drop(end);
    assert!(thread.expect("it was spawned").join().expect("it ends well"));
}

#[test]
fn budgets_nest() {
    let work = || {
        let (inner, outer_only) = (retained(|| forget(block(10))), block(100));
        assert_eq!(inner, (1, 10));
        let kept = Budget::new().max_retained(1).check(|| block(1_000)).expect("one is allowed");
        drop(kept);
        forget(outer_only);
    };
    assert_eq!(retained(work), (2, 110));
}

#[test]
fn attached_threads_retain_for_the_scope() {
    let work = || {
        let handle = AllocScope::current().expect("the budget");
        let kept = on_a_thread(handle.wrap(|| (block(10), drop(block(20)))));
        on_a_thread(|| forget(block(1_000)));
        on_a_thread(|| {
            handle.attach_thread();
            handle.run(|| forget(block(3)));
        });
        kept
    };
    let (blocks, bytes) = retained(work);
    assert_eq!((blocks, bytes), (2, 13));
}

#[test]
fn futures_retain_over_their_polls() {
    let waker = waker::idle();
    let check = |keeps: bool, expected: Option<(u64, u64)>| {
        let budget = Budget::new().max_retained(0).max_retained_bytes(0);
        let mut future = Box::pin(budget.check_future(async move {
            let held = block(10);
            let mut is_ready = false;
            std::future::poll_fn(|_| {
                let polled = if is_ready { Poll::Ready(()) } else { Poll::Pending };
                is_ready = true;
                polled
            })
            .await;
            if keeps {
                forget(held);
            }
        }));
        let mut context = Context::from_waker(&waker);
        let first = on_a_thread(|| future.as_mut().poll(&mut Context::from_waker(&waker)));
        assert!(first.is_pending());
        let between = block(1_000);
        let Poll::Ready(result) = future.as_mut().poll(&mut context) else { panic!("ready") };
        drop(between);
        assert_eq!(result.err().as_ref().map(numbers), expected);
    };
    check(false, None);
    check(true, Some((1, 10)));
}

#[test]
fn a_thread_that_polls_while_it_is_attached_retains_once() {
    let waker = waker::idle();
    let mut context = Context::from_waker(&waker);
    let budget = Budget::new().max_retained(0).max_retained_bytes(0).call_sites(false);
    let handle = RefCell::new(None);
    let mut future = Box::pin(budget.check_future(std::future::poll_fn(|_| {
        if handle.borrow().is_none() {
            *handle.borrow_mut() = AllocScope::current();
            return Poll::Pending;
        }
        forget(block(10));
        Poll::Ready(())
    })));
    assert!(future.as_mut().poll(&mut context).is_pending());
    let between = handle.borrow().clone().expect("the budget");
    let attached = between.attach();
    let Poll::Ready(result) = future.as_mut().poll(&mut context) else { panic!("ready") };
    drop(attached);
    assert_eq!(numbers(&result.expect_err("one block")), (1, 10));
}

#[test]
fn every_run_is_for_itself() {
    let mut kept = Vec::with_capacity(100);
    let repeated = Budget::new().max_retained(1).warmup(1).runs(5);
    repeated.check(|| kept.push(block(10))).expect("one each");
    let exceeded = repeated.check(|| kept.extend([block(10), block(20)])).expect_err("two each");
    assert!(exceeded.to_string().contains("2..2"), "{exceeded}");
}

#[alloc_budget(max_retained = 0)]
fn leaks_nothing() -> usize {
    block(10).capacity()
}

#[alloc_budget(max_retained = 1, max_retained_bytes = 10, call_sites = false)]
fn returns_a_block() -> Vec<u8> {
    block(10)
}

#[test]
fn the_macros_have_the_keys() {
    assert_eq!((leaks_nothing(), returns_a_block().capacity()), (10, 10));
    let block = assert_allocs!(max_retained = 1, { block(10) });
    assert_allocs!(max_retained = 0, max_deallocs = 1, { drop(block) });
    std::panic::catch_unwind(|| assert_allocs!(max_retained = 0, { forget(self::block(10)) }))
        .expect_err("a leak");
}

/// A recursive function.
#[alloc_budget(max_retained = 0)]
fn grows_and_leaks_nothing(depth: u32) {
    if depth > 1 {
        return grows_and_leaks_nothing(depth - 1);
    }
    let mut digits = Vec::new();
    (0..100_u8).for_each(|digit| digits.push(std::hint::black_box(digit)));
}

#[test]
fn leak_checks_hold_at_any_depth() {
    for depth in [1, 8, 9, 100] {
        grows_and_leaks_nothing(depth);
    }
}

/// It runs a thousand times, since addresses are used again and again.
#[test]
fn what_was_leaked_before_does_not_matter() {
    for round in 0..1_000 {
        let mut leaked = Vec::with_capacity(8);
        assert_eq!(retained(|| leaked.extend([block(10), block(20)])), (2, 30));
        leaked.clear();
        assert_eq!(retained(|| drop((block(10), block(20)))), (0, 0), "round {round}");
    }
}

#[test]
fn the_sites_of_retained_blocks_are_where_they_were_allocated_first() {
    needs_call_sites!();
    let line = line!() + 4;
    let exceeded = Budget::new()
        .max_retained(1)
        .check(|| {
            let mut kept = Vec::<u8>::with_capacity(10);
            kept.reserve_exact(10_000);
            drop(block(5));
            (black_box(kept), block(7))
        })
        .expect_err("two");
    let sites = exceeded.retained_sites().expect("recorded");
    let lines: Vec<_> = sites
        .sites()
        .iter()
        .map(|site| (site.user_frames().next().and_then(|frame| frame.line()), site.total_bytes()))
        .filter(|(_, bytes)| *bytes == 10_000)
        .collect();
    assert_eq!((sites.alloc_count(), lines), (2, vec![(Some(line), 10_000)]));
    let counted = Budget::new().max(0).check(|| block(1)).expect_err("one");
    assert!(counted.retained_count().is_none() && counted.retained_sites().is_none());
}

/// The rest of the program goes on as before.
#[test]
fn counts_are_the_same_with_and_without() {
    let work = || {
        let mut numbers = Vec::new();
        numbers.extend(0..1_000_u32);
        black_box(&numbers);
        (block(5), numbers.len())
    };
    let ((kept, _), plain) = measure(work);
    drop(kept);
    let exceeded = Budget::new().max_retained(0).check(work).expect_err("one");
    assert_eq!(exceeded.stats(), plain);
}
