//! Call sites of the whole process. Other tests run meanwhile, so each test looks only at lines of
//! its own.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::ops::Range;
use std::ptr;
use std::sync::mpsc;
use std::thread;

use mod_alloc::{AllocScope, CallSites, Profiler, Site};

use crate::lines::{at, noted, user_lines, Line};
use crate::needs_call_sites::needs_call_sites;

/// Allocates so many times, at the line that it returns.
#[inline(never)]
fn allocate(times: u64, bytes: usize) -> Line {
    noted();
    for _ in 0..times {
        drop(black_box(at!(Vec::<u8>::with_capacity(black_box(bytes)))));
    }
    noted()[0]
}

/// The sites at a line that were called from one of the lines of `callers`. Calls of other tests
/// come to the same line.
fn sites_at(sites: &CallSites, line: Line, callers: Range<u32>) -> impl Iterator<Item = &Site> {
    sites.sites().iter().filter(move |site| {
        let lines = user_lines(site);
        lines.first() == Some(&line)
            && lines.iter().any(|(file, line)| *file == file!() && callers.contains(line))
    })
}

/// The events and bytes of these sites.
fn at(sites: &CallSites, line: Line, callers: Range<u32>) -> (u64, u64) {
    let sites = || sites_at(sites, line, callers.clone());
    (sites().map(|s| s.alloc_count()).sum(), sites().map(|s| s.total_bytes()).sum())
}

#[test]
fn all_threads_are_seen_those_from_before_too() {
    needs_call_sites!();
    let start = line!();
    let (go, wait) = mpsc::channel();
    let (done, finished) = mpsc::channel();
    let early = thread::spawn(move || {
        allocate(3, 10); // Before the profiler starts.
        done.send(()).expect("the test waits");
        wait.recv().expect("the test sends");
        allocate(5, 100);
        done.send(()).expect("the test waits");
        wait.recv().expect("the test sends");
        allocate(7, 1_000); // Between the first reading and the second one.
    });
    finished.recv().expect("the thread sends");
    let profiler = Profiler::with_call_sites();
    go.send(()).expect("the thread waits");
    let late = thread::spawn(|| allocate(11, 10_000));
    let line = late.join().expect("it ends well");
    finished.recv().expect("the thread sends");
    allocate(1, 1);
    let lines = start..line!();
    assert_eq!(
        at(&profiler.call_sites(), line, lines.clone()),
        (5 + 11 + 1, 500 + 110_000 + 1),
        "{:#}",
        profiler.call_sites()
    );
    go.send(()).expect("the thread waits");
    early.join().expect("it ends well");
    let read_again = profiler.call_sites();
    assert_eq!(at(&read_again, line, lines), (5 + 11 + 1 + 7, 500 + 110_000 + 1 + 7_000));
    drop(profiler);
}

#[test]
fn overlapping_profilers_have_the_sites_of_their_own_time() {
    needs_call_sites!();
    let start = line!();
    let first = Profiler::with_call_sites();
    allocate(1, 1);
    let second = Profiler::with_call_sites();
    let line = allocate(11, 1);
    let lines = start..start + 20;
    assert_eq!(at(&first.call_sites(), line, lines.clone()), (12, 12));
    drop(first);
    allocate(100, 1);
    let third = Profiler::with_call_sites();
    allocate(1_000, 1);
    assert_eq!(at(&second.call_sites(), line, lines.clone()), (1_111, 1_111));
    drop(second);
    assert_eq!(at(&third.call_sites(), line, lines.clone()), (1_000, 1_000));
    drop(third);
    allocate(10_000, 1);
    let fourth = Profiler::with_call_sites();
    assert_eq!(at(&fourth.call_sites(), line, lines.clone()), (0, 0));
    assert!(lines.contains(&line!()));
}

#[test]
fn scopes_and_profilers_record_side_by_side() {
    needs_call_sites!();
    let start = line!();
    let outer = AllocScope::with_call_sites();
    allocate(1, 1);
    let profiler = Profiler::with_call_sites();
    let inner = AllocScope::with_call_sites();
    let line = allocate(10, 1);
    let lines = || start..start + 30;
    assert_eq!(at(&inner.call_sites(), line, lines()), (10, 10));
    drop(inner);
    allocate(100, 1);
    assert_eq!(at(&profiler.call_sites(), line, lines()), (110, 110));
    drop(profiler);
    allocate(1_000, 1);
    assert_eq!(at(&outer.call_sites(), line, lines()), (1_111, 1_111));
}

extern "C" {
    fn pthread_create(
        thread: *mut usize,
        attributes: *const c_void,
        run: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_join(thread: usize, result: *mut *mut c_void) -> c_int;
}

extern "C" fn profile_at_once(outermost: *mut c_void) -> *mut c_void {
    let start = line!();
    let profiler = Profiler::with_call_sites();
    let line = allocate(1, 1);
    let sites = profiler.call_sites();
    let here = sites_at(&sites, line, start..line!());
    let ends = here.filter_map(|site| site.frames().last()?.function().map(str::to_owned));
    // SAFETY: what the test passed, which waits for this thread.
    unsafe { *outermost.cast::<Vec<String>>() = ends.collect() };
    ptr::null_mut()
}

/// The thread is not one of std's, for std allocates on a new thread.
#[test]
fn chains_end_at_the_opener_on_a_thread_that_has_never_allocated() {
    needs_call_sites!();
    let mut outermost: Vec<String> = Vec::new();
    let into = (&mut outermost as *mut Vec<String>).cast();
    let mut thread = 0;
    // SAFETY: `profile_at_once` takes a place for a list of names, and does not unwind unless the
    // test fails.
    let error = unsafe { pthread_create(&mut thread, ptr::null(), profile_at_once, into) };
    assert_eq!(error, 0);
    // SAFETY: the thread was started above, and is joined once.
    assert_eq!(unsafe { pthread_join(thread, ptr::null_mut()) }, 0);
    assert_eq!(outermost.len(), 1, "{outermost:?}");
    assert!(outermost[0].ends_with("profile_at_once"), "{outermost:?}");
}
