//! The numbers of the whole process: `snapshot`, `reset` and `Profiler`. There is no test harness,
//! for its own threads would be counted. `main` runs one check after the other, and nothing else
//! allocates.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::Mutex;
use std::thread;

use mod_alloc::{AllocStats, ModAlloc, Profiler};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const FLUSH_BYTES: i64 = 16 << 10;

fn main() {
    a_profile_of_one_thread_is_exact();
    a_profile_sees_other_threads();
    the_peak_is_exact_while_one_thread_allocates();
    the_peak_is_never_below_the_current();
    the_peak_stays_within_its_bound_while_others_allocate();
    profilers_overlap_in_any_way();
    a_profiler_can_be_stopped_on_another_thread();
    reset_moves_the_baseline_of_snapshots_only();
    snapshots_never_fall();
    ended_threads_keep_their_share_of_the_peak();
    uncounted_is_in_the_process_totals();
    thread_local_destructors_are_counted();
    scopes_work_in_thread_local_destructors();
    the_current_stays_within_its_bound_while_a_block_shrinks();
    ten_thousand_threads_do_not_grow_the_memory();
    futures_under_a_budget_do_not_grow_the_memory();
    #[cfg(feature = "backtraces")]
    reports_are_in_no_total();
    println!("process: all checks hold");
}

fn bytes(count: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(count))
}

/// Runs `work` on a thread. What it takes to start the thread does not matter here.
fn on_a_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(work).join().expect("the thread ends well")
}

fn a_profile_of_one_thread_is_exact() {
    let profiler = Profiler::start();
    let mut kept = bytes(1_000);
    drop(bytes(50_000));
    kept.reserve_exact(3_000);
    let stats = profiler.stop();
    assert_eq!((stats.alloc_count, stats.realloc_count, stats.dealloc_count), (3, 1, 1));
    assert_eq!((stats.total_bytes, stats.current_bytes), (54_000, 3_000));
    assert_eq!((stats.peak_bytes, stats.live_count), (51_000, 1));
    assert_eq!(Profiler::start().stop(), AllocStats::default());
}

fn a_profile_sees_other_threads() {
    let spawning = {
        let profiler = Profiler::start();
        on_a_thread(|| ());
        profiler.stop()
    };
    let profiler = Profiler::start();
    on_a_thread(|| drop((bytes(10), bytes(20))));
    let stats = profiler.stop();
    assert_eq!(stats.alloc_count, spawning.alloc_count + 2);
    assert_eq!(stats.total_bytes, spawning.total_bytes + 30);
    assert_eq!(stats.live_count, spawning.live_count);
}

fn the_peak_is_exact_while_one_thread_allocates() {
    // Bytes that this thread has not reported do not disturb the other one, nor the other way
    // round.
    let held = bytes(5_000);
    let (go, wait) = mpsc::channel::<()>();
    let (done, ready) = mpsc::channel();
    let thread = thread::spawn(move || {
        let held = bytes(7_000);
        done.send(()).expect("main waits");
        wait.recv().expect("main sends");
        drop(held);
    });
    ready.recv().expect("the thread sends");
    for size in [1, 100, 10_000, 20_000, 1_000_000] {
        let profiler = Profiler::start();
        let block = bytes(size);
        drop(bytes(3));
        drop(block);
        drop(bytes(2));
        assert_eq!(profiler.stop().peak_bytes, size as i64 + if size >= 1 { 3 } else { 0 });
    }
    go.send(()).expect("the thread waits");
    thread.join().expect("the thread ends well");
    drop(held);
}

fn the_peak_is_never_below_the_current() {
    // The current number has bytes of another thread that are not reported. The peak must follow.
    let profiler = Profiler::start();
    let (kept, snapshot) = {
        let (send, receive) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            send.send(bytes(FLUSH_BYTES as usize / 2)).expect("main waits");
            wait.recv().expect("main sends");
        });
        let kept = receive.recv().expect("the thread sends");
        let snapshot = GLOBAL.snapshot();
        go.send(()).expect("the thread waits");
        thread.join().expect("the thread ends well");
        (kept, snapshot)
    };
    assert!(snapshot.peak_bytes >= snapshot.current_bytes, "{snapshot}");
    let stats = profiler.stop();
    assert!(stats.peak_bytes >= stats.current_bytes, "{stats}");
    drop(kept);
}

