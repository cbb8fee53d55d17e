//! What is measured once in a process, such as the first report of call sites. `time NAME` prints
//! the nanoseconds that it took.

mod ten_thousand;

use std::backtrace::Backtrace;
use std::env;
use std::hint::black_box;
use std::time::Duration;

use mod_alloc::{AllocScope, Budget, ModAlloc};
use workloads::{below, leaf, most_resident, processor_time, resident, sites, Way};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

#[allow(clippy::type_complexity)]
const ONCE: [(&str, fn() -> Duration); 9] = [
    ("std-backtrace", std_backtrace),
    ("first-call-sites", first_call_sites),
    ("first-exceeded", first_exceeded),
    ("later-call-sites", later_call_sites),
    ("later-exceeded", later_exceeded),
    ("later-of-10000-sites", later_of_10000_sites),
    ("of-2^20-stacks", of_a_million_stacks),
    ("budget-1000", || budget(true)),
    ("budget-1000-without", || budget(false)),
];

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let named = match &args[..] {
        [time, name] if time == "time" => ONCE.iter().position(|(once, _)| once == name),
        _ => None,
    };
    let Some(named) = named else { panic!("usage: BINARY time NAME") };
    below(0, 10, named as u64, |named| println!("{}", ONCE[named as usize].1().as_nanos()));
}

/// The processor time of all threads, for a report symbolises on a thread of its own.
fn time<R>(work: impl FnOnce() -> R) -> Duration {
    let start = processor_time();
    black_box(work());
    processor_time() - start
}

/// What std's own first backtrace costs.
fn std_backtrace() -> Duration {
    time(|| Backtrace::force_capture().to_string())
}

fn report(sites: &[fn()]) -> Duration {
    let scope = AllocScope::with_call_sites();
    for site in sites {
        site();
    }
    time(|| {
        let sites = scope.call_sites();
        assert_eq!(sites.sites().len(), 100, "{sites:#}");
        sites.to_string()
    })
}

/// Names are looked up when the budget is judged.
fn exceeded(sites: &[fn()]) -> Duration {
    time(|| {
        let exceeded = Budget::new().max(99).check(|| sites.iter().for_each(|site| site()));
        exceeded.expect_err("there are 100").to_string()
    })
}

fn first_call_sites() -> Duration {
    report(&hundred())
}

fn first_exceeded() -> Duration {
    exceeded(&hundred())
}

/// A report of other places than the first one.
fn later_call_sites() -> Duration {
    report(&hundred());
    report(&another_hundred())
}

fn later_exceeded() -> Duration {
    report(&hundred());
    exceeded(&another_hundred())
}

fn later_of_10000_sites() -> Duration {
    report(&hundred());
    large_report(ten_thousand::call_all)
}

fn of_a_million_stacks() -> Duration {
    large_report(|| (0..1 << 20).for_each(|path| leaf(21, path)))
}

/// Prints on stderr how much memory it takes at most, in bytes.
fn large_report(work: fn()) -> Duration {
    let scope = AllocScope::with_call_sites();
    work();
    let before = resident();
    let time = time(|| scope.call_sites().to_string());
    eprintln!("{}", most_resident() - before);
    time
}

/// The first budget of the process, over 1,000 allocations at twenty places.
fn budget(call_sites: bool) -> Duration {
    let budget = Budget::new().max(1_000).call_sites(call_sites);
    time(|| budget.check(|| sites(Way::Anew, 15, 1_000)).expect("there are 1,000"))
}

fn hundred() -> Vec<fn()> {
    [a(), b(), c(), d(), e()].concat()
}

fn another_hundred() -> Vec<fn()> {
    [f(), g(), h(), i(), j()].concat()
}

fn allocate() {
    drop(black_box(Box::new(1)));
}

/// A function that has twenty lines which allocate.
macro_rules! twenty {
    ($name:ident) => {
        fn $name() -> [fn(); 20] {
            [
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
                || allocate(),
            ]
        }
    };
}

twenty!(a);
twenty!(b);
twenty!(c);
twenty!(d);
twenty!(e);
twenty!(f);
twenty!(g);
twenty!(h);
twenty!(i);
twenty!(j);
