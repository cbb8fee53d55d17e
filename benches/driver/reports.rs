//! Reports of large programs: how long they take, and in how much memory.

use std::path::Path;
use std::process::Command;

use crate::cargo::{build_binaries, build_with};
use crate::child;
use crate::options::Options;
use crate::table::Table;

const TITLE: &str = "\
LARGE REPORTS, in seconds of processor time, and the MB that are resident at most, over before
10,000 sites: a later report, of as many functions, which an optimised build would merge
2^20 stacks: of two functions, 21 calls deep";

pub(crate) fn print(_options: &Options) {
    let lines = ["--config", "profile.release.debug='line-tables-only'"];
    let release = build_with("release-lines", "", "release", &["reports"], &lines);
    let debug = build_binaries("debug-plain", &["reports"]);
    let mut table = Table::new(TITLE, ["seconds", "target", "MB", "target"]);
    for (name, binary, report, seconds, megabytes) in [
        ("release: 2^20 stacks", &release, "of-2^20-stacks", "<= 15", "<= 400"),
        ("debug: 10,000 sites", &debug, "later-of-10000-sites", "<= 0.3", ""),
        ("debug: 2^20 stacks", &debug, "of-2^20-stacks", "", ""),
    ] {
        let [nanos, bytes] = measure(&binary[0], report);
        let (time, memory) = (format!("{:.2}", nanos / 1e9), format!("{:.0}", bytes / 1e6));
        table.row(name, [time, seconds.to_owned(), memory, megabytes.to_owned()]);
    }
    print!("{table}");
}

/// The nanoseconds, which go to stdout, and the bytes, which go to stderr. Once, for it takes long.
fn measure(binary: &Path, report: &str) -> [f64; 2] {
    let output = child::run(Command::new(binary).args(["time", report]));
    [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8_lossy(&text);
        text.trim().parse().unwrap_or_else(|_| panic!("`{report}` printed `{text}`"))
    })
}