fn the_peak_stays_within_its_bound_while_others_allocate() {
    // Two threads hold a large block in turn, so that there is never more than one. This thread
    // looks all the time. Between the counters of the two lie those of many others, so that it
    // takes a while to read all of them.
    const LARGE: i64 = 1 << 30;
    static TURN: AtomicUsize = AtomicUsize::new(0);
    const LAST_TURN: usize = 4_000;
    fn take_turns(me: usize) {
        loop {
            match TURN.load(SeqCst) {
                turn if turn >= LAST_TURN => return,
                turn if turn % 2 == me => {
                    drop(bytes(LARGE as usize));
                    TURN.store(turn + 1, SeqCst);
                }
                _ => thread::yield_now(),
            }
        }
    }
    GLOBAL.reset();
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Arc::new(Mutex::new(wait));
    let first = thread::spawn(|| take_turns(0));
    let idle: Vec<_> = (0..200)
        .map(|_| {
            let wait = wait.clone();
            thread::Builder::new()
                .stack_size(64 << 10)
                .spawn(move || drop((bytes(1), wait.lock().expect("nobody panics").recv())))
                .expect("spawns")
        })
        .collect();
    let second = thread::spawn(|| take_turns(1));
    let bound = (200 + 4) * FLUSH_BYTES;
    while TURN.load(SeqCst) < LAST_TURN {
        let profiler = Profiler::start();
        let stats = profiler.stop();
        assert!(stats.peak_bytes <= LARGE + bound && stats.current_bytes.abs() <= LARGE + bound);
        // A profiler that began while the block was live cannot have risen by another one.
        assert!(stats.current_bytes > -LARGE / 2 || stats.peak_bytes < LARGE / 2, "{stats}");
        let snapshot = GLOBAL.snapshot();
        assert!(snapshot.peak_bytes <= LARGE + bound, "{snapshot}");
    }
    drop(go);
    for thread in idle.into_iter().chain([first, second]) {
        thread.join().expect("ends well");
    }
}

fn profilers_overlap_in_any_way() {
    let first = Profiler::start();
    let early = bytes(100);
    let second = Profiler::start();
    drop(bytes(1_000));
    let first = first.stop();
    let third = Profiler::start();
    drop(bytes(10_000));
    drop(early);
    let (second, third) = (second.stop(), third.stop());
    assert_eq!((first.alloc_count, first.peak_bytes, first.current_bytes), (2, 1_100, 100));
    assert_eq!((second.alloc_count, second.peak_bytes, second.current_bytes), (2, 10_000, -100));
    assert_eq!((third.alloc_count, third.peak_bytes, third.current_bytes), (1, 10_000, -100));
}

fn a_profiler_can_be_stopped_on_another_thread() {
    let profiler = Profiler::start();
    let kept = bytes(100_000);
    let stats = on_a_thread(move || profiler.stop());
    assert!(stats.current_bytes >= 100_000 && stats.peak_bytes >= stats.current_bytes, "{stats}");
    drop(kept);
}

fn reset_moves_the_baseline_of_snapshots_only() {
    let profiler = Profiler::start();
    let scope = mod_alloc::AllocScope::enter();
    let held = bytes(40_000);
    GLOBAL.reset();
    assert_eq!(GLOBAL.snapshot(), AllocStats::default());
    drop(bytes(500));
    let after = GLOBAL.snapshot();
    assert_eq!((after.alloc_count, after.total_bytes, after.peak_bytes), (1, 500, 500));
    drop(held);
    let after = GLOBAL.snapshot();
    assert_eq!((after.current_bytes, after.live_count, after.peak_bytes), (-40_000, -1, 500));
    assert_eq!(scope.exit().total_bytes, 40_500);
    let profile = profiler.stop();
    assert_eq!((profile.total_bytes, profile.peak_bytes), (40_500, 40_500));
}

fn snapshots_never_fall() {
    let mut before = GLOBAL.snapshot();
    for size in [100, 70_000, 10, 200_000, 5_000] {
        drop(bytes(size));
        let kept = on_a_thread(move || bytes(size));
        let now = GLOBAL.snapshot();
        assert!(now.peak_bytes >= before.peak_bytes && now.peak_bytes >= now.current_bytes);
        assert!(now.total_bytes >= before.total_bytes && now.alloc_count >= before.alloc_count);
        before = now;
        drop(kept);
    }
}

