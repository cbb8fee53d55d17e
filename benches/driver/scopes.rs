//! What one scope or one check of a budget costs, in nanoseconds. The peers have nothing to compare
//! it with.

use crate::options::Options;
use crate::rounds::Rounds;
use crate::subject;
use crate::table::Table;

const TITLE: &str = "SCOPES AND BUDGETS of mod-alloc, in ns";

pub(crate) fn print(options: &Options) {
    let ours = subject::ours().binary;
    let rounds = Rounds::measure(options.rounds, &[(&ours, "scope"), (&ours, "check")]);

    let mut table = Table::new(TITLE, ["median", "min..max", "target"]);
    let mut row = |name, thing, target: &str| {
        let nanos = rounds.nanos(thing);
        table.row(name, [nanos.median(), nanos.range(), target.to_owned()]);
    };
    row("AllocScope::enter().exit()", 0, "<= 20");
    row("Budget::check of an empty closure", 1, "");
    print!("{table}");
}
