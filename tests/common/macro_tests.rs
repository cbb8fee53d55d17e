//! What the tests of the macros share: code that allocates a given number of times, and assertions
//! on how its budget breaks.
// These tests turn on every lint, for expansions.
#![allow(clippy::redundant_pub_crate, clippy::unused_self)]

use std::cell::Cell;
use std::env;
use std::hint::black_box;
use std::panic::{set_hook, take_hook, Location};
use std::process::Command;
use std::sync::Once;

use crate::panics;

/// Makes so many allocations, of 8 bytes each.
pub(crate) fn allocate(events: u64) {
    for n in 0..events {
        drop(black_box(Box::new(n)));
    }
}

/// Allocates once, when it is dropped.
pub(crate) struct Noisy;

impl Noisy {
    pub(crate) fn number(&self) -> u64 {
        black_box(7)
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        allocate(1);
    }
}

/// What `work` panics with, with a single space in place of all white space.
#[track_caller]
pub(crate) fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    panics::panic_of(work).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Checks that `work` panics with a report that has `row`.
#[track_caller]
pub(crate) fn assert_breaks<R>(row: &str, work: impl FnOnce() -> R) {
    let report = panic_of(work);
    let titles = ["allocation budget exceeded: ", "allocation budget not reached: "];
    assert!(titles.iter().any(|title| report.starts_with(title)), "{report}");
    assert!(report.contains(row), "{row:?} is not in {report}");
}

/// Checks a limit. `work` makes as many allocations as it allows, and `extra` ones.
#[track_caller]
pub(crate) fn assert_limit<R>(limit: u64, mut work: impl FnMut(u64) -> R) {
    drop(work(0));
    let row = format!(" allocations {limit} {} +1", limit + 1);
    assert_breaks(&row, || work(1));
}

/// Whether reports are plain here, whatever the terminal. A hook does not see the panic of one in
/// colour. If they are not, the test that asks runs in another process, where they are.
pub(crate) fn reports_are_plain(test: &str) -> bool {
    const COLOUR: &str = "MOD_ALLOC_COLOR";
    if env::var_os(COLOUR).is_some_and(|value| value == "never") {
        return true;
    }
    let mut again = Command::new(env::current_exe().expect("a test knows its binary"));
    let output = again.args(["--exact", test]).env(COLOUR, "never").output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("1 passed"), "{printed}");
    false
}

thread_local!(static PANICKED_AT: Cell<u32> = const { Cell::new(0) });

/// The line of `file` in which `work` panics.
#[track_caller]
pub(crate) fn line_of_panic_in<R>(file: &'static str, work: impl FnOnce() -> R) -> u32 {
    static HOOK: Once = Once::new();
    // The hook is one for all threads. Each thread has a line of its own.
    HOOK.call_once(|| {
        let default = take_hook();
        set_hook(Box::new(move |panic| {
            let here = panic.location().filter(|location| location.file() == file);
            PANICKED_AT.set(here.map_or(0, Location::line));
            default(panic);
        }));
    });
    PANICKED_AT.set(0);
    panic_of(work);
    PANICKED_AT.get()
}
