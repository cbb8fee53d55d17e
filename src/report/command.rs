//! Cold: the command that runs a test again, to be copied from its report.

use std::env;

use crate::files::{self, built, Built};

/// Sets a variable for a test of this name. The variable alone, where there is no such test, or it
/// is not known how it was run.
pub(crate) fn command(variable: &str, test: Option<&str>) -> String {
    of(variable, test, &built(), env::var_os("NEXTEST").is_some())
}

/// Sets a variable for whatever program this is. The test is known by what it records.
pub(super) fn again(variable: &str, test: &str) -> String {
    let release = if cfg!(debug_assertions) { "" } else { " --release" };
    if built() == Built::DocTest {
        format!("{variable} cargo test{release} --doc")
    } else if files::is_example() {
        let name = files::executable_name().unwrap_or_default();
        format!("{variable} cargo run{release} --example {name}")
    } else if env::args_os().any(|argument| argument == "--bench") {
        format!("{variable} cargo bench")
    } else {
        command(variable, Some(test))
    }
}

fn of(variable: &str, test: Option<&str>, built: &Built, is_nextest: bool) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#');
    let (Some(test), Built::Profile(profile)) = (test, built) else { return variable.to_owned() };
    if !test.chars().all(is_plain) {
        return variable.to_owned();
    }
    let (run, option) = match is_nextest {
        true => ("nextest run", "--cargo-profile"),
        false => ("test", "--profile"),
    };
    let profile = match profile.as_str() {
        "dev" => String::new(),
        "release" => " --release".to_owned(),
        profile => format!(" {option} {profile}"),
    };
    format!("{variable} cargo {run}{profile} {test}")
}

#[cfg(test)]
mod tests {
    use super::{of, Built};

    #[test]
    fn it_runs_the_test_as_it_was_run() {
        let check = |test, built: &Built, is_nextest, expected| {
            assert_eq!(of("A=b", test, built, is_nextest), expected);
        };
        let profile = |name: &str| Built::Profile(name.to_owned());
        let test = Some("tests::reads::case_1");
        check(test, &profile("dev"), false, "A=b cargo test tests::reads::case_1");
        check(test, &profile("release"), false, "A=b cargo test --release tests::reads::case_1");
        check(test, &profile("fast"), false, "A=b cargo test --profile fast tests::reads::case_1");
        check(test, &profile("dev"), true, "A=b cargo nextest run tests::reads::case_1");
        let fast = "A=b cargo nextest run --cargo-profile fast tests::reads::case_1";
        check(test, &profile("fast"), true, fast);
        check(test, &Built::DocTest, false, "A=b");
        check(test, &Built::Unknown, false, "A=b");
        check(Some("src/lib.rs - f (line 3)"), &profile("dev"), false, "A=b");
        check(None, &profile("dev"), false, "A=b");
    }
}
