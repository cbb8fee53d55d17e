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

/// Whether this program is an example of a package.
pub(crate) fn is_example() -> bool {
    env::current_exe().is_ok_and(|path| folder(&path) == Some("examples"))
}

/// The name of the folder that a file is in.
fn folder(path: &Path) -> Option<&str> {
    path.parent()?.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{folder, without_hash};

    #[test]
    fn what_cargo_adds_to_a_name_is_left_out() {
        assert_eq!(without_hash("parser-0123456789abcdef"), "parser");
        assert_eq!(without_hash("my-parser"), "my-parser");
        assert_eq!(without_hash("my-0123456789abcdeg"), "my-0123456789abcdeg");
    }

    #[test]
    fn examples_are_in_a_folder_of_their_own() {
        assert_eq!(folder(Path::new("/p/target/debug/examples/words")), Some("examples"));
        assert_eq!(folder(Path::new("words")), None);
    }
}
