//! Call sites under rough treatment: backtraces and panics while a scope records, forks, small
//! stacks, thread-locals, the end of the process, no memory. Counts stay exact, and nothing hangs.
//! Each test runs itself again in a process of its own. When its time is up, that process is ended,
//! and the test fails.
#![cfg(all(feature = "backtraces", target_os = "linux"))]
#![allow(unsafe_code)]

use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic::{self, catch_unwind, resume_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{self, Command};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use mod_alloc::{uncounted, AllocScope, AllocStats, Budget, CallSites, Frame, ModAlloc, Profiler};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/other_stack.rs"]
mod other_stack;
#[path = "common/random.rs"]
mod random;

use call_sites_are_here::call_sites_are_here;
use other_stack::OtherStack;
use random::Random;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const LIMIT: Duration = Duration::from_secs(90);
const CHILD: &str = "MOD_ALLOC_TEST_CHILD";

extern "C" {
    fn fork() -> c_int;
    fn _exit(code: c_int) -> !;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn atexit(function: extern "C" fn()) -> c_int;
    fn mmap(
        at: *mut c_void,
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: isize,
    ) -> *mut c_void;
    fn malloc(size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
    fn setrlimit(resource: c_int, limit: *const [u64; 2]) -> c_int;
    fn getrlimit(resource: c_int, limit: *mut [u64; 2]) -> c_int;
}

const SIGKILL: c_int = 9;

/// Runs `work` in a process of its own, with these environment variables. `test` is the name of the
/// calling test.
fn in_a_process(test: &str, variables: &[(&str, &str)], work: fn()) {
    if std::env::var_os(CHILD).is_some() {
        work();
        println!("reached the end");
        return;
    }
    if !call_sites_are_here() {
        return println!("skipped: there are no call sites here");
    }
    let label: String = variables.iter().map(|(_, value)| format!("_{value}")).collect();
    let name = format!("{test}{label}_{}.txt", process::id());
    let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = File::create(&log).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env_remove("RUST_BACKTRACE")
        .env_remove("MOD_ALLOC_BACKTRACE")
        .env("MOD_ALLOC_COLOR", "never")
        .envs(variables.iter().copied())
        .env(CHILD, "1")
        .stdin(process::Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .process_group(0)
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if start.elapsed() > LIMIT {
            // SAFETY: ends the processes of the group that the child leads, which is not waited for
            // yet.
            unsafe { kill(-(child.id() as c_int), SIGKILL) };
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let said = fs::read(&log).unwrap();
    let said = String::from_utf8_lossy(&said);
    let _ = fs::remove_file(&log);
    let tail: Vec<&str> = said.lines().rev().take(60).collect();
    let tail: String = tail.iter().rev().map(|line| format!("    {line}\n")).collect();
    match status {
        None => panic!("{test} hangs: it was ended after {LIMIT:?}. It said last:\n{tail}"),
        Some(status) => assert!(
            status.success() && said.contains("reached the end"),
            "{test} failed with {:?} and signal {:?}. It said last:\n{tail}",
            status.code(),
            status.signal()
        ),
    }
}

/// The events and bytes of all sites.
fn sum(sites: &CallSites) -> (u64, u64) {
    let events: u64 = sites.sites().iter().map(|site| site.alloc_count()).sum();
    let bytes = sites.sites().iter().map(|site| site.total_bytes()).sum();
    (events, bytes)
}

/// Checks that every event is at a site, or is said to be at none.
#[track_caller]
fn assert_agrees(sites: &CallSites, stats: &AllocStats) {
    let expected = stats.alloc_count;
    assert_eq!(sites.alloc_count(), expected, "{sites:#}");
    assert_eq!(sites.realloc_count(), stats.realloc_count, "{sites:#}");
    assert_eq!(sites.total_bytes(), stats.total_bytes);
    assert_eq!(sum(sites).0 + sites.unattributed_count(), expected, "{sites:#}");
}

/// `AllocStats` without the peak, which depends on the order of events.
fn counts(stats: &AllocStats) -> [u64; 4] {
    [stats.alloc_count, stats.realloc_count, stats.dealloc_count, stats.total_bytes]
}

/// Checks that `work` counts the same with and without recording, and that all of it is at sites.
#[track_caller]
fn assert_loses_nothing(work: &dyn Fn()) {
    let run = |is_recording: bool| {
        if !is_recording {
            let scope = AllocScope::enter();
            work();
            return scope.exit();
        }
        let scope = AllocScope::with_call_sites();
        work();
        let (sites, stats) = (scope.call_sites(), scope.exit());
        assert_agrees(&sites, &stats);
        assert_eq!(sites.unattributed_count(), 0, "{sites:#}");
        stats
    };
    // By the third time, std has what it keeps after the first.
    let runs: Vec<_> =
        [false, true, false, true, false, true].into_iter().map(|r| counts(&run(r))).collect();
    assert_eq!(runs[2], runs[3]);
    assert_eq!(runs[4], runs[5]);
}

#[inline(never)]
fn deep(depth: usize, work: &mut dyn FnMut()) {
    if depth == 0 {
        work();
    } else {
        deep(depth - 1, work);
    }
    black_box(());
}

/// Makes seven allocations and one reallocation, of 1,150 bytes in all, on stacks of different
/// depth.
#[inline(never)]
fn allocate() {
    for i in 0..6 {
        deep(i, &mut || drop(black_box(Vec::<u8>::with_capacity(100 + i))));
    }
    let mut list = black_box(Vec::<u8>::with_capacity(100));
    list.reserve_exact(435);
    drop(black_box(list));
}

const EVENTS: u64 = 8;
const BYTES: u64 = 6 * 100 + 15 + 100 + 435;

/// Checks that a scope that records counts what `allocate` does, whatever else goes on.
#[track_caller]
fn record_and_check() -> AllocScope {
    let scope = AllocScope::with_call_sites();
    allocate();
    check(&scope.stats());
    scope
}

#[track_caller]
fn check(stats: &AllocStats) {
    assert_eq!((stats.alloc_count, stats.total_bytes), (EVENTS, BYTES));
}

#[track_caller]
fn report_and_check(scope: AllocScope) {
    let sites = scope.call_sites();
    assert_agrees(&sites, &scope.exit());
    drop((format!("{sites}"), format!("{sites:#}")));
}

fn show_backtraces() {
    let backtrace = Backtrace::force_capture();
    drop((format!("{backtrace}"), format!("{backtrace:#}"), format!("{backtrace:?}")));
}

/// Runs `work` on so many threads at once.
fn on_threads(threads: usize, work: impl Fn(usize) + Sync) {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let (work, barrier) = (&work, &barrier);
        let run = move |at| {
            barrier.wait();
            work(at);
        };
        let started: Vec<_> = (0..threads).map(|at| scope.spawn(move || run(at))).collect();
        for thread in started {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
        }
    });
}

#[test]
fn backtraces_within_a_scope_count_as_without_recording() {
    in_a_process("backtraces_within_a_scope_count_as_without_recording", &[], || {
        assert_loses_nothing(&|| drop(Backtrace::force_capture()));
        assert_loses_nothing(&show_backtraces);
        assert_loses_nothing(&|| deep(250, &mut || drop(Backtrace::force_capture())));
        let early = Backtrace::force_capture();
        assert_loses_nothing(&|| drop(format!("{early:#}")));
    });
}

#[test]
fn backtraces_on_several_threads_at_once_lose_no_count() {
    in_a_process("backtraces_on_several_threads_at_once_lose_no_count", &[], || {
        let profiler = Profiler::with_call_sites();
        on_threads(6, |at| {
            for round in 0..4 {
                let scope = AllocScope::with_call_sites();
                show_backtraces();
                allocate();
                let stats = scope.stats();
                if (at + round) % 3 == 0 {
                    assert_agrees(&scope.call_sites(), &stats);
                }
            }
        });
        let sites = profiler.call_sites();
        let stats = profiler.stop();
        // What is formatted after `call_sites` is in neither of them.
        assert_agrees(&sites, &stats);
    });
}

/// Many threads resolve the same captured backtrace at once.
#[test]
fn one_backtrace_formatted_by_many_threads_loses_no_count() {
    in_a_process("one_backtrace_formatted_by_many_threads_loses_no_count", &[], || {
        for _ in 0..5 {
            let backtrace = Arc::new(Backtrace::force_capture());
            on_threads(6, |_| {
                let scope = AllocScope::with_call_sites();
                drop(format!("{backtrace:#}"));
                report_and_check(scope);
            });
        }
    });
}

fn panics() {
    let work = || {
        let caught = catch_unwind(|| {
            let kept = black_box(vec![1_u8; 50]);
            panic!("a planned panic with {} bytes", kept.len());
        });
        drop(caught);
    };
    assert_loses_nothing(&work);
    assert_loses_nothing(&|| deep(100, &mut { work }));
    let profiler = Profiler::with_call_sites();
    on_threads(4, |at| {
        for _ in 0..3 {
            let scope = AllocScope::with_call_sites();
            work();
            allocate();
            if at == 0 {
                report_and_check(scope);
            }
        }
    });
    let sites = profiler.call_sites();
    assert_agrees(&sites, &profiler.stop());
}

#[test]
fn panics_with_a_backtrace_are_counted_as_without_recording() {
    let test = "panics_with_a_backtrace_are_counted_as_without_recording";
    for value in ["0", "1", "full"] {
        in_a_process(test, &[("RUST_BACKTRACE", value)], panics);
    }
}

/// Panics when it is formatted, and when it is written to.
struct Panicking;

impl fmt::Display for Panicking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", black_box(String::from("some")))?;
        panic!("in Display");
    }
}

