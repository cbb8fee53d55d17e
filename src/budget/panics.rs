//! Cold: the panic with a report. Its payload is the plain text, in colour as without: tests under
//! `#[should_panic]`, and whoever catches it, see the same in a terminal as elsewhere.
//!
//! In colour the text that is printed is not that of the payload, and only a panic hook prints. So
//! the report is printed here, as the hook of the standard library would, and the panic starts past
//! the hooks. None is installed for this, which would change what other panics print.

use std::backtrace::Backtrace;
use std::env;
use std::panic::{catch_unwind, resume_unwind, Location};
use std::thread;

use super::colour;
use crate::counters;
use crate::ignored::Ignored;
use crate::styled::Styled;

/// # Panics
/// With the report.
#[cold]
#[track_caller]
pub(crate) fn panic_with(report: &Ignored<Styled>) -> ! {
    if !colour::is_on() {
        panic!("{}", report.as_str());
    }
    print(Location::caller(), report);
    resume_unwind(Box::new(report.as_str().to_owned()))
}

fn print(location: &Location<'_>, report: &Styled) {
    counters::ignored(|_| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let (report, stack) = (report.coloured(), stack().unwrap_or_default());
        let text = format!("\nthread '{name}' panicked at {location}:\n{report}\n{stack}");
        // The harness keeps what `eprint!` prints. If stderr is closed, nobody wants to know.
        let _ = catch_unwind(|| eprint!("{text}"));
    });
}

/// The stack trace that `RUST_BACKTRACE` asks for.
fn stack() -> Option<String> {
    let style = env::var_os("RUST_BACKTRACE").filter(|style| style != "0")?;
    let stack = Backtrace::force_capture();
    if style == "full" {
        return Some(format!("stack backtrace:\n{stack:#}\n"));
    }
    // Below this function are the harness, and the start of the thread.
    let is_of_code = |line: &&str| !line.contains("__rust_begin_short_backtrace");
    let stack = stack.to_string();
    let lines: Vec<&str> = stack.lines().take_while(is_of_code).collect();
    let note = "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose \
                backtrace.";
    Some(format!("stack backtrace:\n{}\n{note}\n", lines.join("\n")))
}
