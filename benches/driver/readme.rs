//! The tables of costs in the README, as they stand there.

use std::path::PathBuf;

use crate::instructions::{can_count, per_iteration, ITERATIONS};
use crate::modules;
use crate::options::Options;
use crate::rounds::Rounds;
use crate::subject::{self, Subject};
use crate::table::Table;

pub(crate) fn print(options: &Options) {
    if !can_count() {
        return;
    }
    println!("{}", builds(options).markdown());
    print!("{}", peers(options).markdown());
}

/// What a build makes of it. The binaries of each have nothing, `System`, mod-alloc and divan.
fn builds(options: &Options) -> Table {
    let one = [subject::default(), subject::system(), subject::ours(), subject::divan()];
    let mut rows =
        vec![("release, one module", "pair", one.map(|subject| subject.binary).to_vec())];
    for (profile, name) in modules::RELEASE {
        rows.push((name, "pair-64", modules::build(profile, modules::IN_RELEASE)));
    }
    rows[1].0 = "release, 40 modules";
    rows.push(("debug, 40 modules", "pair-64", modules::build("debug-plain", modules::IN_RELEASE)));

    let header = ["none", "`System`", "mod-alloc", "divan", "mod-alloc's time over none"];
    let header = header.into_iter().chain(["over `System`", "divan's over none", "over `System`"]);
    let mut table = Table::new("", header);
    for (name, workload, binaries) in rows {
        let count = |binary: &PathBuf| per_iteration(binary, workload, ITERATIONS).to_string();
        let things: Vec<_> = binaries.iter().map(|binary| (binary.as_path(), workload)).collect();
        let rounds = Rounds::measure(options.rounds, &things);
        let ratios = [(2, 0), (2, 1), (3, 0), (3, 1)]
            .map(|(thing, base)| format!("{:.2}", rounds.ratio(thing, base).median));
        table.row(name, binaries.iter().map(count).chain(ratios));
    }
    table
}

/// What is counted, by those that the README names.
const COUNTS: [(&str, &str); 8] = [
    ("System", "nothing"),
    ("none installed", "nothing"),
    ("mod-alloc", "scopes of a thread, process totals and peak"),
    ("divan", "benchmarks, for each thread"),
    ("stats_alloc", "the process"),
    ("alloc_tracker", "sessions"),
    ("allocation-counter", "closures of a thread"),
    ("dhat", "the process, with call sites"),
];

fn peers(options: &Options) -> Table {
    let subjects: Vec<_> = subject::all()
        .into_iter()
        .filter_map(|subject| {
            let (_, counts) = COUNTS.into_iter().find(|(name, _)| *name == subject.name)?;
            Some((subject, counts))
        })
        .collect();
    let rounds = ["pair", "pair-2-threads", "realloc", "json"].map(|workload| {
        let things: Vec<_> = subjects.iter().map(|(s, _)| (s.binary.as_path(), workload)).collect();
        Rounds::measure(options.rounds, &things)
    });
    let count = |subject: &Subject| per_iteration(&subject.binary, "pair", ITERATIONS);
    let system = count(&subjects[0].0);

    let header =
        ["alloc + free", "on 2 threads", "realloc", "JSON parse", "instructions", "counts"];
    let mut table = Table::new("", header);
    for (at, (subject, counts)) in subjects.iter().enumerate().skip(1) {
        let ratios = rounds.iter().map(|rounds| rounds.ratio(at, 0).median());
        let more = [format!("{:+}", count(subject) - system), (*counts).to_owned()];
        table.row(subject.name, ratios.chain(more));
    }
    table
}
