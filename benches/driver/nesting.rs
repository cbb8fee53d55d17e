//! What open scopes cost each event: `pair` inside 16 scopes, over `pair` inside none.

use crate::options::Options;
use crate::rounds::Rounds;
use crate::subject;
use crate::table::Table;

const TITLE: &str = "\
NESTED SCOPES: pair inside 16 open scopes, over pair inside none, of the same allocator";

pub(crate) fn print(options: &Options) {
    let mut subjects = vec![subject::ours()];
    subjects.extend(subject::nesting_peers());
    let things: Vec<_> = subjects
        .iter()
        .flat_map(|s| [(s.binary.as_path(), "pair"), (s.binary.as_path(), "nested")])
        .collect();
    let rounds = Rounds::measure(options.rounds, &things);

    let mut table = Table::new(TITLE, ["none, ns", "16, ns", "ratio", "min..max", "target"]);
    for (at, subject) in subjects.iter().enumerate() {
        let (pair, nested) = (2 * at, 2 * at + 1);
        let ratio = rounds.ratio(nested, pair);
        let target = if at == 0 { "1.00" } else { "" };
        table.row(
            subject.name,
            [
                rounds.nanos(pair).median(),
                rounds.nanos(nested).median(),
                ratio.median(),
                ratio.range(),
                target.to_owned(),
            ],
        );
    }
    print!("{table}");
}
