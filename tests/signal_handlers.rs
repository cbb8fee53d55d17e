//! Signal handlers that allocate, by an allocator that they may call. Nothing crashes or hangs, and
//! no number is wrong without a word about it. That is so on x86_64, where one instruction changes
//! a counter. Elsewhere it is loaded, added to and stored, and what a handler counts meanwhile is
//! lost.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_ulong};
use std::hint::{black_box, spin_loop};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::{Duration, Instant};

use mod_alloc::{measure, AllocScope, Budget, ModAlloc};

#[path = "common/allocate.rs"]
mod allocate;

use allocate::allocate;

/// Hands out one piece after the other, by one atomic addition, and takes none back.
struct Bump {
    used: AtomicUsize,
    memory: UnsafeCell<[u8; BYTES]>,
}

/// How much there is. Zeros take no memory until they are written to.
const BYTES: usize = 1 << 30;

// SAFETY: no piece is handed out twice.
unsafe impl Sync for Bump {}

static BUMP: Bump = Bump { used: AtomicUsize::new(0), memory: UnsafeCell::new([0; BYTES]) };

struct ByBump;

// SAFETY: the pieces lie in a static, do not overlap, and are aligned.
unsafe impl GlobalAlloc for ByBump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let most = layout.size() + layout.align();
        let used = BUMP.used.fetch_add(most, Relaxed);
        assert!(used + most <= BYTES, "the tests allocate more than was thought");
        let piece = BUMP.memory.get() as usize + used;
        (piece.next_multiple_of(layout.align())) as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static GLOBAL: ModAlloc<ByBump> = ModAlloc::with(ByBump);

extern "C" {
    fn signal(signal: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn pthread_self() -> c_ulong;
    fn pthread_kill(thread: c_ulong, signal: c_int) -> c_int;
}

const SIGUSR1: c_int = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Allocates,
    Measures,
}

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
    static WRONG: Cell<u64> = const { Cell::new(0) };
    static DOES: Cell<Does> = const { Cell::new(Does::Allocates) };
}

extern "C" fn handler(_: c_int) {
    RUNS.with(|runs| runs.set(runs.get() + 1));
    if DOES.with(Cell::get) == Does::Allocates {
        return allocate(1, 5);
    }
    let ((), stats) = measure(|| allocate(1, 5));
    if (stats.alloc_count, stats.total_bytes, stats.current_bytes) != (1, 5, 0) {
        WRONG.with(|wrong| wrong.set(wrong.get() + 1));
    }
}

/// Sends signals to the thread that made it, every 20 microseconds or so, when it is told to.
struct Signals {
    is_wanted: AtomicBool,
    is_sending: AtomicBool,
    is_over: AtomicBool,
}

impl Signals {
    fn send(&self, thread: c_ulong) {
        while !self.is_over.load(Relaxed) {
            self.is_sending.store(true, SeqCst);
            if self.is_wanted.load(SeqCst) {
                // SAFETY: the thread ends after this one.
                unsafe { pthread_kill(thread, SIGUSR1) };
            }
            self.is_sending.store(false, SeqCst);
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(20) {
                spin_loop();
            }
        }
    }

    /// Calls `work` again and again while signals come in. Returns how often the handler ran.
    fn interrupt(&self, mut work: impl FnMut()) -> u64 {
        let before = RUNS.with(Cell::get);
        self.is_wanted.store(true, SeqCst);
        let end = Instant::now() + Duration::from_millis(500);
        while Instant::now() < end || RUNS.with(Cell::get) < before + 100 {
            work();
        }
        self.is_wanted.store(false, SeqCst);
        while self.is_sending.load(SeqCst) {
            spin_loop();
        }
        // A signal that was sent has come in when a system call returns.
        thread::yield_now();
        RUNS.with(Cell::get) - before
    }
}

