//! Runs Cargo, for binaries that are built in another way, and for builds that are themselves
//! measured.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child;

/// A command of Cargo, as `build`, with `target_dir`, for what is in this package's graph. It runs
/// the Cargo that runs this benchmark.
pub(crate) fn command(subcommand: &str, target_dir: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args([subcommand, "--locked", "--manifest-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    command.arg("--target-dir").arg(target_dir);
    command
}

/// A folder for builds, in the target directory of this package.
pub(crate) fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Builds some of this package's binaries in one of its debug profiles. Of the peers, only dhat is
/// built.
pub(crate) fn build_binaries(profile: &str, binaries: &[&str]) -> Vec<PathBuf> {
    build_with("debug", "dhat", profile, binaries, &[])
}

/// Builds some of this package's binaries into `folder`, with other features than the default ones.
/// `more` are further arguments for Cargo. Returns where the binaries are.
pub(crate) fn build_with(
    folder: &str,
    features: &str,
    profile: &str,
    binaries: &[&str],
    more: &[&str],
) -> Vec<PathBuf> {
    let target_dir = scratch(folder);
    let mut command = command("build", &target_dir);
    command.args(["--no-default-features", "--features", features, "--profile", profile]);
    command.args(more);
    for binary in binaries {
        command.args(["--bin", binary]);
    }
    child::run(&mut command);
    binaries
        .iter()
        .map(|binary| target_dir.join(profile).join(format!("{binary}{EXE_SUFFIX}")))
        .collect()
}
