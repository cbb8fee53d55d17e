//! Cold: the command that runs a test or an example again, to be copied from its report.

use std::env;

use crate::files::{self, built, Built};

/// Sets a variable for a test of this name, or for this example. The variable alone, where it is
/// neither, or it is not known how it was run.
pub(crate) fn command(variable: &str, test: Option<&str>) -> String {
    if test.is_none() && files::is_example() {
        return of_example(variable);
    }
    of(variable, test, &built(), env::var_os("NEXTEST").is_some(), &package())
}

/// Sets a variable for whatever program this is, and for this test alone: others may have its name
/// in theirs. The test is known by what it records.
pub(super) fn again(variable: &str, test: &str) -> String {
    let package = package();
    if built() == Built::DocTest {
        format!("{variable} cargo test{package}{} --doc", release())
    } else if files::is_example() {
        of_example(variable)
    } else if env::args_os().any(|argument| argument == "--bench") {
        format!("{variable} cargo bench{package}")
    } else {
        alone(&command(variable, Some(test)), test)
    }
}

/// This command for a test of exactly this name.
fn alone(command: &str, test: &str) -> String {
    match command.strip_suffix(test) {
        None => command.to_owned(),
        Some(run) if run.contains("nextest") => format!("{run}-E 'test(={test})'"),
        Some(_) => format!("{command} -- --exact"),
    }
}

fn of_example(variable: &str) -> String {
    let name = files::executable_name().unwrap_or_default();
    format!("{variable} cargo run{}{} --example {name}", package(), release())
}

fn release() -> &'static str {
    if cfg!(debug_assertions) {
        ""
    } else {
        " --release"
    }
}

/// ` -p NAME`, where another package of the workspace is at its root: `cargo test` would run that
/// one's tests there.
fn package() -> String {
    files::member().map_or_else(String::new, |name| format!(" -p {name}"))
}

fn of(
    variable: &str,
    test: Option<&str>,
    built: &Built,
    is_nextest: bool,
    package: &str,
) -> String {
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
    format!("{variable} cargo {run}{package}{profile} {test}")
}

#[cfg(test)]
mod tests {
    use super::{alone, of, Built};

    #[test]
    fn it_runs_the_test_as_it_was_run() {
        let check = |test, built: &Built, is_nextest, expected| {
            assert_eq!(of("A=b", test, built, is_nextest, ""), expected);
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
        let of_member = of("A=b", test, &profile("release"), false, " -p m");
        assert_eq!(of_member, "A=b cargo test -p m --release tests::reads::case_1");
    }

    #[test]
    fn a_test_may_be_alone_though_others_have_its_name_in_theirs() {
        let check = |command, expected| assert_eq!(alone(command, "m::t"), expected);
        check("A=b cargo test -p m m::t", "A=b cargo test -p m m::t -- --exact");
        check("A=b cargo nextest run m::t", "A=b cargo nextest run -E 'test(=m::t)'");
        check("A=b", "A=b");
    }
}
