//! `MOD_ALLOC_BREAK=1`: a signal at the first allocation past a budget, for debuggers. What gets it
//! is below, and runs in a process of its own.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

use std::env;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use mod_alloc::{alloc_budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const SIGTRAP: i32 = 5;
const ARGUMENTS: [&str; 4] = ["--exact", "past_the_second", "--ignored", "--nocapture"];

fn this() -> std::path::PathBuf {
    env::current_exe().expect("a path")
}

fn run(value: &str) -> (Output, String) {
    let mut again = Command::new(this());
    again.args(ARGUMENTS).arg("--test-threads=1").env("MOD_ALLOC_BREAK", value);
    let output = again.env("RUST_BACKTRACE", "0").output().expect("it runs");
    let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    let text = text.concat();
    (output, text)
}

#[test]
fn the_process_stops_at_the_first_allocation_past_the_budget_and_says_why() {
    let (output, text) = run("1");
    assert_eq!(output.status.signal(), Some(SIGTRAP), "{text}");
    let word = "\nmod-alloc: MOD_ALLOC_BREAK=1 stops this process here (SIGTRAP), at the first allocation past a budget. \
                Is it run in a debugger?\n";
    let (before, after) = text.split_once(word).expect(&text);
    assert!(before.contains("two so far") && !before.contains("three so far"), "{text}");
    assert!(!after.contains("so far") && !after.contains("budget exceeded"), "{text}");
}

#[test]
fn it_does_not_unless_it_is_told_to() {
    for value in ["0", ""] {
        let (output, text) = run(value);
        assert_eq!(output.status.signal(), None, "{text}");
        assert!(text.contains("five so far") && text.contains("budget exceeded"), "{text}");
    }
    let (output, text) = run("yes");
    assert!(output.status.signal().is_none() && !text.contains("so far"), "{text}");
    assert!(
        text.contains("is `MOD_ALLOC_BREAK` misspelt? It is `yes`; the values are `0`"),
        "{text}"
    );
}

/// Where there is a debugger that may debug, it has the stack before it, and can go on to the
/// report.
#[test]
fn a_debugger_stops_in_the_users_function_and_goes_on() {
    let gdb = |commands: &[&str]| {
        let mut gdb = Command::new("gdb");
        gdb.args(["-batch", "-nx", "-ex", "set startup-with-shell off"]);
        gdb.args(commands.iter().flat_map(|command| ["-ex", command])).arg("--args");
        gdb.env("MOD_ALLOC_BREAK", "1").env("DEBUGINFOD_URLS", "").env("RUST_BACKTRACE", "0");
        gdb
    };
    let can_debug = gdb(&["run"]).arg("/bin/true").output();
    if !can_debug.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("exited normally"))
    {
        println!("no gdb that can start a program: nothing to see");
        return;
    }
    let commands = ["run", "bt", "continue"];
    let mut gdb = gdb(&commands);
    let output = gdb.arg(Path::new(&this())).args(ARGUMENTS).output().expect("it runs");
    let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat();
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
