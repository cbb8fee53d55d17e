//! The page of the guide shows what stands in this member, and runs here.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_example_of_the_page_stands_in_a_file_that_runs() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = here.join("../../../src/guide/coming_from.md");
    let page = fs::read_to_string(page).expect("the page");
    let files: Vec<String> = ["src", "tests", "tests/counting", "benches", "other_languages"]
        .iter()
        .flat_map(|folder| fs::read_dir(here.join(folder)).expect("a folder"))
        .map(|entry| entry.expect("a file").path())
        .filter(|path: &PathBuf| path.is_file() && !path.ends_with("page.rs"))
        .map(|path| fs::read_to_string(path).expect("a file"))
        .collect();
    let examples = examples(&page);
    assert!(examples.len() > 15, "the page has {} examples", examples.len());
    let missing: Vec<_> =
        examples.iter().filter(|example| !files.iter().any(|file| has(file, example))).collect();
    assert!(missing.is_empty(), "in no file of this member: {missing:#?}");
}

/// The code of the page. Manifests and what is printed are not code.
fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if !["toml", "text", "sh"].contains(&language) {
            examples.push(block.join("\n"));
        }
    }
    examples
}

/// Whether the file has all paragraphs of the example, which may leave out what stands between.
fn has(file: &str, example: &str) -> bool {
    example.split("\n\n").all(|paragraph| file.contains(paragraph))
}
