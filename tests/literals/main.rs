//! Numbers in the source that `MOD_ALLOC_UPDATE` rewrites. Each test has a folder of its own with a
//! copy of `programs`, and runs the tests of `programs` in it.
#![cfg(not(miri))]

#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "../common/needs_call_sites.rs"]
mod needs_call_sites;
mod programs;

use std::path::PathBuf;
use std::process::{self, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{env, fs};

use mod_alloc::ModAlloc;

use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const SOURCE: &str = include_str!("programs.rs");
const FILE: &str = "tests/literals/programs.rs";

/// Removed when it is dropped.
struct Project {
    root: PathBuf,
}

impl Project {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let root = env::temp_dir().join(format!("mod-alloc-literals-{}-{number}", process::id()));
        let project = Self { root };
        fs::create_dir_all(project.source().parent().expect("a folder")).expect("it is new");
        fs::write(project.root.join("Cargo.lock"), "").expect("writable");
        fs::write(project.source(), SOURCE).expect("writable");
        project
    }

    fn source(&self) -> PathBuf {
        self.root.join(FILE)
    }

    fn command(&self, test: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.arg(format!("programs::{test}")).current_dir(&self.root);
        command.args((!test.ends_with("::")).then_some("--exact"));
        for unset in ["CI", "MOD_ALLOC_UPDATE", "MOD_ALLOC_BACKTRACE", "RUST_BACKTRACE"] {
            command.env_remove(unset);
        }
        command.env("MOD_ALLOC_COLOR", "never");
        command.env("CARGO_MANIFEST_DIR", &self.root).envs(variables.iter().copied());
        command
    }

    /// What a test printed, if it passed and if it failed, and the lines that it has changed.
    fn run(&self, test: &str, variables: &[(&str, &str)]) -> (Result<String, String>, Vec<String>) {
        let before = fs::read_to_string(self.source()).expect("readable");
        let Output { status, stdout, stderr } =
            self.command(test, variables).output().expect("it runs");
        let printed = [stdout, stderr].map(|text| String::from_utf8(text).expect("text")).concat();
        assert!(!printed.contains("running 0 tests"), "{printed}");
        let after = fs::read_to_string(self.source()).expect("readable");
        assert_eq!(before.lines().count(), after.lines().count());
        let is_changed = |(before, after): &(&str, &str)| before != after;
        let lines = before.split('\n').zip(after.split('\n')).filter(is_changed);
        let lines = lines.map(|(_, after)| after.trim_start().to_owned()).collect();
        (if status.success() { Ok(printed) } else { Err(printed) }, lines)
    }

    /// It passes, says `words`, and changes `lines`.
    #[track_caller]
    fn passes(&self, test: &str, variables: &[(&str, &str)], words: &str, lines: &[&str]) {
        let (result, changed) = self.run(test, variables);
        let printed = result.unwrap_or_else(|printed| panic!("{printed}"));
        assert!(printed.contains(words), "{words} in:\n{printed}");
        assert_eq!(changed, lines);
    }

    /// It fails, says `words`, and changes nothing.
    #[track_caller]
    fn fails(&self, test: &str, variables: &[(&str, &str)], words: &str) {
        let (result, changed) = self.run(test, variables);
        let printed = result.expect_err("it fails");
        let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(printed.contains(words), "{words} in:\n{printed}");
        assert_eq!(changed, [""; 0]);
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // What is left is in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.root);
    }
}

const UPDATE: (&str, &str) = ("MOD_ALLOC_UPDATE", "1");
const LOWER: (&str, &str) = ("MOD_ALLOC_UPDATE", "lower");
const OFF: (&str, &str) = ("MOD_ALLOC_BACKTRACE", "off");

const fn makes(allocations: &str) -> (&str, &str) {
    ("ALLOCATIONS", allocations)
}

/// The line of the source that a text stands in, from 1.
fn line_of(text: &str) -> usize {
    SOURCE[..SOURCE.find(text).expect("there")].matches('\n').count() + 1
}

#[test]
fn an_exact_number_becomes_what_was_measured() {
    let block = "let text = \"exact = 14\"; /* exact = 14 */ \
                 assert_allocs!(exact = 12_u16, { work() }, \"{text}\");";
    for (test, line) in [
        ("attribute", "#[alloc_budget(exact = 12)]"),
        ("conditional", "#[cfg_attr(test, alloc_budget(max_bytes = 14, exact = 12))]"),
        ("block", block),
        ("runs", "#[alloc_budget(exact = 12, runs = 3)]"),
        ("in_a_loop", "assert_allocs!(exact = 12, { work() });"),
    ] {
        let project = Project::new();
        project.fails(test, &[makes("12")], "allocation budget not reached");
        project.passes(test, &[makes("14"), UPDATE], "", &[]);
        project.passes(test, &[makes("12"), UPDATE, OFF], "exact = 14 -> 12\n", &[line]);
        project.passes(test, &[makes("12"), UPDATE], "", &[]);
        let changed = "not rewritten: the source has changed since this was built: build it again";
        project.fails(test, &[makes("13"), UPDATE], changed);
    }
    let place = format!("mod-alloc: {FILE}:{}: exact = 14 -> 1200\n", line_of("#[alloc_budget("));
    let variables = [makes("1200"), UPDATE];
    Project::new().passes("attribute", &variables, &place, &["#[alloc_budget(exact = 1200)]"]);
}

#[test]
fn another_limit_that_is_broken_still_is() {
    let project = Project::new();
    let (result, changed) = project.run("conditional", &[makes("15"), UPDATE]);
    let report = result.expect_err("too many bytes");
    assert!(report.contains("exact = 15, max_bytes = 14"), "{report}");
    assert_eq!(changed, ["#[cfg_attr(test, alloc_budget(max_bytes = 14, exact = 15))]"]);
}

