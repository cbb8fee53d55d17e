//! Runs other programs. One that fails is a panic, with all that it printed.

use std::path::Path;
use std::process::{Command, Output};

/// Runs `command` to its end, and returns what it printed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("cannot run {command:?}: {error}"),
    };
    assert!(
        output.status.success(),
        "{command:?} failed, {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// The seconds of processor time that `command` takes, with all that it starts.
pub(crate) fn processor_seconds(command: &mut Command) -> f64 {
    let before = workloads::processor_time_of_children();
    run(command);
    (workloads::processor_time_of_children() - before).as_secs_f64()
}

/// The nanoseconds that `binary` takes for one iteration of `workload`.
pub(crate) fn nanos(binary: &Path, workload: &str) -> f64 {
    let output = run(Command::new(binary).args(["time", workload]));
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().parse() {
        Ok(nanos) => nanos,
        Err(_) => panic!("{} printed `{text}` for the time of `{workload}`", binary.display()),
    }
}
