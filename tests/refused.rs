//! A request beyond `max_block_bytes` that the inner allocator refuses: a line on stderr says which
//! budget that is, how large the block, and where it was requested, before null is returned. The
//! tests below run in processes of their own, which most of them end by an abort.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))] // It asks for 4 GiB.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;

use mod_alloc::{alloc_budget, assert_allocs, Budget, ModAlloc};

#[path = "common/again.rs"]
mod again;
#[path = "common/bounded.rs"]
mod bounded;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;

use bounded::{Bounded, GIBIBYTE};
use call_sites_are_here::call_sites_are_here;

/// `Bounded`, which itself asks for too much, if it was told so.
struct Asking;

thread_local!(static ASKS: Cell<bool> = const { Cell::new(false) });

// SAFETY: it answers as `Bounded` does.
unsafe impl GlobalAlloc for Asking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ASKS.with(|asks| asks.replace(false)) {
            tries_to_reserve();
        }
        // SAFETY: the caller's promise.
        unsafe { Bounded.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { Bounded.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { Bounded.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static GLOBAL: ModAlloc<Asking> = ModAlloc::with(Asking);

const SIGABRT: c_int = 6;
const SIGUSR1: c_int = 10;

extern "C" {
    fn fork() -> c_int;
    fn waitpid(child: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn raise(signal: c_int) -> c_int;
    fn signal(signal: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn dl_iterate_phdr(
        visit: extern "C" fn(*mut c_void, usize, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
}

fn run(test: &str, environment: &[(&str, &str)]) -> (Option<c_int>, String) {
    let mut again = again::this_binary();
    again.args(["--exact", test, "--ignored", "--test-threads=1"]);
    let (status, text) = again::run(again.envs(environment.iter().copied()));
    (status.signal(), text)
}

/// What is said of the budget of `code` where 4 GiB are refused.
fn line(code: &str, has_place: bool) -> String {
    let place = if has_place { "  requested at: tests/refused.rs:" } else { "" };
    format!(
        "\nmod-alloc: a request for 4,294,967,296 bytes is refused, beyond the budget's \
         `max_block_bytes = 1000`\n  budget: {code}  tests/refused.rs:N\n{place}"
    )
}

/// With `N` in place of the line of the budget.
fn without_line(text: &str) -> String {
    let Some((before, rest)) = text.split_once("  tests/refused.rs:") else {
        return text.to_owned();
    };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}  tests/refused.rs:N{rest}")
}

/// The test is aborted after the line.
#[track_caller]
fn aborts(test: &str, environment: &[(&str, &str)], has_place: bool) {
    let (signal, text) = run(test, environment);
    let text = without_line(&text);
    let (_, after) = text.split_once(&line(test, has_place)).expect(&text);
    let after = if has_place { after.split_once('\n').expect(&text).1 } else { after };
    assert!(after.starts_with("memory allocation of 4294967296 bytes failed"), "{text}");
    assert_eq!(signal, Some(SIGABRT), "{text}");
}

#[inline(never)]
fn asks_for_too_much() {
    drop(black_box(Vec::<u8>::with_capacity(black_box(4 * GIBIBYTE))));
}

#[inline(never)]
fn tries_to_reserve() {
    assert!(Vec::<u8>::new().try_reserve_exact(black_box(4 * GIBIBYTE)).is_err());
}

#[test]
fn the_abort_comes_after_the_line_that_asked() {
    aborts("reserves", &[], call_sites_are_here());
    let (_, text) = run("reserves", &[]);
    assert!(
        !call_sites_are_here() || text.contains(" asks_for_too_much\nmemory allocation"),
        "{text}"
    );
}

#[alloc_budget(max_block_bytes = 1_000)]
#[test]
#[ignore = "the others run it"]
fn reserves() {
    asks_for_too_much();
}

#[test]
fn without_call_sites_there_is_no_place() {
    aborts("reserves", &[("MOD_ALLOC_BACKTRACE", "off")], false);
    aborts("counts_only", &[], false);
}

#[alloc_budget(max_block_bytes = 1_000, call_sites = false)]
#[test]
#[ignore = "as above"]
fn counts_only() {
    asks_for_too_much();
}

#[test]
fn the_thread_may_hold_stderr() {
    aborts("holds_stderr", &[], call_sites_are_here());
}

#[alloc_budget(max_block_bytes = 1_000)]
#[test]
#[ignore = "as above"]
fn holds_stderr() {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "locked").expect("stderr");
    asks_for_too_much();
}

#[test]
fn a_signal_handler_may_ask() {
    aborts("is_interrupted", &[], call_sites_are_here());
}

#[alloc_budget(max_block_bytes = 1_000)]
#[test]
#[ignore = "as above"]
fn is_interrupted() {
    extern "C" fn handler(_: c_int) {
        asks_for_too_much();
    }
    // SAFETY: the handler only asks for a block, in a process that no handler interrupts elsewhere.
    unsafe { signal(SIGUSR1, handler) };
    // SAFETY: the signal has a handler.
    unsafe { raise(SIGUSR1) };
}

/// The one who knows the line is in the parent.
#[test]
fn a_forked_child_does_not_wait() {
    aborts("forks", &[], false);
}

#[alloc_budget(max_block_bytes = 1_000)]
#[test]
#[ignore = "as above"]
fn forks() {
    // SAFETY: the child only asks for a block, and aborts.
    let child = unsafe { fork() };
    if child == 0 {
        asks_for_too_much();
    }
    let mut status = 0;
    // SAFETY: `status` is writable.
    unsafe { waitpid(child, &mut status, 0) };
    assert_eq!(status & 0x7f, SIGABRT);
    std::process::abort();
}

/// The line cannot be found before the abort, and the wait for it has an end.
#[test]
fn the_thread_may_hold_the_lock_of_the_loader() {
    aborts("iterates_over_what_is_loaded", &[], false);
}

#[alloc_budget(max_block_bytes = 1_000)]
#[test]
#[ignore = "as above"]
fn iterates_over_what_is_loaded() {
    extern "C" fn visit(_: *mut c_void, _: usize, _: *mut c_void) -> c_int {
        asks_for_too_much();
        1
    }
    // SAFETY: `visit` does not look at what it is shown.
    unsafe { dl_iterate_phdr(visit, std::ptr::null_mut()) };
}

/// The same for std's lock on backtraces.
#[test]
fn the_thread_may_be_at_a_backtrace() {
    let (signal, text) = run("makes_a_backtrace", &[]);
    let text = without_line(&text);
    assert!(text.contains(&line("makes_a_backtrace", false)), "{text}");
    assert!(!text.contains("requested at"), "{text}");
    assert!(signal.is_none() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "as above"]
fn makes_a_backtrace() {
    let makes = || {
        ASKS.with(|asks| asks.set(true));
        drop(black_box(Backtrace::force_capture()));
    };
    #[alloc_budget(max_block_bytes = 1_000)]
    fn makes_a_backtrace(makes: impl FnOnce()) {
        makes();
    }
    let broken = std::panic::catch_unwind(|| makes_a_backtrace(makes));
    assert!(broken.is_err() && !ASKS.with(Cell::get));
}

#[test]
fn code_that_handles_the_null_goes_on_and_hears_of_it_once() {
    let (signal, text) = run("tries_again", &[]);
    let text = without_line(&text);
    assert_eq!(text.matches("mod-alloc: ").count(), 1, "{text}");
    assert!(text.contains(&line("tries_again", call_sites_are_here())), "{text}");
    assert!(signal.is_none() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "as above"]
fn tries_again() {
    let broken = std::panic::catch_unwind(|| {
        assert_allocs!(max_block_bytes = 1_000, {
            for _ in 0..1_000 {
                tries_to_reserve();
            }
        });
    });
    let report = broken.expect_err("the budget is broken");
    let report = report.downcast_ref::<String>().expect("a report");
    let row = "  largest block   1,000  4,294,967,296  +4,294,966,296\n";
    assert!(report.contains(row), "{report}");
}

/// What is within the budget, or of the library itself, is nobody's concern.
#[test]
fn nothing_is_said_of_other_requests_that_are_refused() {
    let (signal, text) = run("is_allowed_more", &[]);
    assert!(!text.contains("mod-alloc: "), "{text}");
    assert!(signal.is_none() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "as above"]
fn is_allowed_more() {
    let most = 4 * GIBIBYTE as u64;
    assert!(Budget::new().max_block_bytes(most).check(tries_to_reserve).is_ok());
    assert!(Budget::new().max(0).check(tries_to_reserve).is_ok());
    let hidden = Budget::new().max_block_bytes(0).check(|| mod_alloc::uncounted(tries_to_reserve));
    assert!(hidden.is_ok());
}
