//! `MOD_ALLOC_BREAK=1`: a signal at the first allocation past a budget, for debuggers. The test
//! that gets it is at the end, and runs in a process of its own.
#![cfg(unix)]

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use mod_alloc::{alloc_budget, ModAlloc};

#[path = "common/again.rs"]
mod again;

use again::this_binary;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const SIGTRAP: i32 = 5;
const ARGUMENTS: [&str; 4] = ["--exact", "past_the_second", "--ignored", "--nocapture"];

fn run(value: &str) -> (ExitStatus, String) {
    let mut again = this_binary();
    again.args(ARGUMENTS).arg("--test-threads=1").env("MOD_ALLOC_BREAK", value);
    again::run(&mut again)
}

#[test]
fn the_process_stops_at_the_first_allocation_past_the_budget_and_says_why() {
    let (status, text) = run("1");
    assert_eq!(status.signal(), Some(SIGTRAP), "{text}");
    let word = "\nmod-alloc: MOD_ALLOC_BREAK=1 stops this process here (SIGTRAP), at the first \
                allocation past a budget. Is it run in a debugger?\n";
    let (before, after) = text.split_once(word).expect(&text);
    assert!(before.contains("two so far") && !before.contains("three so far"), "{text}");
    assert!(!after.contains("so far") && !after.contains("budget exceeded"), "{text}");
}

#[test]
fn it_does_not_unless_it_is_told_to() {
    for value in ["0", ""] {
        let (status, text) = run(value);
        assert_eq!(status.signal(), None, "{text}");
        assert!(text.contains("five so far") && text.contains("budget exceeded"), "{text}");
    }
    let (status, text) = run("yes");
    assert!(status.signal().is_none() && !text.contains("so far"), "{text}");
    assert!(
        text.contains("is `MOD_ALLOC_BREAK` misspelt? It is `yes`; the values are `0`"),
        "{text}"
    );
}

#[test]
fn the_first_block_past_its_limit_stops_it_as_well() {
    let mut again = this_binary();
    again.args(["--exact", "past_the_largest", "--ignored", "--nocapture", "--test-threads=1"]);
    let (status, text) = again::run(again.env("MOD_ALLOC_BREAK", "1"));
    assert_eq!(status.signal(), Some(SIGTRAP), "{text}");
    assert!(text.contains("9 allocated") && !text.contains("11 allocated"), "{text}");
}

#[alloc_budget(max_block_bytes = 10, call_sites = false)]
#[test]
#[ignore = "another test runs it"]
fn past_the_largest() {
    for bytes in [9, 10, 11, 12] {
        drop(black_box(Vec::<u8>::with_capacity(bytes)));
        mod_alloc::uncounted(|| eprintln!("{bytes} allocated"));
    }
}

/// If there is a debugger that may debug, it shows the stack of the allocation, and can go on to
/// the report.
#[test]
fn a_debugger_stops_in_the_users_function_and_goes_on() {
    let gdb = |commands: &[&str]| {
        let mut gdb = Command::new("gdb");
        gdb.args(["-batch", "-nx", "-ex", "set startup-with-shell off"]);
        gdb.args(commands.iter().flat_map(|command| ["-ex", command])).arg("--args");
        gdb.env("MOD_ALLOC_BREAK", "1").env("DEBUGINFOD_URLS", "").env("RUST_BACKTRACE", "0");
        gdb
    };
    let can_debug = gdb(&["run"]).arg(this_binary().get_program()).arg("--list").output();
    if !can_debug.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("exited normally"))
    {
        println!("no gdb that can start a program: nothing to see");
        return;
    }
    let commands = ["run", "bt", "continue"];
    let mut gdb = gdb(&commands);
    let (_, text) = again::run(gdb.arg(this_binary().get_program()).args(ARGUMENTS));
    assert!(text.contains("received signal SIGTRAP"), "{text}");
    assert!(text.contains("allocates_five_times () at tests/breakpoint.rs:"), "{text}");
    assert!(text.contains("five so far") && text.contains("budget exceeded"), "{text}");
}

#[inline(never)]
fn allocates_five_times() {
    for so_far in ["one", "two", "three", "four", "five"] {
        drop(black_box(Box::new(so_far)));
        mod_alloc::uncounted(|| eprintln!("{so_far} so far"));
    }
}

#[alloc_budget(max = 2)]
#[test]
#[ignore = "the others run it"]
fn past_the_second() {
    allocates_five_times();
}
