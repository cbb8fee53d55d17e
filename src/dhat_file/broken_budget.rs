//! Cold: the DHAT profile of a broken budget, in the folder that `MOD_ALLOC_DHAT` names.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;

use super::document;
use crate::counters::AtWork;
use crate::files::{self, lock};
use crate::reading::{DhatProfile, Recording};

/// Writes `FOLDER/PACKAGE-BINARY-NAME.json`, and returns its path. A second file of the same name
/// in this process is `..-2.json`. A file of an earlier process is replaced.
///
/// # Errors
/// Those of the file system, with the path that they are about.
pub(crate) fn save_in(
    at_work: AtWork<'_>,
    folder: &Path,
    name: &str,
    recording: &Recording,
) -> Result<PathBuf, (PathBuf, io::Error)> {
    let folder = &absolute(folder);
    fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error))?;
    let package = env::var("CARGO_PKG_NAME").ok();
    let stem = stem(package.as_deref(), files::executable_name().as_deref(), name);
    let path = folder.join(format!("{}.json", numbered(at_work, stem)));
    match files::write(&path, &document::text(at_work, &DhatProfile::of_recording(recording))) {
        Ok(()) => Ok(path),
        Err(error) => Err((path, error)),
    }
}

/// The name of the file. Several packages of a workspace may have tests of the same name, so it
/// begins with the package. The binary of a package's unit tests is named as the package is: it is
/// left out.
fn stem(package: Option<&str>, binary: Option<&str>, name: &str) -> String {
    let is_its_own = |binary: &&str| package.is_some_and(|p| p.replace('-', "_") == **binary);
    let parts = [package, binary.filter(|binary| !is_its_own(binary)), Some(name)];
    parts.into_iter().flatten().map(plain).collect::<Vec<_>>().join("-")
}

/// An absolute path: people read it who may be in another folder.
fn absolute(folder: &Path) -> PathBuf {
    let folder = env::current_dir().map_or_else(|_| folder.to_owned(), |here| here.join(folder));
    folder.components().collect()
}

/// A name that any file system takes.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = name.replace("::", ".");
    name.chars().map(|c| if is_plain(c) { c } else { '_' }).take(100).collect()
}

fn numbered(at_work: AtWork<'_>, stem: String) -> String {
    static WRITTEN: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
    // A forked child may not know what was written before: its files have its process id.
    let Some(mut written) = lock(at_work, &WRITTEN) else {
        return format!("{stem}-of-{}", process::id());
    };
    let number = written.entry(stem.clone()).or_insert(0);
    *number += 1;
    match *number {
        1 => stem,
        number => format!("{stem}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{numbered, plain, stem};
    use crate::counters::ignored;

    #[test]
    fn files_are_named_after_binary_and_test() {
        assert_eq!(plain("tests::parses_header"), "tests.parses_header");
        assert_eq!(stem(Some("my-parser"), Some("my_parser"), "a::b"), "my-parser-a.b");
        assert_eq!(stem(Some("my-parser"), Some("alloc"), "b"), "my-parser-alloc-b");
        assert_eq!(stem(None, Some("alloc"), "b"), "alloc-b");
        assert_eq!(stem(Some("p"), None, "b"), "p-b");
        assert_eq!(plain("<p::S as p::T>::go / \u{e9}"), "_p.S_as_p.T_.go____");
        assert_eq!(plain(&"x".repeat(1000)).len(), 100);
        let names = [(); 3].map(|()| ignored(|at_work| numbered(at_work, "a".to_owned())));
        assert_eq!(names, ["a", "a-2", "a-3"]);
    }
}
