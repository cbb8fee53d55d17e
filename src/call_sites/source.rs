//! Cold: the user's source files, read where they were compiled, for excerpts and for the names of
//! closures.

use std::fs;
use std::path::Path;

use super::items::{derived_for, item_at, Item};
use crate::files;
use crate::files::{built, is_absolute, with_slashes, Built};
use crate::index::{hash_of_text, Index};

/// Larger files are not read.
const MAX_BYTES: u64 = 4 << 20;

/// Files that have been read, by their paths. `None` stands for a file that can't be read.
#[derive(Default)]
pub(crate) struct Sources {
    files: Vec<(String, Option<String>)>,
    /// Where a file is, by the hash of its path.
    places: Index,
}

impl Sources {
    fn text(&mut self, path: &str) -> Option<&str> {
        let (hash, next) = (hash_of_text(path), self.files.len());
        let known = self.places.find_or_insert_hashed(hash, next, &|at| self.files[at].0 == path);
        if known.is_none() {
            self.files.push((path.to_owned(), read(path)));
        }
        self.files[known.unwrap_or(next)].1.as_deref()
    }

    pub(crate) fn can_be_read(&mut self, path: &str) -> bool {
        self.text(path).is_some()
    }

    /// A line, without the space around it, and how many bytes there are before it. `None` where
    /// there is nothing to show.
    pub(crate) fn line(&mut self, path: &str, line: u32) -> Option<(usize, &str)> {
        let index = usize::try_from(line.checked_sub(1)?).ok()?;
        let text = self.text(path)?.lines().nth(index)?.trim_end();
        let code = text.trim_start();
        (!code.is_empty()).then(|| (text.len() - code.len(), code))
    }

    /// The innermost `fn` around a place, or the `static` or `const`.
    pub(super) fn item_at(
        &mut self,
        path: &str,
        line: u32,
        column: Option<u32>,
    ) -> Option<Item<'_>> {
        item_at(self.text(path)?, line, column)
    }

    /// The function of this name around a place, also one that a `derive` at that place makes.
    pub(super) fn function_at<'a>(
        &'a mut self,
        path: &str,
        line: u32,
        column: Option<u32>,
        name: &'a str,
    ) -> Option<Item<'a>> {
        let text = self.text(path)?;
        let item = item_at(text, line, column).filter(|item| item.name == name);
        item.or_else(|| {
            let derived = derived_for(text, line)?;
            Some(Item { name, is_async: false, of: Some(derived) })
        })
    }
}

/// The folder that the files of a build are in, if the compiler has written down another one
/// (`--remap-path-prefix`, `trim-paths`). `location` is one of the files, `written` is its path as
/// the compiler has it, and `folders` are those that may be in the workspace.
pub(crate) fn moved_root(location: &str, written: &str, folders: &[String]) -> Option<String> {
    let is_file = |path: &Path| fs::metadata(path).is_ok_and(|file| file.is_file());
    if is_absolute(location) || is_absolute(written) && is_file(Path::new(written)) {
        return None;
    }
    Some(with_slashes(files::workspace(location, folders)?.to_str()?).into_owned())
}

/// The text of a file. There is none for doc tests: their lines are those of a source that rustdoc
/// makes, and not of the file that they stand in.
fn read(path: &str) -> Option<String> {
    if built() == Built::DocTest {
        return None;
    }
    let attributes = fs::metadata(path).ok()?;
    let is_readable = attributes.is_file() && attributes.len() <= MAX_BYTES;
    is_readable.then(|| fs::read_to_string(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{moved_root, Sources};

    #[test]
    fn a_build_whose_paths_are_rewritten_is_found_by_its_lock_file() {
        let here = env!("CARGO_MANIFEST_DIR");
        let check = |location: &str, written: &str, folder: &str, expected: Option<&str>| {
            assert_eq!(moved_root(location, written, &[folder.to_owned()]).as_deref(), expected);
        };
        for folder in [here.to_owned(), format!("{here}/tests/call_sites")] {
            check("src/lib.rs", "/nowhere/src/lib.rs", &folder, Some(here));
            check("src/lib.rs", "./src/lib.rs", &folder, Some(here));
            check("src/no.rs", "/nowhere/src/no.rs", &folder, None);
        }
        check("src/lib.rs", &format!("{here}/src/lib.rs"), here, None);
        check("src/lib.rs", "src/lib.rs", "/nowhere", None);
        check("/gen/a.rs", "/gen/a.rs", here, None);
    }

    #[test]
    fn a_line_is_shown_without_the_space_around_it() {
        let mut sources = Sources::default();
        let line = line!();
        assert_eq!(sources.line(file!(), line), Some((8, "let line = line!();")));
        assert_eq!(sources.line(file!(), 3), None);
    }

    #[test]
    fn a_file_that_is_not_there_has_no_lines() {
        let mut sources = Sources::default();
        assert_eq!(sources.line("/no/such/file.rs", 1), None);
        assert_eq!(sources.line("/dev/zero", 1), None);
        assert_eq!(sources.line(file!(), 0), None);
        assert_eq!(sources.item_at("/no/such/file.rs", 1, None), None);
    }
}