fn ended_threads_keep_their_share_of_the_peak() {
    // Each thread ends with bytes that it has not reported yet. None of them may be lost.
    let profiler = Profiler::start();
    let kept: Vec<_> = (0..100).map(|_| on_a_thread(|| bytes(1_000))).collect();
    drop(kept);
    let stats = profiler.stop();
    assert!((stats.peak_bytes - 100_000).abs() <= 2 * FLUSH_BYTES, "{stats}");
}

fn uncounted_is_in_the_process_totals() {
    let profiler = Profiler::start();
    let ((), scope) = mod_alloc::measure(|| mod_alloc::uncounted(|| drop(bytes(20_000))));
    let stats = profiler.stop();
    assert_eq!((stats.alloc_count, stats.total_bytes, stats.peak_bytes), (1, 20_000, 20_000));
    assert_eq!(scope, AllocStats::default());
}

/// Does something when its thread ends.
struct AtExit(Cell<fn()>);

impl Drop for AtExit {
    fn drop(&mut self) {
        self.0.get()();
    }
}

thread_local! {
    static EARLY: AtExit = const { AtExit(Cell::new(|| ())) };
    static LATE: AtExit = const { AtExit(Cell::new(|| ())) };
}

/// The destructor of a key that was made after the library's own. It runs when the library has
/// ended its part of the thread.
#[cfg(unix)]
mod last {
    use std::ffi::{c_int, c_void};
    use std::mem::transmute;
    use std::sync::OnceLock;

    extern "C" {
        fn pthread_key_create(key: *mut usize, destructor: extern "C" fn(*mut c_void)) -> c_int;
        fn pthread_setspecific(key: usize, value: *const c_void) -> c_int;
    }

    extern "C" fn run(work: *mut c_void) {
        // SAFETY: it is what `set` was given.
        let work = unsafe { transmute::<*mut c_void, fn()>(work) };
        work();
    }

    pub(super) fn set(work: fn()) {
        static KEY: OnceLock<usize> = OnceLock::new();
        let key = *KEY.get_or_init(|| {
            let mut key = 0;
            // SAFETY: `key` has room for any system's key, and `run` takes what `set` sets.
            assert_eq!(unsafe { pthread_key_create(&mut key, run) }, 0);
            key
        });
        // SAFETY: the key was made above.
        assert_eq!(unsafe { pthread_setspecific(key, work as *const c_void) }, 0);
    }
}

/// How many destructors [`with_destructors`] registers.
const DESTRUCTORS: usize = 2 + cfg!(unix) as usize;

/// Registers a destructor as the first thing that a thread does, and others after it has allocated.
/// Some of them run when the library has ended its part of the thread.
fn with_destructors(work: fn()) {
    on_a_thread(move || {
        EARLY.with(|exit| exit.0.set(work));
        drop(bytes(1));
        LATE.with(|exit| exit.0.set(work));
        #[cfg(unix)]
        last::set(work);
    });
}

fn thread_local_destructors_are_counted() {
    let profile = |work| {
        let profiler = Profiler::start();
        with_destructors(work);
        profiler.stop()
    };
    profile(|| ()); // The system sets up something once.
    let (idle, busy) = (profile(|| ()), profile(|| drop((bytes(100), bytes(200_000)))));
    let times = DESTRUCTORS as u64;
    assert_eq!(busy.alloc_count - idle.alloc_count, 2 * times);
    assert_eq!(busy.dealloc_count - idle.dealloc_count, 2 * times);
    assert_eq!(busy.total_bytes - idle.total_bytes, 200_100 * times);
    assert_eq!((busy.live_count, busy.current_bytes), (idle.live_count, idle.current_bytes));
    assert!(busy.peak_bytes >= 200_100 - 2 * FLUSH_BYTES, "{busy}");
}

fn scopes_work_in_thread_local_destructors() {
    static MEASURED: Mutex<Vec<AllocStats>> = Mutex::new(Vec::new());
    with_destructors(|| {
        let ((), stats) = mod_alloc::measure(|| drop((bytes(100), bytes(200))));
        MEASURED.lock().expect("nobody panics").push(stats);
    });
    let measured = MEASURED.lock().expect("nobody panics");
    assert_eq!(measured.len(), DESTRUCTORS);
    for stats in measured.iter() {
        assert_eq!((stats.alloc_count, stats.dealloc_count, stats.peak_bytes), (2, 2, 300));
    }
}

