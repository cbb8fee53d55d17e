//! Proves that the walker is right. The allocator of this program walks the stack twice at each
//! event, with `mod_alloc`'s walker and with `_Unwind_Backtrace`, and compares every address. The
//! program ends with status 1 at the first mismatch.
//!
//! The walker's sources are compiled into this program, so mod-alloc need not show them.

mod compare;
mod distinct;
mod mismatch;
#[path = "../../common/random.rs"]
mod random;
mod reference;
#[path = "../../../src/sys/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros)] // The walker needs little of it.
mod sys;
#[cfg_attr(windows, path = "system_windows.rs")]
#[cfg_attr(target_vendor = "apple", path = "system_apple.rs")]
mod system;
#[path = "../../../src/walk/mod.rs"]
#[allow(dead_code, unused_imports)] // Some of it is for recording and for the report.
mod walk;
mod work;

use std::process::ExitCode;
use std::time::Instant;

/// With this, the four profiles compare a million together.
const LEAST_CAPTURES: u64 = 260_000;

#[global_allocator]
static GLOBAL: compare::Comparing = compare::Comparing;

fn main() -> ExitCode {
    if let Some(reason) = walk::UNAVAILABLE {
        println!("unwinding: {reason}");
        return ExitCode::FAILURE;
    }
    let is_verbose = std::env::args().any(|argument| argument == "--verbose");
    let _watched = compare::watch_this_thread();
    for (name, work) in work::ALL {
        // The library does this when a scope opens.
        walk::prepare();
        let (before, start) = (compare::captures(), Instant::now());
        work();
        let captures = compare::captures() - before;
        if is_verbose {
            println!("{name}: {captures} captures in {:?}", start.elapsed());
        }
        if captures == 0 {
            println!("unwinding: `{name}` compared nothing");
            return ExitCode::FAILURE;
        }
    }
    let (captures, stacks) = (compare::captures(), distinct::count());
    if captures < LEAST_CAPTURES {
        println!("unwinding: {captures} captures are too few");
        return ExitCode::FAILURE;
    }
    let (captures, stacks) = (grouped(captures), grouped(stacks));
    println!("unwinding: {captures} captures of {stacks} distinct stacks equal ({})", profile());
    ExitCode::SUCCESS
}

fn profile() -> &'static str {
    match env!("OPT_LEVEL") {
        "0" => "debug",
        "1" => "optimised a little",
        "z" => "small",
        _ if cfg!(panic = "abort") => "abort",
        _ => "release",
    }
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    match number {
        0..=999 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}
