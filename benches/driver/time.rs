//! The time of all allocators over that of `System`, for all workloads that they share.

use crate::options::Options;
use crate::rounds::Rounds;
use crate::subject;
use crate::table::Table;

struct Question {
    workload: &'static str,
    header: &'static str,
    target: &'static str,
}

const QUESTIONS: [Question; 5] = [
    Question { workload: "pair", header: "pair", target: "<= 1.20" },
    Question { workload: "box", header: "box", target: "" },
    Question { workload: "realloc", header: "realloc", target: "" },
    Question { workload: "pair-2-threads", header: "pair, 2 threads", target: "<= 1.25" },
    Question { workload: "json", header: "JSON parse", target: "<= 1.08" },
];

const TITLE: &str = "\
TIME OVER System: median of the ratios of the rounds, and min..max
pair: alloc and dealloc of 40 bytes; box: the same by Box; realloc: 64 bytes, grown to 128, freed";

pub(crate) fn print(options: &Options) {
    let subjects = subject::all();
    let measured = QUESTIONS.map(|question| {
        let things: Vec<_> =
            subjects.iter().map(|s| (s.binary.as_path(), question.workload)).collect();
        Rounds::measure(options.rounds, &things)
    });

    let mut table = Table::new(TITLE, QUESTIONS.iter().map(|question| question.header));
    table.row("System, ns", measured.iter().map(|rounds| rounds.nanos(0).median()));
    table.row("target", QUESTIONS.iter().map(|question| question.target.to_owned()));
    for (at, subject) in subjects.iter().enumerate().skip(1) {
        let ratios: Vec<_> = measured.iter().map(|rounds| rounds.ratio(at, 0)).collect();
        table.row(subject.name, ratios.iter().map(|ratio| ratio.median()));
        table.row("", ratios.iter().map(|ratio| ratio.range()));
    }
    print!("{table}");
}
