//! Files that the documents name.

use std::fs;
use std::path::Path;

/// The names in a document of files and folders of the repository: code that begins with one of
/// these, and the targets of links.
const BEGINNINGS: [&str; 6] = [".ci/", "benches/", "examples/", "macros/", "src/", "tests/"];

/// Which files of `root` a document names that are not there. `TARGET` stands for any target.
pub(crate) fn missing(root: &Path, document: &str) -> Vec<String> {
    let is_missing = |name: &&str| !name.contains("TARGET") && !root.join(name).exists();
    names(document).into_iter().filter(is_missing).map(str::to_owned).collect()
}

pub(crate) fn names(document: &str) -> Vec<&str> {
    let code = document.split('`').skip(1).step_by(2);
    let code = code
        .filter(|span| BEGINNINGS.iter().any(|beginning| span.starts_with(beginning)))
        .map(|span| span.split(char::is_whitespace).next().unwrap_or(span));
    let links = document.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    code.chain(links.filter(|link| !link.is_empty() && !link.contains(':'))).collect()
}

/// The folders below `src/`, as documents name them.
pub(crate) fn folders(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("src")).expect("the sources are there");
    let mut folders: Vec<String> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.join("mod.rs").exists())
        .map(|path| format!("src/{}/", path.file_name().expect("a name").to_string_lossy()))
        .collect();
    folders.sort();
    folders
}
