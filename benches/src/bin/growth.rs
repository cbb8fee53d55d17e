//! mod-alloc, installed. Measures how its costs grow with the number of stacks, of threads and of
//! open scopes: `time SERIES-NUMBER` prints nanoseconds, or bytes, for one event or thing.

use std::env;
use std::hint::black_box;
use std::time::Duration;

use mod_alloc::{Budget, ModAlloc};
use workloads::{leaf, nanos_per_iteration, pair, processor_time, resident, with_live_threads};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let [time, name] = &args[..] else { panic!("usage: BINARY time SERIES-NUMBER") };
    assert_eq!(time, "time");
    let (series, number) = name.rsplit_once('-').expect("SERIES-NUMBER");
    let number = number.parse().expect("a number");
    println!("{}", measure(series, number));
}

fn measure(series: &str, number: u64) -> f64 {
    let pairs = || nanos_per_iteration(1, &pair);
    match series {
        "known-stacks" => stacks(number).known,
        "new-stacks" => stacks(number).new,
        "stack-bytes" => stacks(number).bytes,
        "threads" => with_live_threads(number - 1, pairs),
        "threads-recorded" => with_live_threads(number - 1, || in_a_budget(RECORDED, pairs)),
        "threads-tracked" => with_live_threads(number - 1, || in_a_budget(TRACKED, pairs)),
        "snapshots" => with_live_threads(number - 1, || {
            nanos_per_iteration(1, &|n| (0..n).for_each(|_| _ = black_box(GLOBAL.snapshot())))
        }),
        "scopes" => in_budgets(number, COUNTED, &pairs),
        "scopes-recorded" => in_budgets(number, RECORDED, &pairs),
        "scopes-tracked" => in_budgets(number, TRACKED, &pairs),
        "scope-bytes" => scope_bytes(number, COUNTED),
        "recording-scope-bytes" => scope_bytes(number, RECORDED),
        "block-bytes" => block_bytes(number),
        _ => panic!("no series `{series}`"),
    }
}

const COUNTED: Budget = Budget::new().max(u64::MAX).call_sites(false);
const RECORDED: Budget = COUNTED.call_sites(true);
const TRACKED: Budget = COUNTED.max_retained(u64::MAX).max_retained_bytes(u64::MAX);

fn in_a_budget<R>(budget: Budget, work: impl FnOnce() -> R) -> R {
    budget.check(work).expect("the limits are out of reach")
}

fn in_budgets<R>(number: u64, budget: Budget, work: &dyn Fn() -> R) -> R {
    match number {
        0 => work(),
        _ => in_a_budget(budget, || in_budgets(number - 1, budget, work)),
    }
}

struct Stacks {
    /// The nanoseconds of an event at a stack that is new, and at one that was there before.
    new: f64,
    known: f64,
    /// The bytes kept for a stack.
    bytes: f64,
}

/// Goes through so many stacks in turn, all of them 50 functions deep. From each to the next, half
/// of the functions are other ones, however many stacks there are.
fn stacks(number: u64) -> Stacks {
    let visit = |rounds| {
        for n in (0..rounds).flat_map(|_| 0..number) {
            leaf(50, n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 14);
        }
    };
    let rounds = (400_000 / number).max(1);
    let nanos = |rounds, time: Duration| time.as_nanos() as f64 / (rounds * number) as f64;
    let uncounted = nanos(rounds, time(|| visit(rounds)));
    in_a_budget(RECORDED, || {
        let before = resident();
        let new = nanos(1, time(|| visit(1))) - uncounted;
        let bytes = (resident() - before) as f64 / number as f64;
        let known = nanos(rounds, time(|| visit(rounds))) - uncounted;
        Stacks { new, known, bytes }
    })
}

fn time(work: impl FnOnce()) -> Duration {
    let start = processor_time();
    work();
    processor_time() - start
}

/// The bytes that an open scope takes, of so many.
fn scope_bytes(number: u64, budget: Budget) -> f64 {
    // The stack of the program is resident before.
    black_box([1_u8; 4 << 20]);
    let before = resident();
    in_budgets(number, budget, &|| resident() - before) as f64 / number as f64
}

/// The bytes that a live block takes, of so many that a budget tracks.
fn block_bytes(number: u64) -> f64 {
    let blocks = || {
        let before = resident();
        let blocks: Vec<_> = (0..number).map(|n| black_box(Box::new(n))).collect();
        (resident() - before, blocks)
    };
    let (without, _first) = blocks();
    let (with, _second) = in_a_budget(TRACKED, blocks);
    (with as f64 - without as f64) / number as f64
}