#[test]
fn what_is_no_literal_of_its_own_is_left_alone_and_named() {
    let project = Project::new();
    let check = |test, words: &str| {
        project.fails(test, &[makes("12"), UPDATE], &format!("not rewritten: {words}"));
        project.passes(test, &[UPDATE], "", &[]);
    };
    check("constant", "its value is no literal");
    check("method", "only numbers in `#[alloc_budget(..)]` and `assert_allocs!(..)` are");
    check("of_a_macro", "it is not written where its budget begins");
    check("module::", "it is not written where its budget begins");
}

#[test]
fn runs_must_make_as_many() {
    let project = Project::new();
    let more = ("MORE", "1");
    project.fails("runs", &[more, UPDATE], "not rewritten: its runs differ");
    let words = "not rewritten: it makes 15 allocations, and an earlier run in this process made \
                 14. Each run must make as many";
    project.fails("in_a_loop", &[more, UPDATE], words);
    // The first is rewritten, and the second measures what the program was built with.
    let (result, _) = project.run("in_a_loop", &[makes("12"), ("MORE", "2"), UPDATE]);
    assert!(result.expect_err("they differ").contains("made 12"));
}

#[test]
fn lower_takes_nothing_but_fewer() {
    let project = Project::new();
    let more = "not rewritten: `MOD_ALLOC_UPDATE=lower` accepts fewer allocations only";
    project.fails("attribute", &[makes("15"), LOWER], more);
    let exact = ["#[alloc_budget(exact = 12)]"];
    project.passes("attribute", &[makes("12"), LOWER], "exact = 14 -> 12\n", &exact);
    project.fails("at_most", &[makes("15"), LOWER], "allocation budget exceeded");
    project.fails("at_most", &[makes("3"), LOWER], "allocation budget not reached");
    project.passes("at_most", &[makes("4"), UPDATE], "", &[]);
    project.passes("at_most", &[makes("14"), LOWER], "", &[]);
    let lower = ["#[alloc_budget(max = 4, min = 4)]"];
    project.passes("at_most", &[makes("4"), LOWER], "max = 14 -> 4\n", &lower);
    project.fails("at_most", &[makes("5"), LOWER], "not rewritten: the source has changed");
    let named = format!("{FILE}:{}: not rewritten: its value is no literal", line_of("7 * 2"));
    project.passes("at_most_an_expression", &[makes("12"), LOWER], &named, &[]);
}

#[test]
fn a_loop_lowers_to_the_highest_of_its_runs() {
    let project = Project::new();
    let lower = ["assert_allocs!(max = 12, { work() });"];
    let variables = [makes("8"), ("MORE", "2"), LOWER];
    project.passes("at_most_in_a_loop", &variables, "max = 10 -> 12\n", &lower);
    let project = Project::new();
    project.passes("at_most_in_a_loop", &[makes("10"), ("MORE", "2"), LOWER], "", &[]);
}

#[test]
fn what_the_harness_keeps_of_the_printed_is_in_no_number() {
    needs_call_sites!();
    for arguments in [&[][..], &["--nocapture"]] {
        let project = Project::new();
        let mut command = project.command("prints", &[("LINES", "50"), LOWER]);
        assert!(command.args(arguments).output().expect("it runs").status.success());
        let source = fs::read_to_string(project.source()).expect("readable");
        assert_eq!(source, SOURCE.replace("max = 90", "max = 14"), "{arguments:?}");
    }
}

#[test]
fn tests_of_one_file_do_not_lose_each_others_numbers() {
    let project = Project::new();
    // It takes longer to read, so that they meet.
    let long = format!("{SOURCE}{}\n", "; ".repeat(100_000));
    fs::write(project.source(), &long).expect("writable");
    let start = |name| {
        let mut command = project.command(&format!("many::{name}"), &[makes("12"), UPDATE, OFF]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    for mut process in ["a", "b", "c", "d", "e", "f", "", ""].map(start) {
        assert!(process.wait().expect("it ends").success());
    }
    let source = fs::read_to_string(project.source()).expect("readable");
    let (before, many) = long.split_at(long.find("mod many").expect("there"));
    assert!(
        source == format!("{before}{}", many.replace("14", "12")),
        "{}",
        &source[..SOURCE.len()]
    );
    let folder = project.source().parent().map(fs::read_dir).expect("a folder");
    assert_eq!(folder.expect("readable").count(), 1, "no lock and no temporary file is left");
}

#[test]
fn line_ends_and_permissions_stay() {
    let project = Project::new();
    let source = SOURCE.replace('\n', "\r\n");
    fs::write(project.source(), &source).expect("writable");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(project.source(), PermissionsExt::from_mode(0o640)).expect("ours");
    }
    let lines = ["#[alloc_budget(exact = 12)]\r"];
    project.passes("attribute", &[makes("12"), UPDATE], "exact = 14 -> 12\n", &lines);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(project.source()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}

#[test]
fn nothing_is_written_in_ci_or_without_a_source() {
    let project = Project::new();
    let ci = ("CI", "true");
    project.fails("attribute", &[makes("12"), UPDATE, ci], "nothing is written there");
    project.fails("at_most", &[makes("12"), LOWER, ci], "nothing is written there");
    fs::remove_file(project.root.join("Cargo.lock")).expect("there");
    let lost = "not rewritten: its file is not found: run it by Cargo";
    project.fails("attribute", &[makes("12"), UPDATE], lost);
    project.passes("at_most", &[makes("12"), LOWER], lost, &[]);
}
