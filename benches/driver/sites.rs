//! What call sites cost: to record them, beside dhat; a frame of a walk; a report; a budget; and a
//! scope.

use std::path::{Path, PathBuf};

use crate::cargo::build_binaries;
use crate::options::Options;
use crate::rounds::Rounds;
use crate::table::Table;

/// One way of building, and its binaries.
struct Build {
    name: &'static str,
    system: PathBuf,
    ours: PathBuf,
    dhat: PathBuf,
    untrimmed: PathBuf,
    reports: PathBuf,
    /// The target for nanoseconds over `System`, and that for how many times less than dhat.
    targets: (&'static str, &'static str),
}

pub(crate) fn print(options: &Options) {
    let builds = builds();
    print_recording(options, &builds);
    println!();
    print_frames(options, &builds);
    println!();
    print_followed(options, &builds);
    println!();
    print_profiler(options, &builds);
    println!();
    print_reports(options, &builds);
    println!();
    print_budget(options, &builds);
}

fn builds() -> [Build; 3] {
    let path = |binaries: &[PathBuf], at: usize| binaries[at].clone();
    let plain =
        build_binaries("debug-plain", &["system", "ours", "dhat", "dhat_untrimmed", "reports"]);
    let optimised = build_binaries("debug-optimised", &["ours", "reports"]);
    [
        Build {
            name: "release",
            system: env!("CARGO_BIN_EXE_system").into(),
            ours: env!("CARGO_BIN_EXE_ours").into(),
            dhat: env!("CARGO_BIN_EXE_dhat").into(),
            untrimmed: env!("CARGO_BIN_EXE_dhat_untrimmed").into(),
            reports: env!("CARGO_BIN_EXE_reports").into(),
            targets: ("<= 130", ">= 15"),
        },
        Build {
            name: "debug",
            system: path(&plain, 0),
            ours: path(&plain, 1),
            dhat: path(&plain, 2),
            untrimmed: path(&plain, 3),
            reports: path(&plain, 4),
            targets: ("<= 700", ">= 10"),
        },
        Build {
            name: "debug, with the override",
            system: path(&plain, 0),
            ours: path(&optimised, 0),
            dhat: path(&plain, 2),
            untrimmed: path(&plain, 3),
            reports: path(&optimised, 1),
            targets: ("", ""),
        },
    ]
}

const RECORDING: &str = "\
CALL SITES, recorded in a scope: alloc and dealloc of 40 bytes from 20 places in turn
15, 35: so many functions of the program's are above each place
stay: a loop calls the places, and the functions above it stay
anew: all functions are called anew, and others each time
dhat notes 10 frames, as its users run it; dhat, all: it notes all of them, as mod-alloc does";

/// What it costs to record, beside dhat.
fn print_recording(options: &Options, builds: &[Build]) {
    let header = ["System, ns", "over it, ns", "min..max", "target", "dhat over it", "times less"];
    let header = header.into_iter().chain(["min..max", "target", "dhat, all", "times less"]);
    let mut table = Table::new(RECORDING, header);
    for build in builds {
        for workload in ["stay-15", "stay-35", "anew-15", "anew-35"] {
            let recorded = format!("recorded-{workload}");
            let things: [(&Path, &str); 4] = [
                (&build.system, workload),
                (&build.ours, &recorded),
                (&build.dhat, workload),
                (&build.untrimmed, workload),
            ];
            let rounds = Rounds::measure(options.rounds, &things);
            let over = |thing| rounds.each(|nanos| nanos(thing) - nanos(0));
            let times =
                |thing| rounds.each(|nanos| (nanos(thing) - nanos(0)) / (nanos(1) - nanos(0)));
            let (nanos, factor) = match workload {
                "stay-15" => build.targets,
                _ => ("", ""),
            };
            table.row(
                &format!("{}: {workload}", build.name),
                [
                    rounds.nanos(0).median(),
                    over(1).median(),
                    over(1).range(),
                    nanos.to_owned(),
                    over(2).median(),
                    times(2).median(),
                    times(2).range(),
                    factor.to_owned(),
                    over(3).median(),
                    times(3).median(),
                ],
            );
        }
    }
    print!("{table}");
}

const FRAMES: &str = "\
A FRAME OF A WARM WALK, in ns: what 80 frames more cost over System, from 15 to 95, divided by 80
verified: as in the walk before; walked: another one than in the walk before";

