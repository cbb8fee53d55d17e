//! Cold: paths as texts. All that are compared or shown have slashes, also those of Windows: what
//! the compiler writes there has backslashes, or both.

use std::borrow::Cow;
use std::path::MAIN_SEPARATOR;

/// A path of this system, with slashes.
pub(crate) fn with_slashes(path: &str) -> Cow<'_, str> {
    replaced(path, MAIN_SEPARATOR)
}

fn replaced(path: &str, separator: char) -> Cow<'_, str> {
    if separator == '/' || !path.as_bytes().contains(&(separator as u8)) {
        return Cow::Borrowed(path);
    }
    Cow::Owned(path.replace(separator, "/"))
}

/// Whether a path, with slashes, leads from the root of the system, or from that of a drive.
pub(crate) fn is_absolute(path: &str) -> bool {
    let is_drive = |bytes: &[u8]| match bytes {
        [letter, b':', b'/', ..] => letter.is_ascii_alphabetic(),
        _ => false,
    };
    path.starts_with('/') || is_drive(path.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{is_absolute, replaced};

    #[test]
    fn backslashes_are_slashes_where_they_are_separators() {
        assert_eq!(replaced(r"C:\app\src\main.rs", '\\'), "C:/app/src/main.rs");
        let mixed = r"/rustc/5/library\alloc\src\vec\mod.rs";
        assert_eq!(replaced(mixed, '\\'), "/rustc/5/library/alloc/src/vec/mod.rs");
        assert_eq!(replaced("src/main.rs", '\\'), "src/main.rs");
        assert_eq!(replaced(r"src/odd\name.rs", '/'), r"src/odd\name.rs");
    }

    #[test]
    fn a_drive_is_a_root() {
        for path in ["/", "/a", "C:/app", "z:/"] {
            assert!(is_absolute(path), "{path}");
        }
        for path in ["", "a/b", "./a", "C:", "C:a", "CC:/a", "1:/a"] {
            assert!(!is_absolute(path), "{path}");
        }
    }
}
