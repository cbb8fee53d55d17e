//! A thousand tests with budgets over the same tests without: what they execute, in instructions,
//! and what they take to compile.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::instructions::{can_count, instructions};
use crate::options::Options;
use crate::rounds::Rounds;
use crate::table::Table;
use crate::{cargo, child};

const RUN: &str = "\
1,000 TESTS that all have a budget, on one thread, in millions of instructions";

const COMPILE: &str = "\
1,000 TESTS: seconds of processor time to compile and link them, and bytes of machine code a test";

/// Few, for they take seconds.
const ROUNDS: usize = 3;

pub(crate) fn print(_options: &Options) {
    let mut compile = Table::new(
        COMPILE,
        ["plain, s", "with budgets", "ratio", "min..max", "target", "bytes a test", "target"],
    );
    let mut run = Table::new(RUN, ["plain", "with budgets", "more", "target"]);
    let count = can_count();
    for (profile, name, target) in [("debug-plain", "debug", "<= 60"), ("release", "release", "")] {
        let [plain, budgeted] = [false, true].map(|budgets| build(profile, budgets));
        let bytes = (code_bytes(&budgeted) - code_bytes(&plain)) / 1_000;
        if count {
            let millions = |path: &Path| instructions(path, &["--test-threads=1"]) as f64 / 1e6;
            let (plain, budgeted) = (millions(&plain), millions(&budgeted));
            let cells = [plain, budgeted, budgeted - plain].map(|n| format!("{n:.1}"));
            run.row(name, cells.into_iter().chain([target.to_owned()]));
        }
        let rounds = Rounds::by(ROUNDS, 2, |thing| compile_seconds(profile, thing == 1));
        let ratio = rounds.ratio(1, 0);
        compile.row(
            name,
            [
                rounds.nanos(0).median(),
                rounds.nanos(1).median(),
                ratio.median(),
                ratio.range(),
                "<= 1.15".to_owned(),
                bytes.to_string(),
                "<= 250".to_owned(),
            ],
        );
    }
    if count {
        println!("{run}");
    }
    print!("{compile}");
}

/// The path of the built tests.
fn build(profile: &str, budgets: bool) -> PathBuf {
    let output = child::run(command("test", profile, budgets).args(["--message-format=json"]));
    let text = String::from_utf8_lossy(&output.stdout);
    let path = text.split_once(r#""executable":""#).and_then(|(_, rest)| rest.split_once('"'));
    PathBuf::from(path.expect("Cargo says where it is").0)
}

/// What is measured is the package alone, whose dependencies are built. Removes its builds first.
fn compile_seconds(profile: &str, budgets: bool) -> f64 {
    child::run(&mut command("clean", profile, budgets));
    child::processor_seconds(&mut command("test", profile, budgets))
}

fn command(subcommand: &str, profile: &str, budgets: bool) -> Command {
    let mut command = cargo::command(subcommand, &cargo::scratch("budgeted"));
    command.args(["--package", "budgeted-tests", "--profile", profile]);
    if subcommand == "test" {
        command.arg("--no-run");
        if budgets {
            command.args(["--features", "budgets"]);
        }
    }
    command
}

/// The size of the section `.text`.
fn code_bytes(binary: &Path) -> i64 {
    let output = child::run(Command::new("size").arg("-A").arg(binary));
    let text = String::from_utf8_lossy(&output.stdout);
    let size = text.lines().find_map(|line| line.strip_prefix(".text"));
    let size = size.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    size.expect("it has code")
}
