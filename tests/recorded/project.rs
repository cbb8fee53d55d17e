//! A package in a folder of its own, whose tests are those of `programs`, run in processes of their
//! own.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{env, fs};

use crate::report_head::with_head_on_one_line;

/// Removed when it is dropped.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("mod-alloc-recorded-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let root = env::temp_dir().join(name);
        fs::create_dir(&root).expect("it is new");
        Self { root }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A run of tests whose names contain one, by the harness.
    pub(crate) fn command(&self, tests: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.arg(tests).env("PROGRAM", "1").current_dir(&self.root);
        const UNSET: [&str; 9] = [
            "CI",
            "GITHUB_ACTIONS",
            "MOD_ALLOC_BACKTRACE",
            "MOD_ALLOC_DHAT",
            "MOD_ALLOC_ON_BREAK",
            "MOD_ALLOC_RECORDS",
            "MOD_ALLOC_REPORT",
            "MOD_ALLOC_UPDATE",
            "NEXTEST",
        ];
        for unset in UNSET {
            command.env_remove(unset);
        }
        command.env("CARGO_MANIFEST_DIR", &self.root).env("CARGO_PKG_NAME", "project");
        command.env("RUST_BACKTRACE", "0").env("MOD_ALLOC_COLOR", "never");
        command.envs(variables.iter().copied());
        command
    }

    /// What the tests printed, if they failed.
    pub(crate) fn run(&self, tests: &str, variables: &[(&str, &str)]) -> Result<(), String> {
        let Output { status, stdout, stderr } =
            self.command(tests, variables).output().expect("it runs");
        let stdout = String::from_utf8(stdout).expect("text");
        assert!(!stdout.contains("running 0 tests"), "{stdout}");
        let printed = stdout + &String::from_utf8_lossy(&stderr);
        status.success().then_some(()).ok_or_else(|| self.without_root(&printed))
    }

    /// The first message of a panic that the tests printed.
    pub(crate) fn fails(&self, test: &str, variables: &[(&str, &str)]) -> String {
        let printed = self.run(test, variables).expect_err("it fails");
        let (_, message) = printed.split_once("panicked at ").expect("a panic");
        let (_, message) = message.split_once('\n').expect("several lines");
        let end = message.find("\nnote: ").or_else(|| message.find("\n\nfailures:"));
        without_lines(message[..end.expect("an end")].trim_end())
    }

    pub(crate) fn update(&self, test: &str, variables: &[(&str, &str)]) {
        let variables: Vec<_> =
            [("MOD_ALLOC_UPDATE", "1")].iter().chain(variables).copied().collect();
        if let Err(printed) = self.run(test, &variables) {
            panic!("{printed}");
        }
    }

    pub(crate) fn passes(&self, test: &str, variables: &[(&str, &str)]) {
        if let Err(printed) = self.run(test, variables) {
            panic!("{printed}");
        }
    }

    /// The text of a record.
    pub(crate) fn record(&self, name: &str) -> String {
        let file = self.path(&format!("alloc_budgets/recorded/{name}.txt"));
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.path(&format!("alloc_budgets/recorded/{name}.txt"));
        fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        fs::write(file, text).expect("writable");
    }

    /// All files, from the root on.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push(self.without_root(&path.to_string_lossy())),
                }
            }
        }
        files.sort();
        files
    }

    fn without_root(&self, text: &str) -> String {
        text.replace(&*self.root.to_string_lossy(), "ROOT").replace('\\', "/")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // What is left is in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Without the numbers of lines in the programs, and without the gap before the location.
fn without_lines(report: &str) -> String {
    const FILE: &str = "tests/recorded/programs.rs:";
    let report = match report.starts_with("allocation budget ") {
        true => with_head_on_one_line(report),
        false => report.to_owned(),
    };
    let mut parts = report.trim_end().split(FILE);
    let mut text = parts.next().expect("there is a first").to_owned();
    for part in parts {
        text.push_str("tests/recorded/programs.rs:LINE");
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}
