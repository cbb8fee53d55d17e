//! Cold: what other threads, which are not attached, allocate while a budget is open. It is no part
//! of the verdict, but users who forgot to attach a worker must be able to find out.
//!
//! An event tells on which thread it happens, not for whom. Where several tests run side by side,
//! most of what other threads allocate is for the other tests. So nothing is said unless this is
//! certainly the only test that runs. Then it is this test's own, or the harness's, or of a thread
//! that an earlier test left behind.

use std::env;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use super::environment::Settings;
use super::origin::Origin;
use super::say::say;
use crate::counters;
use crate::number::counted;
use crate::threads;

/// Whether a budget is to look: with `MOD_ALLOC_REPORT=1`, or for its report, if it records call
/// sites.
pub(super) fn is_wanted(settings: Settings, is_recording: bool) -> bool {
    if !settings.report() && !is_recording {
        return false;
    }
    let is_alone = is_the_only_test();
    if settings.report() && !is_alone {
        static SAID: AtomicBool = AtomicBool::new(false);
        if !SAID.swap(true, Relaxed) {
            say(&|| {
                "mod-alloc: MOD_ALLOC_REPORT=1: while tests run side by side nobody can tell whose \
                 threads allocate. Run one at a time: `cargo test -- --test-threads=1`"
                    .to_owned()
            });
        }
    }
    is_alone
}

/// Whether to say it also of budgets that hold.
///
/// # Panics
/// If a variable has no valid value.
#[track_caller]
#[inline]
pub(super) fn is_reported() -> bool {
    Settings::get().report()
}

/// Says what other threads have allocated while a budget was open that has held.
#[cold]
pub(super) fn report(origin: &Origin, events: Option<u64>) {
    if let Some(events @ 1..) = events.filter(|_| is_reported()) {
        say(&|| {
            let (name, events) = (origin.name(), counted(events, "allocation"));
            format!(
                "mod-alloc: {name} holds its budget ({}). Not in it: {events} elsewhere meanwhile, \
                 on other threads or by other tasks. Attach those that work for it by \
                 `AllocScope::current()`",
                origin.location
            )
        });
    }
}

/// Whether no other test runs at the same time. On the first thread of a process, no harness runs
/// tests side by side. On other threads, the command line and the environment tell how many run at
/// a time.
fn is_the_only_test() -> bool {
    const UNREAD: u8 = 2;
    static ONE_AT_A_TIME: AtomicU8 = AtomicU8::new(UNREAD);
    let is_one = match ONE_AT_A_TIME.load(Relaxed) {
        UNREAD => {
            let is_one = counters::ignored(|_| {
                let arguments: Vec<OsString> = env::args_os().skip(1).collect();
                one_at_a_time(&arguments, |name| env::var_os(name))
            });
            ONE_AT_A_TIME.store(is_one.into(), Relaxed);
            is_one
        }
        is_one => is_one == 1,
    };
    is_one || threads::is_first_thread()
}

/// Options of Rust's test harness that are followed by a value, which is not the name of a test.
const WITH_VALUE: [&str; 6] =
    ["--skip", "--logfile", "--color", "--format", "--shuffle-seed", "-Z"];

/// Whether tests run one at a time, by the options of Rust's test harness and what nextest sets.
fn one_at_a_time(arguments: &[OsString], variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is = |name: &str, value: &str| variable(name).is_some_and(|is| is == value);
    let mut threads = None;
    let mut plain = 0;
    let mut arguments_left = arguments.iter();
    while let Some(argument) = arguments_left.next() {
        let argument = argument.to_string_lossy();
        if argument == "--test-threads" {
            threads = arguments_left.next().map(|threads| threads == "1");
        } else if let Some(number) = argument.strip_prefix("--test-threads=") {
            threads = Some(number == "1");
        } else if WITH_VALUE.contains(&&*argument) {
            arguments_left.next();
        } else if !argument.starts_with('-') {
            plain += 1;
        }
    }
    let is_exact = plain == 1 && arguments.iter().any(|argument| argument == "--exact");
    is_exact
        || is("NEXTEST_EXECUTION_MODE", "process-per-test")
        || threads.unwrap_or_else(|| is("RUST_TEST_THREADS", "1"))
}

#[cfg(test)]
mod tests {
    use super::one_at_a_time;

    #[test]
    fn the_command_line_and_the_environment_say_whether_tests_run_one_at_a_time() {
        let check = |arguments: &str, set: &[(&str, &str)], expected| {
            let arguments: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            assert_eq!(one_at_a_time(&arguments, variable), expected, "{arguments:?} {set:?}");
        };
        check("", &[], false);
        check("a::test", &[], false);
        check("--test-threads=1", &[], true);
        check("a --test-threads 1", &[], true);
        check("--test-threads=12", &[], false);
        check("--test-threads 2 --nocapture", &[], false);
        check("", &[("RUST_TEST_THREADS", "1")], true);
        check("", &[("RUST_TEST_THREADS", "2")], false);
        check("--test-threads=4", &[("RUST_TEST_THREADS", "1")], false);
        check("a::test --exact", &[], true);
        check("--exact", &[], false);
        check("--exact a::test b::test", &[], false);
        check("--exact --skip a::test", &[], false);
        check("--exact --color never -Z unstable-options --format json", &[], false);
        check("--exact a::test --skip b::test", &[], true);
        check(
            "--exact a::test --nocapture",
            &[("NEXTEST_EXECUTION_MODE", "process-per-test")],
            true,
        );
    }
}
