//! What one scope or one check of a budget costs, in nanoseconds. The peers have nothing to compare
//! it with.

use crate::cargo::build_binaries;
use crate::options::Options;
use crate::rounds::Rounds;
use crate::subject;
use crate::table::Table;

const TITLE: &str = "SCOPES AND BUDGETS of mod-alloc around nothing, in ns";

pub(crate) fn print(options: &Options) {
    let debug = build_binaries("debug-plain", &["ours"]).remove(0);
    let mut table = Table::new(TITLE, ["median", "min..max", "target"]);
    for (build, binary, target) in
        [("release", subject::ours().binary, "<= 100"), ("debug", debug, "<= 1000")]
    {
        let kinds = [
            ("AllocScope::enter().exit()", "scope", ""),
            ("AllocScope::with_call_sites().exit()", "recording-scope", ""),
            ("Budget::check without call sites", "check-without", ""),
            ("Budget::check", "check", target),
        ];
        let rounds = Rounds::measure(options.rounds, &kinds.map(|(_, name, _)| (&*binary, name)));
        for (at, (kind, _, target)) in kinds.into_iter().enumerate() {
            let nanos = rounds.nanos(at);
            let cells = [nanos.median(), nanos.range(), target.to_owned()];
            table.row(&format!("{build}: {kind}"), cells);
        }
    }
    print!("{table}");
}
