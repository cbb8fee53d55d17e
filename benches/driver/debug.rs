//! Time over `System` in debug builds, without and with the override that the documentation of
//! `ModAlloc` recommends.

use crate::cargo::build_binaries;
use crate::options::Options;
use crate::rounds::Rounds;
use crate::table::Table;

const TITLE: &str = "\
DEBUG BUILDS, time over System: in the dev profile, and with `opt-level = 3` for mod-alloc alone";

pub(crate) fn print(options: &Options) {
    let plain = build_binaries("debug-plain", &["system", "default", "ours"]);
    let optimised = build_binaries("debug-optimised", &["ours"]);
    let rounds = ["pair", "box"].map(|workload| {
        let binaries = plain.iter().chain(&optimised);
        let things: Vec<_> = binaries.map(|binary| (binary.as_path(), workload)).collect();
        Rounds::measure(options.rounds, &things)
    });

    let mut table = Table::new(TITLE, ["pair", "min..max", "box", "min..max", "target"]);
    table.row("System, ns", rounds.iter().flat_map(|r| [r.nanos(0).median(), String::new()]));
    for (at, name, target) in [
        (1, "none installed", ""),
        (2, "mod-alloc", "<= 2.7"),
        (3, "mod-alloc, with the override", "<= 1.2"),
    ] {
        let ratios = rounds.iter().map(|r| r.ratio(at, 0));
        let mut cells: Vec<_> = ratios.flat_map(|r| [r.median(), r.range()]).collect();
        cells.push(target.to_owned());
        table.row(name, cells);
    }
    print!("{table}");
}
