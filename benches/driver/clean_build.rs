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

const TITLE: &str = "CLEAN BUILD of mod-alloc and mod-alloc-macros, in seconds";

pub(crate) fn print(_options: &Options) {
    let mut table = Table::new(TITLE, ["median", "min..max", "target"]);
    for profile in ["dev", "release"] {
        let seconds = Summary::of((0..ROUNDS).map(|_| build(profile)).collect());
        table.row(profile, [seconds.median(), seconds.range(), "<= 2.5".to_owned()]);
    }
    print!("{table}");
}

/// What Cargo calls mod-alloc here. Another crate in this package's graph has the same name.
const OURS: &str = "mod-alloc@0";

fn build(profile: &str) -> f64 {
    let target_dir = cargo::scratch("clean");
    match fs::remove_dir_all(&target_dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            panic!("cannot remove the last build in {}: {error}", target_dir.display())
        }
        _ => {}
    }
    let mut command = cargo::build(&target_dir);
    command.args(["--package", OURS, "--profile", profile]);
    let start = Instant::now();
    child::run(&mut command);
    start.elapsed().as_secs_f64()
}