impl fmt::Write for Panicking {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        panic!("in Write");
    }
}

struct FormatsInDrop;

impl Drop for FormatsInDrop {
    fn drop(&mut self) {
        let text = catch_unwind(|| format!("{}", Panicking));
        assert!(text.is_err());
        let backtrace = Backtrace::force_capture();
        let written = catch_unwind(AssertUnwindSafe(|| write!(Panicking, "{backtrace}")));
        assert!(written.is_err());
        show_backtraces();
    }
}

#[test]
fn panics_while_formatting_and_unwinding_lose_no_count() {
    let test = "panics_while_formatting_and_unwinding_lose_no_count";
    in_a_process(test, &[("RUST_BACKTRACE", "1")], || {
        let work = || {
            let caught = catch_unwind(|| {
                let _formats = FormatsInDrop;
                panic!("outer");
            });
            assert!(caught.is_err());
        };
        assert_loses_nothing(&work);
        // The panic leaves one scope, and there is one around that.
        let outer = AllocScope::with_call_sites();
        let caught = catch_unwind(|| {
            let _inner = AllocScope::with_call_sites();
            let _formats = FormatsInDrop;
            black_box(vec![0_u8; 10]);
            panic!("through a scope");
        });
        assert!(caught.is_err());
        report_and_check(outer);
    });
}

