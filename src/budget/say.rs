//! Cold: a line on the process's stderr: of what passing tests print, the harness shows nothing.

use std::io::Write;

use crate::counters;

/// Writes the line at once, as a whole.
#[cold]
pub(super) fn say(line: &dyn Fn() -> String) {
    counters::ignored(|_| {
        // If stderr is closed, nobody wants to know.
        let _ = std::io::stderr().write_all((line() + "\n").as_bytes());
    });
}
