//! What it costs when a scope counts several threads, and when it tracks which blocks are live. In
//! release builds, one budget is compared with another.

use std::path::Path;

use crate::options::Options;
use crate::rounds::Rounds;
use crate::table::Table;

const ATTACHED: &str = "\
ATTACHED THREADS: work on a thread that is attached to a budget, over work in a budget of its own
pair; pair, with max_peak_bytes; and stay-15, with call sites";

const TRACKED: &str = "\
LEAKS: ns for each block of a budget with max_retained and max_retained_bytes, over one without
pair: freed at once; kept: all live at the end, when their bytes are summed up, and freed after it
an empty check: the whole of a budget with both limits, around nothing";

pub(crate) fn print(options: &Options) {
    let binary = Path::new(env!("CARGO_BIN_EXE_attribution"));
    let mut table =
        Table::new(ATTACHED, ["own, ns", "attached, ns", "ratio", "min..max", "target"]);
    for (name, own, attached, target) in [
        ("counted", "own", "attached", "<= 1.20"),
        ("with its peak", "own-peak", "attached-peak", ""),
        ("with call sites", "own-sites", "attached-sites", "<= 1.20"),
    ] {
        let rounds = Rounds::measure(options.rounds, &[(binary, own), (binary, attached)]);
        let ratio = rounds.ratio(1, 0);
        let cells = [rounds.nanos(0).median(), rounds.nanos(1).median(), ratio.median()];
        table.row(name, cells.into_iter().chain([ratio.range(), target.to_owned()]));
    }
    println!("{table}");

    let mut table = Table::new(TRACKED, ["without, ns", "over it, ns", "min..max", "target"]);
    for (name, without, with, target) in
        [("pair", "own", "tracked", "<= 80"), ("kept", "kept", "tracked-kept", "<= 80")]
    {
        let rounds = Rounds::measure(options.rounds, &[(binary, without), (binary, with)]);
        let over = rounds.each(|nanos| nanos(1) - nanos(0));
        let cells = [rounds.nanos(0).median(), over.median(), over.range(), target.to_owned()];
        table.row(name, cells);
    }
    let check = Rounds::measure(options.rounds, &[(binary, "tracked-check")]).nanos(0);
    table.row("an empty check", [String::new(), check.median(), check.range(), String::new()]);
    print!("{table}");
}
