//! The same test binary again, in a process of its own.

use std::env;
use std::process::{Command, ExitStatus};

/// A command that runs it, without the environment variables for reports and for the harness.
pub(crate) fn this_binary() -> Command {
    let mut again = Command::new(env::current_exe().expect("a test knows its binary"));
    for name in ["BACKTRACE", "BREAK", "DHAT", "ON_BREAK", "REPORT"] {
        again.env_remove(format!("MOD_ALLOC_{name}"));
    }
    again.env_remove("RUST_TEST_THREADS").env_remove("NEXTEST_EXECUTION_MODE");
    again.env("RUST_BACKTRACE", "0").env("MOD_ALLOC_COLOR", "never");
    again
}

/// Runs the command. Returns how it ended, and what it printed on stdout and then on stderr.
pub(crate) fn run(again: &mut Command) -> (ExitStatus, String) {
    let output = again.output().expect("it runs");
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status, text.concat())
}
