//! The reports of the guide are what its examples print: each is run as a package of its own, whose
//! output must have the text that follows the example.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn check(page: &str, file: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outputs");
    let package = folder.join(page);
    let write = |file: &str, text: &str| {
        let path = package.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    let text = fs::read_to_string(here.join(format!("../../../src/guide/{page}.md"))).expect(page);
    let (example, rest) = block(&text, "```rust,test_harness,should_panic\n");
    let (report, _) = block(rest, "```text\n");
    // What the report is of may also stand in `tests/`, and a package has a library here.
    write("src/lib.rs", "");
    write(file, example);
    // Packages in one folder for what is built need different names.
    let manifest = format!(
        "[package]\nname = {page:?}\nedition = \"2021\"\n\n[workspace]\n\n\
         [dev-dependencies]\nmod-alloc = {{ path = {:?} }}\n",
        here.join("../../..")
    );
    write("Cargo.toml", &manifest);

    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    let ours = |name: &str| name.starts_with("MOD_ALLOC_") || name == "RUST_BACKTRACE";
    for (name, _) in env::vars().filter(|(name, _)| ours(name)) {
        cargo.env_remove(name);
    }
    cargo.args(["test", "--quiet", "--offline", "--target-dir"]).arg(&folder);
    cargo.current_dir(&package).env_remove("GITHUB_ACTIONS").env("CARGO_TERM_COLOR", "never");
    let output = cargo.output().expect("Cargo runs");
    let printed = without_thread_ids(&String::from_utf8_lossy(&output.stdout));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(printed.contains(report), "{page} shows\n{report}\nand there is\n{printed}{errors}");
}

/// The block of code that begins so, and what follows it.
fn block<'a>(text: &'a str, begins: &str) -> (&'a str, &'a str) {
    let (_, block) = text.split_once(begins).expect(begins);
    block.split_once("```").expect("an end")
}

/// Newer versions of Rust tell the number of a thread that panics, `thread 'a' (12) panicked`.
fn without_thread_ids(printed: &str) -> String {
    let lines =
        printed.lines().map(|line| match (line.split_once("' ("), line.split_once(") p")) {
            (Some((thread, _)), Some((_, rest))) => format!("{thread}' p{rest}\n"),
            _ => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn first_budget() {
    check("first_budget", "src/lib.rs");
}

#[test]
fn reading_a_report() {
    check("reading_a_report", "src/lib.rs");
}

#[test]
fn leaks() {
    check("leaks", "tests/leaks.rs");
}

#[test]
fn untrusted_input() {
    check("untrusted_input", "tests/untrusted_input.rs");
}

#[test]
fn warm_up() {
    check("warm_up", "tests/runs.rs");
}