fn print_frames(options: &Options, builds: &[Build]) {
    let mut table = Table::new(FRAMES, ["verified", "min..max", "walked", "min..max", "target"]);
    for build in builds {
        let (system, ours): (&Path, &Path) = (&build.system, &build.ours);
        let things = [
            (system, "stay-15"),
            (ours, "recorded-stay-15"),
            (system, "stay-95"),
            (ours, "recorded-stay-95"),
            (system, "anew-15"),
            (ours, "recorded-anew-15"),
            (system, "anew-95"),
            (ours, "recorded-anew-95"),
        ];
        let rounds = Rounds::measure(options.rounds, &things);
        let slope = |at: usize| {
            rounds.each(|nanos| (nanos(at + 3) - nanos(at + 2) - nanos(at + 1) + nanos(at)) / 80.0)
        };
        let (verified, walked) = (slope(0), slope(4));
        let cells = [verified.median(), verified.range(), walked.median(), walked.range()];
        table.row(build.name, cells.into_iter().chain(["<= 6".to_owned()]));
    }
    print!("{table}");
}

const FOLLOWED: &str = "\
A HEAP PROFILE of a scope, in ns: what it takes to follow each block, over recording alone";

fn print_followed(options: &Options, builds: &[Build]) {
    let mut table = Table::new(FOLLOWED, ["recorded", "followed", "more", "min..max"]);
    for build in builds {
        let ours: &Path = &build.ours;
        let things = [(ours, "recorded-stay-15"), (ours, "followed-stay-15")];
        let rounds = Rounds::measure(options.rounds, &things);
        let more = rounds.each(|nanos| nanos(1) - nanos(0));
        let cells = [rounds.nanos(0).median(), rounds.nanos(1).median()];
        table.row(build.name, cells.into_iter().chain([more.median(), more.range()]));
    }
    print!("{table}");
}

const PROFILER: &str = "\
A PROFILER that records call sites, on one thread and on two: stay-15 of each";

fn print_profiler(options: &Options, builds: &[Build]) {
    let header = ["System, ns", "over it, ns", "min..max", "dhat over it", "times less"];
    let mut table = Table::new(PROFILER, header);
    for build in builds {
        for (threads, workload) in [("1 thread", "stay-15"), ("2 threads", "stay-15-2-threads")] {
            let profiled = format!("profiled-{workload}");
            let things: [(&Path, &str); 3] =
                [(&build.system, workload), (&build.ours, &profiled), (&build.dhat, workload)];
            let rounds = Rounds::measure(options.rounds, &things);
            let over = |thing| rounds.each(|nanos| nanos(thing) - nanos(0));
            let times = rounds.each(|nanos| (nanos(2) - nanos(0)) / (nanos(1) - nanos(0)));
            table.row(
                &format!("{}: {threads}", build.name),
                [
                    rounds.nanos(0).median(),
                    over(1).median(),
                    over(1).range(),
                    over(2).median(),
                    times.median(),
                ],
            );
        }
    }
    print!("{table}");
}

const REPORTS: &str = "\
REPORTS in debug builds, in ms of processor time, each in a process of its own
of 100 sites, below 10 functions and more";

fn print_reports(options: &Options, builds: &[Build]) {
    let mut table = Table::new(REPORTS, ["median", "min..max", "target"]);
    for build in &builds[1..] {
        let reports: &Path = &build.reports;
        let rows = [
            ("std: the first Backtrace, as text", "std-backtrace", ""),
            ("the first AllocScope::call_sites, as text", "first-call-sites", "<= 150"),
            ("the first Exceeded, as text", "first-exceeded", "<= 150"),
            ("a later AllocScope::call_sites", "later-call-sites", "<= 10"),
            ("a later Exceeded", "later-exceeded", "<= 10"),
        ];
        let things = rows.map(|(_, name, _)| (reports, name));
        let rounds = Rounds::measure(options.rounds, &things);
        for (at, (row, _, target)) in rows.into_iter().enumerate() {
            let millis = rounds.each(|nanos| nanos(at) / 1e6);
            let cells = [millis.median(), millis.range(), target.to_owned()];
            table.row(&format!("{}: {row}", build.name), cells);
        }
    }
    print!("{table}");
}

const BUDGET: &str = "\
A BUDGET over 1,000 allocations (anew-15), in us: with call sites, over one without
scope, ns: an empty scope that records";

fn print_budget(options: &Options, builds: &[Build]) {
    let header =
        ["the first", "min..max", "later ones", "min..max", "target", "scope, ns", "min..max"];
    let mut table = Table::new(BUDGET, header);
    for build in builds {
        let (reports, ours): (&Path, &Path) = (&build.reports, &build.ours);
        let things = [
            (reports, "budget-1000"),
            (reports, "budget-1000-without"),
            (ours, "budget-1000"),
            (ours, "budget-1000-without"),
            (ours, "recording-scope"),
        ];
        let rounds = Rounds::measure(options.rounds, &things);
        let more = |at: usize| rounds.each(|nanos| (nanos(at) - nanos(at + 1)) / 1e3);
        let (first, later, scope) = (more(0), more(2), rounds.nanos(4));
        table.row(
            build.name,
            [
                first.median(),
                first.range(),
                later.median(),
                later.range(),
                "< 1000".to_owned(),
                scope.median(),
                scope.range(),
            ],
        );
    }
    print!("{table}");
}
