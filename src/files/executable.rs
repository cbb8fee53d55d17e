//! Cold: which program this is, as its path tells.

use std::env;
use std::path::Path;

/// The name of this program, without what Cargo adds to it.
pub(crate) fn executable_name() -> Option<String> {
    let path = env::current_exe().ok()?;
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    Some(without_hash(&stem).to_owned())
}

/// `name-0123456789abcdef` is Cargo's.
fn without_hash(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name
        }
        _ => stem,
    }
}

/// Whether a program was built by rustdoc, as a test in the documentation.
pub(crate) fn is_doc_test(path: &Path) -> bool {
    let (file, folder) = ends(path);
    file.starts_with("rust_out") || folder.starts_with("rustdoctest")
}

/// Whether a program is an example of a package.
pub(crate) fn is_example(path: &Path) -> bool {
    ends(path).1 == "examples"
}

/// The name of the file, and that of its folder.
fn ends(path: &Path) -> (String, String) {
    let mut names = path.iter().rev().map(|name| name.to_string_lossy().into_owned());
    (names.next().unwrap_or_default(), names.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_doc_test, is_example, without_hash};

    #[test]
    fn what_cargo_adds_to_a_name_is_left_out() {
        assert_eq!(without_hash("parser-0123456789abcdef"), "parser");
        assert_eq!(without_hash("my-parser"), "my-parser");
        assert_eq!(without_hash("my-0123456789abcdeg"), "my-0123456789abcdeg");
    }

    #[test]
    fn the_path_tells_what_a_program_is() {
        let check = |path, expected| {
            let path = Path::new(path);
            assert_eq!((is_doc_test(path), is_example(path)), expected, "{}", path.display());
        };
        check("/p/target/debug/deps/words-3b7f9b8abf8e3895", (false, false));
        check("/p/target/debug/examples/words", (false, true));
        check("/tmp/rustdoctestA1b2C3/rust_out", (true, false));
        check("/tmp/rustdoctestA1b2C3/merged_doctest_2024", (true, false));
        check("words", (false, false));
    }
}