#[test]
fn a_panic_hook_may_record_and_report() {
    let test = "a_panic_hook_may_record_and_report";
    in_a_process(test, &[("RUST_BACKTRACE", "1")], || {
        static REPORTS: AtomicUsize = AtomicUsize::new(0);
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            report_and_check(record_and_check());
            let exceeded = Budget::new().max(2).check(allocate).unwrap_err();
            assert!(format!("{exceeded}").contains("first past the budget"), "{exceeded}");
            drop(format!("{exceeded:#?}"));
            default(info);
            report_and_check(record_and_check());
            REPORTS.fetch_add(1, SeqCst);
        }));
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(SeqCst) {
                    show_backtraces();
                }
            });
            on_threads(4, |_| {
                let around = AllocScope::with_call_sites();
                drop(catch_unwind(|| panic!("the hook reports")).unwrap_err());
                let _ = catch_unwind(|| {
                    let inner = record_and_check();
                    Budget::new().max(1).enforce(allocate);
                    drop(inner);
                });
                report_and_check(around);
            });
            is_over.store(true, SeqCst);
        });
        assert_eq!(REPORTS.load(SeqCst), 8);
        let _ = panic::take_hook();
    });
}

/// How far a forked child has come. It tells its parent so in memory that both have.
type Stage = AtomicU32;

fn new_stage() -> &'static Stage {
    // SAFETY: a page of zeros, shared with children, for ever: readable, writable, anonymous.
    let page = unsafe { mmap(ptr::null_mut(), 4096, 3, 0x21, -1, 0) };
    assert_ne!(page as isize, -1);
    // SAFETY: a page is large enough, zeros are valid, and it is never unmapped.
    unsafe { &*page.cast::<Stage>() }
}

/// What is wrong with a child, and the stage that it has reached.
type Failure = (u32, String);

