//! The work that every allocator is measured on, and the command line of the binaries that do it.
//!
//! This library installs no allocator and depends on none. Each file in `bin` installs one, and
//! calls [`main`].

mod clock;
mod document;
mod memory;
mod sites;
mod tree;
mod work;

use std::env;

pub use clock::{nanos_per_iteration, processor_time, processor_time_of_children};
pub use memory::{most_resident, resident};
pub use sites::{below, sites, Way};
pub use tree::leaf;
pub use work::{nested, on_two_threads, pair, with_live_threads, Workload};

/// The workloads of every binary.
const COMMON: &[Workload] = &[
    Workload::new("pair", work::pair),
    Workload::new("box", work::boxed),
    Workload::new("realloc", work::grow),
    Workload { name: "pair-2-threads", threads: 2, run: work::pair_on_two_threads },
    Workload::new("json", work::json),
    Workload::new("stay-15", |iterations| sites(Way::Stay, 15, iterations)),
    Workload::new("stay-35", |iterations| sites(Way::Stay, 35, iterations)),
    Workload::new("stay-95", |iterations| sites(Way::Stay, 95, iterations)),
    Workload::new("anew-15", |iterations| sites(Way::Anew, 15, iterations)),
    Workload::new("anew-35", |iterations| sites(Way::Anew, 35, iterations)),
    Workload::new("anew-95", |iterations| sites(Way::Anew, 95, iterations)),
    Workload {
        name: "stay-15-2-threads",
        threads: 2,
        run: |iterations| on_two_threads(&|| sites(Way::Stay, 15, iterations)),
    },
];

const USAGE: &str = "usage: BINARY time WORKLOAD | BINARY run WORKLOAD ITERATIONS";

/// The whole of a measured binary. `own` are the workloads that only it has.
///
/// - `time WORKLOAD` prints the nanoseconds of one iteration.
/// - `time thread-bytes` prints the bytes of memory that a live thread takes.
/// - `run WORKLOAD ITERATIONS` does so many iterations, whose instructions are counted from
///   outside.
///
/// # Panics
/// If the arguments make no sense.
pub fn main(own: &[Workload]) {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let find = |name| {
        let found = COMMON.iter().chain(own).find(|workload| workload.name == name);
        found.unwrap_or_else(|| panic!("no workload `{name}` in this binary"))
    };
    match args[..] {
        ["time", "thread-bytes"] => println!("{}", thread_bytes()),
        ["time", name] => println!("{}", find(name).nanos()),
        ["run", name, iterations] => (find(name).run)(iterations.parse().expect(USAGE)),
        _ => panic!("{USAGE}"),
    }
}

/// Of 64 threads that have allocated.
fn thread_bytes() -> f64 {
    let before = resident();
    with_live_threads(64, || resident() as f64 - before as f64) / 64.0
}
