//! What a DHAT profile costs, beside dhat, in release builds with the feature `dhat-compat`. The
//! other tables measure builds without that feature.

use crate::cargo::build_with;
use crate::child;
use crate::options::Options;
use crate::rounds::Rounds;
use crate::table::Table;

const TIME: &str = "\
A DHAT PROFILE, time over System: mod_alloc::dhat and dhat 0.3.3, both with their defaults
pair: alloc and dealloc of 40 bytes";

const ONCE: &str = "\
A DHAT PROFILE: memory for 1,000,000 live blocks, and the time to write 10,000 program points";

pub(crate) fn print(options: &Options) {
    let config = ["--config", "profile.release.debug='line-tables-only'"];
    let binaries = build_with(
        "dhat-compat",
        "dhat,dhat-compat",
        "release",
        &["system", "ours_dhat", "dhat"],
        &config,
    );
    let rounds = ["json", "pair"].map(|workload| {
        let things: Vec<_> = binaries.iter().map(|binary| (binary.as_path(), workload)).collect();
        Rounds::measure(options.rounds, &things)
    });
    let mut table = Table::new(TIME, ["JSON parse", "min..max", "target", "pair", "min..max"]);
    let nanos = |at: usize| rounds[at].nanos(0).median();
    table.row("System, ns", [nanos(0), String::new(), String::new(), nanos(1)]);
    for (at, name, target) in [(1, "mod-alloc", "<= 5.0"), (2, "dhat", "")] {
        let [json, pair] = [0, 1].map(|workload: usize| rounds[workload].ratio(at, 0));
        let target = target.to_owned();
        table.row(name, [json.median(), json.range(), target, pair.median(), pair.range()]);
    }
    println!("{table}");

    let mut table = Table::new(ONCE, ["measured", "target"]);
    let megabytes = child::nanos(&binaries[1], "memory") / 1e6;
    table.row("memory, MB", [format!("{megabytes:.1}"), "<= 64".to_owned()]);
    let output = Rounds::measure(options.rounds.min(5), &[(&binaries[1], "output")])
        .each(|nanos| nanos(0) / 1e6);
    table.row("output, ms", [output.median(), "<= 1000".to_owned()]);
    print!("{table}");
}
