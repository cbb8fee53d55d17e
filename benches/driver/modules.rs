//! Instructions in a program of 40 modules, for each way to build it. What of an allocator the
//! compiler inlines depends on the way, and is not the same as in a program of one module.

use std::path::PathBuf;

use crate::cargo::build_with;
use crate::instructions::{can_count, per_iteration, ITERATIONS};
use crate::options::Options;
use crate::table::Table;

pub(crate) const RELEASE: [(&str, &str); 5] = [
    ("release", "as it is"),
    ("units-256", "256 units"),
    ("fat-lto", "fat LTO"),
    ("no-lto", "no LTO"),
    ("small", "for size"),
];

pub(crate) const IN_RELEASE: [(&str, &str); 4] = [
    ("modules_none", "none installed"),
    ("modules_system", "System"),
    ("modules_ours", "mod-alloc"),
    ("modules_divan", "divan"),
];

const IN_DEBUG: [(&str, &str); 5] = [
    ("modules_none", "none installed"),
    ("modules_bare", "a bare wrapper"),
    ("modules_system", "System"),
    ("modules_ours", "mod-alloc"),
    ("modules_divan", "divan"),
];

const PAIR: &str = "\
40 MODULES, release, instructions of alloc and dealloc of 64 bytes, the loop included";

const REALLOC: &str = "\
40 MODULES, release, instructions of one realloc, from 64 bytes to 72 or back, in place";

const MORE: &str = "\
40 MODULES, release as it is, instructions more than System
zeroed: a pair with zeros; pushes: 256 into a vector; JSON: 100 KB parsed";

const DEBUG: &str = "40 MODULES, debug, instructions";

pub(crate) fn print(_options: &Options) {
    if !can_count() {
        return;
    }
    let binaries = RELEASE.map(|(profile, _)| build(profile, IN_RELEASE));
    for (title, workload) in [(PAIR, "pair-64"), (REALLOC, "one-realloc")] {
        let mut table = Table::new(title, RELEASE.map(|(_, name)| name));
        table.row("target for mod-alloc", RELEASE.map(|_| "<= 172".to_owned()));
        for (at, (_, name)) in IN_RELEASE.into_iter().enumerate() {
            let count = |built: &Vec<PathBuf>| per_iteration(&built[at], workload, ITERATIONS);
            table.row(name, binaries.iter().map(|built| count(built).to_string()));
        }
        println!("{table}");
    }

    let mut table = Table::new(MORE, ["zeroed", "pushes", "JSON"]);
    table.row("target for mod-alloc", ["<= 22", "<= 185", "<= 370000"].map(str::to_owned));
    let workloads = [("zeroed", ITERATIONS), ("pushes", ITERATIONS), ("json", (2, 6))];
    let count = |path: &PathBuf| workloads.map(|(name, n)| per_iteration(path, name, n));
    let counts: Vec<_> = binaries[0].iter().map(count).collect();
    for ((_, name), count) in IN_RELEASE.into_iter().zip(&counts) {
        let more = count.iter().zip(counts[1]).map(|(own, system)| format!("{:+}", own - system));
        table.row(name, more);
    }
    println!("{table}");

    let built = build("debug-plain", IN_DEBUG);
    let mut table = Table::new(DEBUG, ["pair", "one realloc"]);
    table.row("target for mod-alloc", ["<= 500", ""].map(str::to_owned));
    for ((_, name), binary) in IN_DEBUG.into_iter().zip(&built) {
        let count = |workload| per_iteration(binary, workload, ITERATIONS).to_string();
        table.row(name, ["pair-64", "one-realloc"].map(count));
    }
    print!("{table}");
}

pub(crate) fn build<const N: usize>(profile: &str, binaries: [(&str, &str); N]) -> Vec<PathBuf> {
    build_with("modules", "modules", profile, &binaries.map(|(binary, _)| binary), &[])
}