fn with_signals(does: Does, test: impl FnOnce(&Signals)) {
    DOES.with(|of_thread| of_thread.set(does));
    // SAFETY: the handler calls nothing that a handler may not call: that is what is tested.
    unsafe { signal(SIGUSR1, handler) };
    // SAFETY: no arguments.
    let this = unsafe { pthread_self() };
    let no = || AtomicBool::new(false);
    let signals = Signals { is_wanted: no(), is_sending: no(), is_over: no() };
    thread::scope(|threads| {
        threads.spawn(|| signals.send(this));
        let outcome = catch_unwind(AssertUnwindSafe(|| test(&signals)));
        signals.is_over.store(true, Relaxed);
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
    });
    assert_eq!(WRONG.with(Cell::get), 0, "what the handler has measured");
}

#[test]
fn counts_and_bytes_are_exact() {
    with_signals(Does::Allocates, |signals| {
        let scope = AllocScope::enter();
        let mut calls = 0;
        let runs = signals.interrupt(|| {
            calls += 1;
            allocate(100, 10);
            let mut grown = Vec::<u8>::with_capacity(10);
            grown.reserve_exact(20);
            drop(black_box(grown));
        });
        let stats = scope.exit();
        assert_eq!((stats.alloc_count, stats.realloc_count), (102 * calls + runs, calls));
        assert_eq!((stats.dealloc_count, stats.live_count), (101 * calls + runs, 0));
        assert_eq!((stats.total_bytes, stats.current_bytes), (1_030 * calls + 5 * runs, 0));
    });
}

#[test]
fn call_sites_are_complete() {
    with_signals(Does::Allocates, |signals| {
        let scope = AllocScope::with_call_sites();
        let mut calls = 0;
        let runs = signals.interrupt(|| {
            calls += 1;
            allocate(1, 10);
        });
        let (stats, sites) = (scope.stats(), scope.call_sites());
        assert_eq!(stats.alloc_count, calls + runs);
        assert_eq!((sites.alloc_count(), sites.total_bytes()), (calls + runs, stats.total_bytes));
    });
}

#[test]
fn scopes_in_handlers_and_around_them_have_the_right_numbers() {
    with_signals(Does::Measures, |signals| {
        let scope = AllocScope::enter();
        let runs = signals.interrupt(|| {
            let before = RUNS.with(Cell::get);
            let ((((), inner), middle), outer) = measure(|| measure(|| measure(|| ())));
            let counts = [inner, middle, outer].map(|stats| stats.alloc_count);
            assert!(counts[0] <= counts[1] && counts[1] <= counts[2], "{counts:?}");
            assert!(counts[2] <= RUNS.with(Cell::get) - before, "{counts:?}");
        });
        assert_eq!(scope.exit().alloc_count, runs);
    });
}

#[test]
fn what_a_thread_keeps_may_grow_meanwhile() {
    fn nest(depth: usize) {
        let scope = AllocScope::with_call_sites();
        if depth > 0 {
            nest(depth - 1);
        }
        allocate(1, depth + 1);
        assert!(scope.stats().alloc_count > depth as u64);
    }
    with_signals(Does::Measures, |signals| {
        signals.interrupt(|| nest(30));
    });
}

#[test]
fn leak_checks_hold_or_say_why_not() {
    with_signals(Does::Allocates, |signals| {
        let budget = Budget::new().max_retained(0).call_sites(false);
        let (mut held, mut broken) = (0, 0);
        let check = || {
            let work = || {
                let mut grown = Vec::<u8>::with_capacity(10);
                allocate(50, 10);
                grown.reserve_exact(20);
                drop(black_box(grown));
            };
            match budget.check(work) {
                Ok(()) => held += 1,
                Err(exceeded) => {
                    broken += 1;
                    let report = exceeded.to_string();
                    assert!(report.contains("were allocated in a signal handler"), "{report}");
                }
            }
        };
        signals.interrupt(check);
        // Handlers only lack room if they run one after the other, without an instruction of the
        // thread in between.
        assert!(held > 20 * broken, "{held} and {broken}");
    });
}