/// Runs `child` in a forked child, which is to end within `limit`.
fn in_a_fork(limit: Duration, child: impl FnOnce(&Stage)) -> Result<(), Failure> {
    let stage = new_stage();
    // SAFETY: the child runs `child` and ends without returning.
    let process = unsafe { fork() };
    assert!(process >= 0);
    if process == 0 {
        let code = c_int::from(catch_unwind(AssertUnwindSafe(|| child(stage))).is_err());
        // SAFETY: ends the child at once.
        unsafe { _exit(code) };
    }
    let start = Instant::now();
    let mut status = 0;
    loop {
        // SAFETY: `status` is writable; does not wait.
        let ended = unsafe { waitpid(process, &mut status, 1) };
        if ended == process {
            let failure = || (stage.load(SeqCst), format!("status {status:x}"));
            return if status == 0 { Ok(()) } else { Err(failure()) };
        }
        if start.elapsed() > limit {
            // SAFETY: the child is not waited for yet.
            unsafe { kill(process, SIGKILL) };
            // SAFETY: as above.
            unsafe { waitpid(process, &mut status, 0) };
            return Err((stage.load(SeqCst), "hangs".to_owned()));
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// Runs `child` in so many forked children, each of which is to end within `limit`. Four run at the
/// same time, since a child that lacks a lock waits for some seconds, and the threads beside it
/// work on meanwhile.
fn in_forks(forks: usize, limit: Duration, child: impl Fn(&Stage) + Sync) -> Vec<Failure> {
    const AT_ONCE: usize = 4;
    let run = |_| in_a_fork(limit, &child).err();
    let some = || -> Vec<Failure> { in_time(forks / AT_ONCE).filter_map(run).collect() };
    thread::scope(|scope| {
        let others: Vec<_> = (1..AT_ONCE).map(|_| scope.spawn(some)).collect();
        let mut failures = some();
        failures.extend(others.into_iter().flat_map(|other| other.join().unwrap()));
        failures
    })
}

/// Counts up to `times`, or as far as there is time. On a busy machine, a fork may take a second.
fn in_time(times: usize) -> impl Iterator<Item = usize> {
    let start = Instant::now();
    (0..times).take_while(move |_| start.elapsed() < LIMIT / 3)
}

/// Runs `work` in a forked child, which has no thread but this one. In the parent, the harness has
/// a thread that waits for the test. For that, std registers a destructor, and if there is no
/// memory for it, glibc ends the process.
fn without_other_threads(work: impl FnOnce()) {
    in_a_fork(Duration::from_secs(60), |_| work()).unwrap();
}

macro_rules! different_functions {
    ($($name:ident)*) => {$(
        #[inline(never)]
        fn $name(work: &mut dyn FnMut()) {
            work();
            black_box(());
        }
    )*
    const DIFFERENT: &[fn(&mut dyn FnMut())] = &[$($name),*];};
}
different_functions!(f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15);

/// Records without end, on stacks that are not all known yet.
fn keep_recording(is_over: &AtomicBool, seed: u64) {
    let mut random = Random::new(seed);
    while !is_over.load(SeqCst) {
        let scope = AllocScope::with_call_sites();
        for _ in 0..20 {
            let [f, g, depth] = [(); 3].map(|()| random.below(16));
            DIFFERENT[f](&mut || DIFFERENT[g](&mut || deep(depth, &mut allocate)));
        }
        assert_eq!(scope.stats().alloc_count, 20 * EVENTS);
    }
}

/// What a child of a process with many threads does.
fn count_and_record_in_the_child(stage: &Stage) {
    stage.store(1, SeqCst);
    let outer = record_and_check();
    for function in DIFFERENT {
        function(&mut || drop(record_and_check()));
    }
    uncounted(allocate);
    let expected = (1 + DIFFERENT.len() as u64) * EVENTS;
    assert_eq!(outer.stats().alloc_count, expected);
    stage.store(2, SeqCst);
    Budget::new().max(expected).check(allocate).unwrap();
    stage.store(3, SeqCst);
}

const ON_PURPOSE: &str = "on purpose";

/// Forks while other threads record, report, panic and print backtraces.
fn fork_often(forks: usize, limit: Duration, child: impl Fn(&Stage) + Sync) -> Vec<Failure> {
    let is_over = AtomicBool::new(false);
    panic::set_hook(Box::new(|info| {
        drop(format!("{}", Backtrace::force_capture()));
        let payload = info.payload().downcast_ref::<&str>();
        if payload != Some(&ON_PURPOSE) {
            eprintln!("{info}");
        }
    }));
    let is_over = &is_over;
    let failures = thread::scope(|scope| {
        for seed in 0..3 {
            scope.spawn(move || keep_recording(is_over, seed));
        }
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                report_and_check(record_and_check());
            }
        });
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                drop(catch_unwind(|| panic::panic_any(ON_PURPOSE)));
                show_backtraces();
            }
        });
        let failures = in_forks(forks, limit, child);
        is_over.store(true, SeqCst);
        failures
    });
    let _ = panic::take_hook();
    failures
}

#[test]
fn forked_children_count_and_record() {
    in_a_process("forked_children_count_and_record", &[], || {
        let failures = fork_often(400, Duration::from_secs(10), count_and_record_in_the_child);
        assert!(failures.is_empty(), "{failures:?}");
    });
}

/// As above, but before anything has recorded in the parent, and from a thread that is not the main
/// one.
#[test]
fn forked_children_are_the_first_to_record() {
    in_a_process("forked_children_are_the_first_to_record", &[], || {
        let is_over = &AtomicBool::new(false);
        let failures: Vec<_> = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !is_over.load(SeqCst) {
                        show_backtraces();
                    }
                });
            }
            let child = |stage: &Stage| {
                let outer = AllocScope::with_call_sites();
                count_and_record_in_the_child(stage);
                stage.store(4, SeqCst);
                drop(outer);
            };
            let run = move |_| in_a_fork(Duration::from_secs(10), child).err();
            let work = move || (0..300).filter_map(run).collect();
            let failures = scope.spawn(work).join().unwrap();
            is_over.store(true, SeqCst);
            failures
        });
        assert!(failures.is_empty(), "{failures:?}");
    });
}

/// Runs `others` again and again on three threads, and forks meanwhile.
fn fork_beside(
    others: impl Fn() + Sync,
    forks: usize,
    child: impl Fn(&Stage) + Sync,
) -> Vec<Failure> {
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(SeqCst) {
                    others();
                }
            });
        }
        let failures = in_forks(forks, Duration::from_secs(10), child);
        is_over.store(true, SeqCst);
        failures
    })
}

#[test]
fn forked_children_read_the_numbers_of_the_process() {
    in_a_process("forked_children_read_the_numbers_of_the_process", &[], || {
        let others = || {
            black_box(GLOBAL.snapshot());
            GLOBAL.reset();
            black_box(Profiler::start().stop());
        };
        let failures = fork_beside(others, 300, |_| {
            black_box(GLOBAL.snapshot());
            GLOBAL.reset();
            allocate();
            check(&GLOBAL.snapshot());
            let profiler = Profiler::start();
            allocate();
            check(&profiler.stop());
        });
        assert!(failures.is_empty(), "{failures:?}");
    });
}

