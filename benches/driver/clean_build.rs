//! How long mod-alloc and its macros take to build from nothing. A user's first build takes that
//! much longer.

use std::fs;
use std::io::ErrorKind;
use std::time::Instant;

use crate::options::Options;
use crate::summary::Summary;
use crate::table::Table;
use crate::{cargo, child};

/// Few, for builds take seconds and vary little.
const ROUNDS: usize = 3;

const TITLE: &str = "\
CLEAN BUILD of mod-alloc and mod-alloc-macros, in seconds of processor time, and on the wall";

pub(crate) fn print(_options: &Options) {
    let mut table = Table::new(TITLE, ["processor", "min..max", "target", "wall", "min..max"]);
    for (name, subcommand, profile, target) in [
        ("dev", "build", "dev", "<= 4"),
        ("release", "build", "release", "<= 8"),
        ("check", "check", "dev", "<= 1.5"),
    ] {
        let (processor, wall) = (0..ROUNDS).map(|_| build(subcommand, profile)).unzip();
        let (processor, wall) = (Summary::of(processor), Summary::of(wall));
        let cells = [processor.median(), processor.range(), target.to_owned()];
        table.row(name, cells.into_iter().chain([wall.median(), wall.range()]));
    }
    print!("{table}");
}

/// What Cargo calls mod-alloc here. Another crate in this package's graph has the same name.
const OURS: &str = "mod-alloc@0";

/// The seconds of processor time and on the wall.
fn build(subcommand: &str, profile: &str) -> (f64, f64) {
    let target_dir = cargo::scratch("clean");
    match fs::remove_dir_all(&target_dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            panic!("cannot remove the last build in {}: {error}", target_dir.display())
        }
        _ => {}
    }
    let mut command = cargo::command(subcommand, &target_dir);
    command.args(["--package", OURS, "--profile", profile]);
    // As Cargo builds what comes from a registry. It takes this package for the user's own.
    command.env("CARGO_INCREMENTAL", "0").env("CARGO_ENCODED_RUSTFLAGS", "--cap-lints=allow");
    let start = Instant::now();
    let processor = child::processor_seconds(&mut command);
    (processor, start.elapsed().as_secs_f64())
}
