//! Cold: where a record is kept: `FOLDER/BINARY/NAME.txt`. Names may be anything, so each is made
//! one that every file system takes, that leads nowhere else, and that no other name has.

use std::path::{Path, PathBuf};

/// The folder in the root of a package.
pub(super) const FOLDER: &str = "alloc_budgets";

/// So long is a name at most, without what is added where it was changed.
const MAX_LENGTH: usize = 100;

/// Names of devices on Windows, whatever follows after a dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

pub(super) fn file(folder: &Path, binary: &str, name: &str) -> PathBuf {
    folder.join(safe(binary)).join(format!("{}.txt", safe(name)))
}

/// A name of ASCII letters in lower case, digits, `_`, `-`, and `.` for `::`. If this changes more
/// than `::`, a hash of the whole name is added, after a `~`. Without capital letters, no two files
/// differ in their case alone.
fn safe(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let segments = name.split("::");
    let is_kept = segments.clone().all(|part| !part.is_empty() && part.chars().all(is_plain))
        && name.len() <= MAX_LENGTH
        && !is_device(segments.clone().next().unwrap_or_default());
    let mut safe = name.replace("::", ".");
    if !is_kept {
        safe = name.replace("::", ".").to_ascii_lowercase();
        let changed = safe.chars().map(|c| if is_plain(c) || c == '.' { c } else { '_' });
        // It begins with a letter of ours: no device, no `..`, nothing hidden.
        safe = format!("x{}", changed.take(MAX_LENGTH).collect::<String>());
        safe.push_str(&format!("~{:016x}", hash(name)));
    }
    safe
}

fn is_device(name: &str) -> bool {
    let is_numbered = |device| {
        let number: &str = name.strip_prefix(device).unwrap_or_default();
        number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit())
    };
    DEVICES.contains(&name) || NUMBERED_DEVICES.into_iter().any(is_numbered)
}

/// FNV-1a, of 64 bits. It must be the same in every version: std's may change.
fn hash(name: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    name.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{file, hash, safe};

    #[test]
    fn names_of_tests_are_names_of_files() {
        let check = |name, expected: &str| assert_eq!(safe(name), expected);
        check("parses_header", "parses_header");
        check("tests::parses::case_1_empty", "tests.parses.case_1_empty");
        check("com10", "com10");
        check("my-parser", "my-parser");
        assert_eq!(
            file(Path::new("/p/alloc_budgets"), "header", "tests::parses"),
            Path::new("/p/alloc_budgets/header/tests.parses.txt")
        );
    }

    #[test]
    fn other_names_become_such_names_and_stay_apart() {
        let long = "x".repeat(300);
        let longer = "x".repeat(301);
        let names = [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:\\a",
            "a.b",
            "a::b",
            "a:b",
            "a::::b",
            "::a",
            "a::",
            "parses",
            "Parses",
            "PARSES",
            "con",
            "con::x",
            "nul",
            "com1",
            "x.",
            "x ",
            "a b",
            "a\nb",
            "a\0b",
            "\u{e9}",
            "\u{1f980}",
            "-x",
            "~",
            "a~b",
            &long,
            &longer,
            "xparses~0f3a4b5c6d7e8f90",
        ];
        let files: BTreeSet<String> = names.iter().map(|name| safe(name)).collect();
        assert_eq!(files.len(), names.len(), "{files:#?}");
        for file in files {
            assert!(file.len() <= 120, "{file}");
            let is_allowed =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.~".contains(&b);
            assert!(file.bytes().all(is_allowed), "{file}");
            assert!(!file.starts_with(['.', '~']) && !file.ends_with('.'), "{file}");
            let device = file.split('.').next().expect("there is a first");
            assert!(!["con", "nul", "com1"].contains(&device), "{file}");
        }
    }

    #[test]
    fn the_hash_is_that_of_its_definition() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