/// The profiler's lock may have been held, so a child gets its numbers or an error.
#[cfg(feature = "dhat-compat")]
#[test]
fn forked_children_never_wait_for_ever_for_the_profile_of_dhat() {
    use mod_alloc::dhat::{self, HeapStats};

    in_a_process("forked_children_never_wait_for_ever_for_the_profile_of_dhat", &[], || {
        let profiler = dhat::Profiler::builder().testing().build();
        drop(panic::take_hook());
        panic::set_hook(Box::new(|_| ()));
        let failures = fork_beside(
            || {
                black_box(HeapStats::get());
            },
            8,
            |_| {
                if let Err(error) = catch_unwind(HeapStats::get) {
                    let words = error.downcast_ref::<String>().map_or("", |words| words);
                    assert!(words.contains("when this process was forked"), "{words}");
                }
            },
        );
        assert!(failures.is_empty(), "{failures:?}");
        drop(profiler);
    });
}

/// Locks of std and of the loader that another thread held at the fork are held for ever in the
/// child. A report may lack names there, after some seconds, but it comes.
#[test]
fn forked_children_report() {
    in_a_process("forked_children_report", &[], || {
        let failures = fork_often(8, Duration::from_secs(30), |stage| {
            count_and_record_in_the_child(stage);
            // It is not formatted by `{}`, which panics where there are no names.
            let report = |scope: AllocScope| {
                let sites = scope.call_sites();
                assert_agrees(&sites, &scope.exit());
                drop(format!("{sites:#}"));
            };
            report(record_and_check());
            stage.store(4, SeqCst);
            // The second report does not wait again.
            let start = Instant::now();
            report(record_and_check());
            assert!(start.elapsed() < Duration::from_secs(4));
            stage.store(5, SeqCst);
            let exceeded = Budget::new().max(2).check(allocate).unwrap_err();
            drop(format!("{exceeded}"));
        });
        assert!(failures.is_empty(), "{failures:?}");
    });
}

/// A child of a process that does nothing else has all names, even if the thread that forks is not
/// the main one.
#[test]
fn a_forked_child_of_a_quiet_process_knows_all_names() {
    in_a_process("a_forked_child_of_a_quiet_process_knows_all_names", &[], || {
        let child = |_: &Stage| {
            let scope = record_and_check();
            let sites = scope.call_sites();
            assert_eq!(sites.unattributed_count(), 0, "{sites:#}");
            let is_named = |name| {
                let mut sites = sites.sites().iter();
                sites.any(|s| {
                    s.user_frames().any(|f| f.function().is_some_and(|f| f.contains(name)))
                })
            };
            assert!(is_named("allocate") && is_named("deep"), "{sites:#}");
        };
        for has_recorded in [false, true] {
            if has_recorded {
                drop(record_and_check());
            }
            in_a_fork(Duration::from_secs(30), child).unwrap();
            let fork = move || in_a_fork(Duration::from_secs(30), child);
            thread::scope(|scope| scope.spawn(fork).join()).unwrap().unwrap();
        }
    });
}

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().stack_size(16 << 10).spawn(work).unwrap()
}

