//! Random programs over several threads against a plain model: scopes that are opened, shared,
//! attached to by guard, by job, by whole thread and by task, nested, twice and out of order,
//! uncounted stretches, blocks that move and are freed anywhere, budgets with leaks, scopes that
//! end while threads are attached, threads that end while they are. The model (`reference.rs`)
//! updates every scope at every event; the library must agree to the last digit.
//!
//! The threads run in lock step (`execute.rs`), so that there is one right answer. In
//! `free_running.rs` they do not, and what does not depend on the order is compared.
//!
//! `cargo test --test attribution_model -- PROGRAMS SEED` runs other programs, or one again.

#[path = "../common/block.rs"]
mod block;
#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
mod execute;
mod free_running;
#[path = "../common/part_of.rs"]
mod part_of;
mod program;
#[path = "../common/random.rs"]
mod random;
mod reference;
#[path = "../common/waker.rs"]
mod waker;

use std::env;
use std::panic;
use std::process::{self, Command, Stdio};

use mod_alloc::{Exceeded, ModAlloc};

use call_sites_are_here::call_sites_are_here;

use execute::Reading;
use part_of::part_of;
use program::{Op, Step, DRIVER};
use reference::{Expected, ThreadEnd};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// The variable that is set in the process whose stderr is read.
const INNER: &str = "MOD_ALLOC_TEST_INNER";

/// How the line begins by which the library says that something came too late to be counted.
const WARNING: &str = "mod-alloc: ";

fn main() {
    if env::var_os(INNER).is_some() {
        return run();
    }
    // The lines on stderr are many, so they are counted.
    let this = env::current_exe().expect("a test knows its binary");
    let mut inner = Command::new(this);
    inner.args(env::args().skip(1)).env(INNER, "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = inner.output().expect("it runs again");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let (warnings, rest): (Vec<_>, Vec<_>) =
        stderr.lines().partition(|line| line.starts_with(WARNING));
    let of_noise = format!("(thread {:?})", free_running::NOISE);
    let warnings: Vec<_> = warnings.iter().filter(|line| !line.contains(&of_noise)).collect();
    print!("{stdout}");
    rest.iter().for_each(|line| eprintln!("{line}"));
    if !output.status.success() {
        process::exit(1);
    }
    let said = format!("{} warnings", warnings.len());
    assert!(stdout.contains(&said), "the library has printed {said}");
}

fn run() {
    // Otherwise, the other threads would wait for the one that has panicked.
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        default(info);
        process::exit(1);
    }));
    let mut numbers = env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let programs = numbers.next().unwrap_or_else(|| part_of(4_000));
    let first = numbers.next().unwrap_or(1);
    execute::prepare();
    let thread_end = what_the_end_of_a_thread_frees();
    let (mut compared, mut warnings) = (0, 0);
    for seed in first..first + programs {
        let steps = program::random(seed);
        if programs == 1 {
            steps.iter().for_each(|step| println!("{step:?}"));
        }
        let (expected, warned) = reference::run(&steps, thread_end);
        // To read them takes some milliseconds each time.
        let reads_call_sites = seed % 25 == 0 && call_sites_are_here();
        let measured = execute::run(steps.leak(), reads_call_sites);
        compare(seed, &measured, &expected, reads_call_sites);
        compared += measured.len() as u64;
        warnings += warned;
    }
    assert!(programs == 1 || compared > programs, "the programs are too thin: {compared} readings");
    println!(
        "attribution: {programs} random programs, {compared} readings agree, {warnings} warnings"
    );
    let rounds = free_running::run(programs / 20, first);
    println!("attribution: {rounds} rounds of threads that run freely agree");
}

fn compare(seed: u64, measured: &[Reading], expected: &[Expected], reads_call_sites: bool) {
    assert_eq!(measured.len(), expected.len(), "seed {seed}");
    for (at, (measured, expected)) in measured.iter().zip(expected).enumerate() {
        let mut stats = measured.stats;
        if !expected.is_peak_exact {
            assert!(stats.peak_bytes >= stats.current_bytes.max(0), "seed {seed}, reading {at}");
            stats.peak_bytes = expected.stats.peak_bytes;
        }
        assert_eq!(stats, expected.stats, "seed {seed}, reading {at}");
        if let Some((blocks, bytes)) = expected.retained {
            let exceeded = measured.exceeded.as_ref().expect("of a budget");
            assert_eq!(retained(exceeded), (blocks, bytes), "seed {seed}, reading {at}, retained");
        }
        let largest = measured.exceeded.as_ref().and_then(Exceeded::largest_block);
        assert_eq!(largest, expected.largest, "seed {seed}, reading {at}, largest block");
        let exceeded = measured.exceeded.as_ref().filter(|_| expected.call_sites);
        let of_budget = exceeded.filter(|_| reads_call_sites).map(|e| e.call_sites().alloc_count());
        if let Some(recorded) = measured.recorded.or(of_budget) {
            assert_eq!(recorded, stats.alloc_count, "seed {seed}, reading {at}, call sites");
        }
    }
}

fn retained(exceeded: &Exceeded) -> (u64, u64) {
    let numbers = (exceeded.retained_count(), exceeded.retained_bytes());
    (numbers.0.expect("asked for"), numbers.1.expect("asked for"))
}

fn what_the_end_of_a_thread_frees() -> ThreadEnd {
    let scope = 0;
    let handle = 0;
    let steps = [
        Step { thread: 0, op: Op::Enter { scope, call_sites: false } },
        Step { thread: 0, op: Op::Share { scope, handle } },
        Step { thread: 1, op: Op::AttachThread { handle } },
        Step { thread: 1, op: Op::End },
        Step { thread: DRIVER, op: Op::Join { thread: 1, starts_again: false } },
        Step { thread: 0, op: Op::End },
        Step { thread: DRIVER, op: Op::Join { thread: 0, starts_again: false } },
    ];
    let measured = execute::run(Vec::from(steps).leak(), false);
    let stats = measured[0].stats;
    assert_eq!(stats.alloc_count, 0);
    (stats.dealloc_count, usize::try_from(-stats.current_bytes).expect("it frees"))
}
