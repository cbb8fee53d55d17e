//! Instructions of one iteration, counted by valgrind's callgrind. The numbers are the same in
//! every run, whatever else the machine does.

use std::path::Path;
use std::process::Command;

use crate::child;
use crate::options::Options;
use crate::subject;
use crate::table::Table;

/// Enough for work that takes the same each time.
pub(crate) const ITERATIONS: (u64, u64) = (1_000, 6_000);

const TITLE: &str = "\
INSTRUCTIONS of one iteration, the loop and System included; and how many more than System";

pub(crate) fn print(_options: &Options) {
    if !can_count() {
        return;
    }
    let mut table = Table::new(TITLE, ["pair", "over System", "box", "over System"]);
    table.row("target", ["", "<= 33", "", "<= 30"].map(str::to_owned));
    let mut system = None;
    for subject in subject::all() {
        let counts =
            ["pair", "box"].map(|workload| per_iteration(&subject.binary, workload, ITERATIONS));
        let base = *system.get_or_insert(counts);
        let cells = |(count, base)| [format!("{count}"), format!("{:+}", count - base)];
        table.row(subject.name, counts.into_iter().zip(base).flat_map(cells));
    }
    print!("{table}");
}

/// Whether valgrind is here. Says so if it is not.
pub(crate) fn can_count() -> bool {
    let can = Command::new("valgrind").arg("--version").output().is_ok();
    if !can {
        println!("INSTRUCTIONS: skipped, there is no `valgrind` on the PATH");
    }
    can
}

/// The instructions of one iteration. `short` and `long` are the iterations of two runs: what the
/// start and the end of the program cost is in both, and not in their difference.
pub(crate) fn per_iteration(binary: &Path, workload: &str, (short, long): (u64, u64)) -> i64 {
    let count = |n: u64| instructions(binary, &["run", workload, &n.to_string()]);
    ((count(long) - count(short)) as f64 / (long - short) as f64).round() as i64
}

/// The instructions of one run of `binary`, all of its threads together.
pub(crate) fn instructions(binary: &Path, args: &[&str]) -> i64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(binary).args(args);
    let output = child::run(&mut valgrind);
    let text = String::from_utf8_lossy(&output.stderr);
    // ==123== Collected : 497092
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) => count,
        None => panic!("{valgrind:?} printed no count:\n{text}"),
    }
}