#[test]
fn small_stacks_have_room_to_record_and_report() {
    in_a_process("small_stacks_have_room_to_record_and_report", &[], || {
        for _ in 0..10 {
            let threads: Vec<_> = (0..20)
                .map(|at| {
                    on_a_small_stack(move || {
                        let scope = AllocScope::with_call_sites();
                        deep(15, &mut allocate);
                        check(&scope.stats());
                        if at % 5 == 0 {
                            report_and_check(scope);
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
}

#[test]
fn a_broken_budget_reports_on_a_small_stack() {
    in_a_process("a_broken_budget_reports_on_a_small_stack", &[], || {
        let work = || {
            let exceeded = Budget::new().max(2).check(allocate).unwrap_err();
            assert!(format!("{exceeded}").contains("first past the budget"));
        };
        on_a_small_stack(work).join().unwrap();
        let repeated = || {
            let exceeded = Budget::new().max(2).runs(2).check(allocate).unwrap_err();
            assert!(format!("{exceeded}").contains("first past the budget"));
        };
        on_a_small_stack(repeated).join().unwrap();
    });
}

/// Records and reports when its thread ends.
struct ReportsAtTheEnd(&'static str);

impl Drop for ReportsAtTheEnd {
    fn drop(&mut self) {
        let outer = record_and_check();
        report_and_check(record_and_check());
        report_and_check(outer);
        ENDED.fetch_add(1, SeqCst);
        drop(black_box(String::from(self.0)));
    }
}

static ENDED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static FIRST: RefCell<Option<ReportsAtTheEnd>> = const { RefCell::new(None) };
    static SCOPE: RefCell<Option<AllocScope>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<ReportsAtTheEnd>> = const { RefCell::new(None) };
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn destructors_of_thread_locals_record_and_report() {
    in_a_process("destructors_of_thread_locals_record_and_report", &[], || {
        const THREADS: usize = 24;
        for is_profiling in [false, true] {
            ENDED.store(0, SeqCst);
            let profiler = is_profiling.then(Profiler::with_call_sites);
            let work = || {
                FIRST.with_borrow_mut(|place| *place = Some(ReportsAtTheEnd("first")));
                SCOPE.with_borrow_mut(|place| *place = Some(AllocScope::with_call_sites()));
                LAST.with_borrow_mut(|place| *place = Some(ReportsAtTheEnd("last")));
                allocate();
                SCOPE.with_borrow(|scope| check(&scope.as_ref().unwrap().stats()));
                DEPTH.with(|depth| depth.set(depth.get() + 1));
            };
            for _ in 0..THREADS / 8 {
                let threads: Vec<_> = (0..8).map(|_| thread::spawn(work)).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            }
            assert_eq!(ENDED.load(SeqCst), 2 * THREADS);
            if let Some(profiler) = profiler {
                let sites = profiler.call_sites();
                assert_agrees(&sites, &profiler.stop());
            }
        }
    });
}

/// The number of allocations that were made in this file's `allocate`.
fn count_in_allocate(sites: &CallSites) -> u64 {
    // Std has functions of that name too, and an optimised build knows no path of an inlined one.
    let is_it = |frame: &Frame| {
        frame.function().is_some_and(|function| function.ends_with("allocate"))
            && frame.file().is_some_and(|file| file.ends_with("call_sites_robust.rs"))
    };
    let of_it = sites.sites().iter().filter(|site| site.frames().iter().any(is_it));
    of_it.map(|site| site.alloc_count()).sum()
}

#[test]
fn two_hundred_short_threads_record_at_once() {
    in_a_process("two_hundred_short_threads_record_at_once", &[], || {
        let profiler = Profiler::with_call_sites();
        for _ in 0..10 {
            let threads: Vec<_> =
                (0..200).map(|_| on_a_small_stack(|| drop(record_and_check()))).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
        let sites = profiler.call_sites();
        assert_agrees(&sites, &profiler.stop());
        assert_eq!(count_in_allocate(&sites), 2_000 * EVENTS);
    });
}

/// Profilers come and go while others record, on threads that come and go. No scope loses an event,
/// and each profiler has at least what happened between its start and its reading.
#[test]
fn profilers_start_and_stop_while_threads_record() {
    const ROUNDS: u64 = 25;
    in_a_process("profilers_start_and_stop_while_threads_record", &[], || {
        let is_over = &AtomicBool::new(false);
        thread::scope(|scope| {
            for seed in 0..3 {
                scope.spawn(move || keep_recording(is_over, seed));
            }
            scope.spawn(|| {
                while !is_over.load(SeqCst) {
                    thread::spawn(|| drop(record_and_check())).join().unwrap();
                }
            });
            for round in 0..ROUNDS {
                let (first, second) = (Profiler::with_call_sites(), Profiler::with_call_sites());
                let kept = if round % 2 == 0 { first } else { second };
                let mine = AllocScope::enter();
                for _ in 0..10 {
                    allocate();
                }
                drop(mine);
                thread::spawn(|| (0..10).for_each(|_| allocate())).join().unwrap();
                if round == ROUNDS - 1 {
                    let sites = kept.call_sites();
                    assert!(count_in_allocate(&sites) >= 20 * EVENTS, "{sites:#}");
                }
            }
            is_over.store(true, SeqCst);
        });
        // All profilers have stopped. Recording ends, and counts go on.
        let (_, stats) = mod_alloc::measure(allocate);
        check(&stats);
    });
}

/// Runs `work` on a stack of its own.
fn on_another_stack<F: FnMut()>(mut work: F) {
    extern "C" fn call<F: FnMut()>(work: *mut c_void) {
        // SAFETY: `work` below, which nobody else uses now.
        unsafe { (*work.cast::<F>())() };
    }
    OtherStack::new(256 << 10).run(call::<F>, ptr::addr_of_mut!(work).cast());
}

#[test]
fn on_a_coroutines_stack_call_sites_go_as_far_as_the_stack_is_known() {
    let test = "on_a_coroutines_stack_call_sites_go_as_far_as_the_stack_is_known";
    in_a_process(test, &[], || {
        for _ in 0..3 {
            let outer = AllocScope::with_call_sites();
            allocate();
            on_another_stack(|| {
                allocate();
                let inner = record_and_check();
                let sites = inner.call_sites();
                assert_eq!(count_in_allocate(&sites), EVENTS);
                assert_agrees(&sites, &inner.exit());
            });
            allocate();
            let sites = outer.call_sites();
            let stats = outer.exit();
            assert_eq!(stats.alloc_count, 4 * EVENTS);
            assert_agrees(&sites, &stats);
            assert_eq!(count_in_allocate(&sites), 4 * EVENTS, "{sites:#}");
            // The function that changes stacks has no unwind table.
            let is_cut = format!("{sites:#}").contains("the stack is not complete");
            assert!(is_cut, "{sites:#}");
        }
    });
}

static AT_EXIT: AtomicUsize = AtomicUsize::new(0);

extern "C" fn at_exit() {
    for _ in 0..100 {
        allocate();
    }
    drop(record_and_check());
    report_and_check(record_and_check());
    AT_EXIT.fetch_add(1, SeqCst);
}

extern "C" fn last_at_exit() {
    if AT_EXIT.load(SeqCst) == 2 {
        println!("reached the end");
    }
}

#[test]
fn a_process_may_end_while_scopes_are_open_and_exit_handlers_record() {
    let test = "a_process_may_end_while_scopes_are_open_and_exit_handlers_record";
    in_a_process(test, &[], || {
        for handler in [last_at_exit, at_exit, at_exit] {
            // SAFETY: the handlers do not unwind: a panic in them ends the process.
            assert_eq!(unsafe { atexit(handler) }, 0);
        }
        std::mem::forget(Profiler::with_call_sites());
        let is_over: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        for seed in 0..3 {
            thread::spawn(move || keep_recording(is_over, seed));
        }
        let _open = record_and_check();
        SCOPE.with_borrow_mut(|place| *place = Some(AllocScope::with_call_sites()));
        FIRST.with_borrow_mut(|place| *place = Some(ReportsAtTheEnd("main")));
        process::exit(0);
    });
}

const ADDRESS_SPACE: c_int = 9;

/// Whether no more than this is granted once the address space is limited. qemu's user mode takes
/// the limit and does not heed it: such a test would use up the memory of the machine.
fn memory_can_be_used_up() -> bool {
    const MUCH: usize = 1 << 30;
    if std::env::var_os(CHILD).is_some() || !call_sites_are_here() {
        return true; // The parent has asked, or `in_a_process` says why not.
    }
    let is_refused = |_: &Stage| {
        // SAFETY: two words, as `struct rlimit`.
        assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &[1 << 20, 1 << 20]) }, 0);
        // SAFETY: new pages that nobody can touch: private, anonymous, without a reserve.
        let pages = unsafe { mmap(ptr::null_mut(), MUCH, 0, 0x4022, -1, 0) };
        assert_eq!(pages as isize, -1);
    };
    let can_be = in_a_fork(Duration::from_secs(60), is_refused).is_ok();
    if !can_be {
        println!("skipped: this system does not heed a limit of the address space");
    }
    can_be
}

/// Takes all memory that can be had, in blocks from `largest` down to `smallest` bytes. Each points
/// at the one before.
fn take_all(largest: usize, smallest: usize) -> *mut c_void {
    let mut last = ptr::null_mut();
    let mut size = largest;
    while size >= smallest {
        // SAFETY: any size may be asked for.
        let block = unsafe { malloc(size) };
        if block.is_null() {
            size /= 2;
            continue;
        }
        // SAFETY: the block has room for a pointer.
        unsafe { block.cast::<*mut c_void>().write(last) };
        last = block;
    }
    last
}

fn give_back(mut last: *mut c_void) {
    while !last.is_null() {
        // SAFETY: `take_all` wrote it.
        let before = unsafe { last.cast::<*mut c_void>().read() };
        // SAFETY: from `malloc`, and not used any more.
        unsafe { free(last) };
        last = before;
    }
}

/// Makes 100 allocations where blocks can be had, but no memory to keep a stack or a table in.
/// Before that, it makes [`FILLING`] allocations, with so many stacks that they fill what the
/// library has taken from the system in advance. Returns the 100 blocks.
#[allow(clippy::vec_box)] // Each is a block of its own.
fn allocate_without_memory_for_stacks() -> Vec<Box<[u8; 48]>> {
    let mut limit = [0; 2];
    // SAFETY: two words, as `struct rlimit`.
    assert_eq!(unsafe { getrlimit(ADDRESS_SPACE, &mut limit) }, 0);
    // Every other one of these blocks will be freed, so that no free block is beside another.
    let mut small: Vec<Option<Box<[u8; 48]>>> =
        uncounted(|| (0..400).map(|_| Some(black_box(Box::new([0_u8; 48])))).collect());
    let mut kept: Vec<Box<[u8; 48]>> = uncounted(|| Vec::with_capacity(100));
    // SAFETY: as above.
    assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &[1 << 20, limit[1]]) }, 0);
    let all = take_all(1 << 20, 48);
    uncounted(|| small.iter_mut().step_by(2).for_each(|block| *block = None));
    for depth in 0..FILLING {
        deep(depth as usize, &mut || drop(black_box(Box::new([1_u8; 48]))));
    }
    for i in 0..100 {
        let depth = i % 10;
        deep(depth, &mut || kept.push(black_box(Box::new([1_u8; 48]))));
    }
    let mut refused = Vec::<u8>::new();
    let was_refused = refused.try_reserve(4 << 20).is_err();
    give_back(all);
    // SAFETY: as above.
    assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &limit) }, 0);
    assert!(was_refused);
    uncounted(|| drop(small));
    kept
}

#[cfg_attr(target_env = "musl", ignore = "its `malloc` has memory left where glibc's has none")]
#[test]
fn without_memory_stacks_are_lost_visibly_and_counts_are_not() {
    if !memory_can_be_used_up() {
        return;
    }
    in_a_process("without_memory_stacks_are_lost_visibly_and_counts_are_not", &[], || {
        without_other_threads(|| {
            let scope = AllocScope::with_call_sites();
            drop(black_box(Box::new([0_u8; 48])));
            let before = scope.stats();
            let kept = allocate_without_memory_for_stacks();
            let stats = scope.stats();
            assert_eq!(stats.alloc_count - before.alloc_count, FILLING + 100);
            let sites = scope.call_sites();
            assert_agrees(&sites, &stats);
            assert!(sites.unattributed_count() >= 90, "{sites:#}");
            let lost = format!("{sites:#}");
            assert!(lost.contains(" at no site: there was no room for more stacks"), "{lost}");
            // Once there is memory, all is as before.
            drop(kept);
            report_and_check(record_and_check());
        });
    });
}

/// In KiB, as the system counts it.
fn address_space_in_use() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    size.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg_attr(target_env = "musl", ignore = "its `malloc` takes more from the system at a time")]
#[test]
fn without_room_for_a_thread_a_report_says_why_it_has_no_names() {
    if !memory_can_be_used_up() {
        return;
    }
    in_a_process("without_room_for_a_thread_a_report_says_why_it_has_no_names", &[], || {
        without_other_threads(|| {
            let scope = record_and_check();
            let mut limit = [0; 2];
            // SAFETY: two words, as `struct rlimit`.
            assert_eq!(unsafe { getrlimit(ADDRESS_SPACE, &mut limit) }, 0);
            // Enough for a report, and less than the stack of a thread.
            let little = (address_space_in_use() + 1024) << 10;
            // SAFETY: as above.
            assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &[little, limit[1]]) }, 0);
            let sites = scope.call_sites();
            // SAFETY: as above.
            assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &limit) }, 0);
            let text = format!("{sites:#}");
            let why = "names can't be looked up: no thread could be started for it";
            assert!(text.contains(why), "{text}");
            drop(scope);
            report_and_check(record_and_check());
        });
    });
}