/// This is neither what it takes to find the names, on this thread and on one of its own, nor the
/// texts.
#[cfg(feature = "backtraces")]
fn reports_are_in_no_total() {
    needs_call_sites::needs_call_sites!();
    use std::fmt::Write;

    let mut text = String::with_capacity(1 << 20);
    let profiler = Profiler::with_call_sites();
    let scope = mod_alloc::AllocScope::with_call_sites();
    drop(bytes(10));
    let exceeded =
        mod_alloc::Budget::new().max(0).check(|| drop(bytes(20))).expect_err("it allocates");
    let before = GLOBAL.snapshot();
    let (all, own, broken) = (profiler.call_sites(), scope.call_sites(), exceeded.call_sites());
    write!(text, "{all:#} {own:#} {broken:#} {exceeded}").expect("it fits");
    assert!(text.len() < text.capacity() && text.contains("call sites"));
    assert_eq!(own.alloc_count(), 2);
    drop((all, own, broken, exceeded));
    // The report of the budget itself counts for the process, and was on the heap before.
    assert_eq!(GLOBAL.snapshot(), before);
    assert_eq!(profiler.call_sites().alloc_count(), 2);
    drop(scope);
    assert_eq!(profiler.stop().alloc_count, 2);
}

fn ten_thousand_threads_do_not_grow_the_memory() {
    // The memory of scopes that are closed, and of those that are forgotten, must be used again,
    // too.
    let work = || {
        let _ = mod_alloc::measure(|| drop(bytes(100)));
        #[cfg(unix)]
        last::set(|| std::mem::forget(mod_alloc::AllocScope::enter()));
    };
    let run = |threads: usize| {
        for _ in 0..threads / 8 {
            thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
                // By itself, `thread::scope` waits for what the threads do, and not for their ends,
                // which the next check would count.
                threads.into_iter().for_each(|thread| thread.join().expect("it ends well"));
            });
        }
    };
    run(200);
    let Some(before) = resident_bytes() else {
        return println!("process: no /proc, memory not checked");
    };
    run(10_000);
    let grown = resident_bytes().expect("as before") - before;
    // The counters of each thread would be 2.5 MB, and its scopes several times that.
    assert!(grown < 1 << 20, "10,000 threads left {grown} bytes behind");
}

/// A budget ends the count of an `async fn` before it is closed. What it has recorded by then is
/// kept aside.
fn futures_under_a_budget_do_not_grow_the_memory() {
    #[mod_alloc::alloc_budget(max = 1)]
    async fn work() {
        drop(bytes(100));
    }

    let waker = waker::idle();
    let run = |futures: usize| {
        for _ in 0..futures {
            let mut future = std::pin::pin!(work());
            let mut context = std::task::Context::from_waker(&waker);
            assert!(std::future::Future::poll(future.as_mut(), &mut context).is_ready());
        }
    };
    run(200);
    let Some(before) = resident_bytes() else {
        return println!("process: no /proc, memory not checked");
    };
    run(10_000);
    let grown = resident_bytes().expect("as before") - before;
    // What is kept aside would be 20 MB at the least.
    assert!(grown < 1 << 20, "10,000 futures left {grown} bytes behind");
}

fn the_current_stays_within_its_bound_while_a_block_shrinks() {
    const LARGE: i64 = 1 << 20;
    let (go, wait) = mpsc::channel::<()>();
    let (done, ready) = mpsc::channel();
    let before = GLOBAL.snapshot().current_bytes;
    let thread = thread::spawn(move || {
        let mut block = bytes(LARGE as usize);
        done.send(()).expect("the other end waits");
        wait.recv().expect("as above");
        block.shrink_to(1);
        done.send(()).expect("as above");
        wait.recv().expect("as above");
        drop(block);
    });
    let current = || {
        ready.recv().expect("the thread goes on");
        GLOBAL.snapshot().current_bytes - before
    };
    assert!((LARGE..=LARGE + FLUSH_BYTES).contains(&current()));
    go.send(()).expect("the thread waits");
    let shrunk = current();
    assert!(shrunk <= FLUSH_BYTES, "{shrunk}");
    go.send(()).expect("the thread waits");
    thread.join().expect("it ends well");
}

fn resident_bytes() -> Option<i64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_whitespace().nth(1)?.parse::<i64>().ok().map(|pages| pages * 4_096)
}
