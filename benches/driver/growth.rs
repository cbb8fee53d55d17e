//! How the costs of mod-alloc grow with the number of stacks, of live threads and of open scopes,
//! and what memory it takes for each of them. In release builds.

use std::path::Path;

use crate::options::Options;
use crate::picture;
use crate::rounds::Rounds;
use crate::subject;
use crate::summary::Summary;
use crate::table::Table;

/// How an event's cost grows with one thing.
struct Series {
    name: &'static str,
    /// What the binary calls it.
    workload: &'static str,
    /// Whether ARCHITECTURE.md says that it does not grow.
    constant: bool,
}

const fn series(name: &'static str, workload: &'static str, constant: bool) -> Series {
    Series { name, workload, constant }
}

const STACKS: &str = "\
GROWTH over stacks, ns of an event over one outside of a budget, 50 functions deep
half of the functions are called anew each time";

const THREADS: &str = "\
GROWTH over live threads, ns of a pair on one of them; the others wait";

const SCOPES: &str = "\
GROWTH over open budgets, ns of a pair inside all of them";

const MEMORY: &str = "\
MEMORY that the library takes, in bytes; that of the program is subtracted";

/// The numbers of stacks, and those of threads and scopes.
const MANY: [u64; 5] = [20, 100, 1_000, 10_000, 100_000];
const FEW: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];

pub(crate) fn print(options: &Options) {
    let stacks =
        [series("known stacks", "known-stacks", false), series("new stacks", "new-stacks", false)];
    let threads = [
        series("counted", "threads", true),
        series("a budget with call sites", "threads-recorded", true),
        series("a budget with max_retained", "threads-tracked", true),
        series("ModAlloc::snapshot", "snapshots", false),
    ];
    let scopes = [
        series("counted", "scopes", true),
        series("all with call sites", "scopes-recorded", false),
        series("all with max_retained", "scopes-tracked", false),
    ];
    let panels = [
        print_growth(options, STACKS, &MANY, &stacks),
        print_growth(options, THREADS, &FEW, &threads),
        print_growth(options, SCOPES, &FEW, &scopes),
    ];
    print_memory();
    let path = picture::draw(&["stacks", "live threads", "open budgets"], &panels);
    println!("\nThe picture of it: {}", path.display());
}

/// Prints the table, and returns what is drawn of it.
fn print_growth(
    options: &Options,
    title: &'static str,
    numbers: &[u64],
    all: &[Series],
) -> picture::Panel {
    let header: Vec<_> = numbers.iter().map(u64::to_string).collect();
    let more = ["last / first", "min..max", "constant?"];
    let mut table = Table::new(title, header.iter().map(String::as_str).chain(more));
    let mut lines = Vec::new();
    for Series { name, workload, constant } in all {
        let names: Vec<_> = numbers.iter().map(|number| format!("{workload}-{number}")).collect();
        let things: Vec<_> = names.iter().map(|name| (binary(), name.as_str())).collect();
        let rounds = Rounds::measure(options.rounds, &things);
        let nanos: Vec<_> = (0..things.len()).map(|thing| rounds.nanos(thing)).collect();
        let ratio = rounds.ratio(things.len() - 1, 0);
        let cells = nanos.iter().map(Summary::median);
        let answer = if *constant { flat(ratio.median) } else { "" };
        table.row(name, cells.chain([ratio.median(), ratio.range(), answer.to_owned()]));
        lines.push((*name, nanos.iter().map(|summary| summary.median).collect()));
    }
    println!("{table}");
    picture::Panel { numbers: numbers.to_vec(), lines }
}

fn flat(ratio: f64) -> &'static str {
    if (0.9..=1.1).contains(&ratio) {
        "yes, within 10 %"
    } else {
        "NO"
    }
}

fn print_memory() {
    let mut table = Table::new(MEMORY, ["bytes", "target"]);
    let mut row = |name, bytes: f64, target: &str| {
        table.row(name, [format!("{bytes:.0}"), target.to_owned()]);
    };
    let one = |workload| Rounds::measure(1, &[(binary(), workload)]).nanos(0).median;
    let threads = [subject::ours(), subject::system()]
        .map(|s| Rounds::measure(3, &[(&s.binary, "thread-bytes")]).nanos(0).median);
    row("a thread that has allocated", threads[0] - threads[1], "");
    row("a stack 50 deep, of 100,000", one("stack-bytes-100000"), "<= 450");
    row("a live block of a budget with max_retained", one("block-bytes-1000000"), "");
    row("an open budget", one("scope-bytes-1000"), "");
    row("an open budget with call sites", one("recording-scope-bytes-1000"), "");
    print!("{table}");
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_growth"))
}