#[cfg_attr(target_env = "musl", ignore = "its `malloc` has memory left where glibc's has none")]
#[test]
fn without_memory_stacks_of_attached_threads_are_lost_visibly_too() {
    if !memory_can_be_used_up() {
        return;
    }
    in_a_process("without_memory_stacks_of_attached_threads_are_lost_visibly_too", &[], || {
        without_other_threads(|| {
            let scope = AllocScope::with_call_sites();
            let handle = scope.handle();
            let before = scope.stats();
            uncounted(|| {
                thread::scope(|threads| {
                    let work = || {
                        let _attached = handle.attach();
                        allocate_without_memory_for_stacks()
                    };
                    drop(threads.spawn(work).join().expect("it ends well"));
                });
            });
            let stats = scope.stats();
            assert_eq!(stats.alloc_count - before.alloc_count, FILLING + 100);
            let sites = scope.call_sites();
            assert_agrees(&sites, &stats);
            assert!(sites.unattributed_count() >= 90, "{sites:#}");
        });
    });
}

/// How many allocations `allocate_without_memory_for_stacks` makes first.
const FILLING: u64 = 400;

/// Without memory, no scope can be opened. Nothing else happens.
#[test]
fn without_memory_no_scope_opens_or_it_counts_right() {
    if !memory_can_be_used_up() {
        return;
    }
    in_a_process("without_memory_no_scope_opens_or_it_counts_right", &[], || {
        without_other_threads(|| {
            let mut limit = [0; 2];
            // SAFETY: two words, as `struct rlimit`.
            assert_eq!(unsafe { getrlimit(ADDRESS_SPACE, &mut limit) }, 0);
            panic::set_hook(Box::new(|_| {}));
            for round in 0..40 {
                // SAFETY: as above.
                assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &[1 << 20, limit[1]]) }, 0);
                let all = take_all(1 << 20, 48);
                // So much memory can be had.
                let some = [1_usize, 3, 8, 20, 50][round % 5] * 1_000;
                let mut free_bytes = 0;
                let mut rest = all;
                while !rest.is_null() && free_bytes < some {
                    // SAFETY: `take_all` wrote it.
                    let before = unsafe { rest.cast::<*mut c_void>().read() };
                    // SAFETY: from `malloc`, and not used any more.
                    unsafe { free(rest) };
                    free_bytes += 48;
                    rest = before;
                }
                let measured = catch_unwind(|| {
                    let scope = AllocScope::with_call_sites();
                    let mut blocks = 0_u64;
                    for size in 1..30 {
                        let mut block = Vec::<u8>::new();
                        blocks += u64::from(block.try_reserve_exact(size * 10).is_ok());
                        drop(black_box(block));
                    }
                    (scope.stats(), blocks, scope)
                });
                give_back(rest);
                // SAFETY: as above.
                assert_eq!(unsafe { setrlimit(ADDRESS_SPACE, &limit) }, 0);
                if let Ok((stats, blocks, scope)) = measured {
                    assert_eq!(stats.alloc_count, blocks);
                    assert_agrees(&scope.call_sites(), &stats);
                }
            }
            let _ = panic::take_hook();
            report_and_check(record_and_check());
        });
    });
}
