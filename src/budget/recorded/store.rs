//! Cold: reads and writes the files of records. A file is replaced as a whole, so that a reader
//! sees all of it or the one before. Whoever changes one holds its lock, so that of two processes
//! that change different sections at a time neither loses what the other has written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::text::{self, Fault, Owner, Section, SectionName};
use crate::files;

/// A section of a file.
pub(super) struct Store {
    pub(super) file: PathBuf,
    pub(super) owner: Owner,
    pub(super) section: SectionName,
}

impl Store {
    /// What is recorded, if anything is.
    ///
    /// # Errors
    /// What to say of a file that cannot be used.
    pub(super) fn read(&self) -> Result<Option<Section>, String> {
        let Some(text) = self.text()? else { return Ok(None) };
        text::section(&text, &self.owner, self.section).map_err(|fault| self.faulty(&fault))
    }

    /// Records `body`, the text of the section. Returns whether that is another one.
    ///
    /// # Errors
    /// What to say of a file that cannot be used or written.
    pub(super) fn write(&self, body: &str) -> Result<bool, String> {
        let unwritable = |error: io::Error| {
            format!(
                "{} can't be written: {error}. Record where the tree can be written to, or set \
                 `MOD_ALLOC_RECORDS=FOLDER`",
                self.file.display()
            )
        };
        let folder = self.file.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder).map_err(unwritable)?;
        let _lock = files::lock_file(&self.file).map_err(unwritable)?;
        let before = self.text()?;
        let after = text::with_section(before.as_deref(), &self.owner, self.section, body)
            .map_err(|fault| self.faulty(&fault))?;
        if before.as_ref() == Some(&after) {
            return Ok(false);
        }
        files::write(&self.file, &after).map_err(unwritable)?;
        Ok(true)
    }

    /// `None` where there is no file.
    fn text(&self) -> Result<Option<String>, String> {
        match fs::read_to_string(&self.file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!(
                "{} can't be read: {error}. Repair it, or delete it and record anew \
                 (`MOD_ALLOC_UPDATE=1`)",
                self.file.display()
            )),
        }
    }

    fn faulty(&self, Fault { line, what }: &Fault) -> String {
        let file = self.file.display();
        format!(
            "{file}:{line}: {what}. Repair the file, or delete it and record anew \
             (`MOD_ALLOC_UPDATE=1`)"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Barrier;
    use std::{fs, thread};

    use super::super::text::{without_sites, Owner, SectionName};
    use super::Store;

    /// In a folder of its own, which is not there yet.
    fn store(name: &str, number: usize) -> Store {
        let folder = format!("mod-alloc-{}-records-{name}", std::process::id());
        let file: PathBuf = std::env::temp_dir().join(folder).join("binary/test.txt");
        let owner = Owner { name: name.to_owned(), package: None };
        Store { file, owner, section: SectionName::here(number) }
    }

    fn remove(store: &Store) {
        let folder = store.file.parent().and_then(|folder| folder.parent()).expect("two folders");
        fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn no_section_is_lost_where_many_are_written_at_a_time() {
        const COUNT: usize = 24;
        let start = Barrier::new(COUNT);
        thread::scope(|scope| {
            for number in 1..=COUNT {
                let start = &start;
                scope.spawn(move || {
                    let store = store("many", number);
                    start.wait();
                    store.write(&without_sites(number as u64)).expect("written");
                });
            }
        });
        for number in 1..=COUNT {
            let section = store("many", number).read().expect("readable").expect("there");
            assert_eq!(section.allocations, number as u64);
        }
        let one = store("many", 1);
        let names = fs::read_dir(one.file.parent().expect("a folder")).expect("readable");
        assert_eq!(names.count(), 1, "neither a lock nor a temporary file is left");
        remove(&one);
    }

    #[test]
    fn what_is_the_same_is_not_written() {
        let store = store("same", 1);
        assert_eq!(store.read(), Ok(None));
        store.write(&without_sites(3)).expect("written");
        let modified =
            || fs::metadata(&store.file).and_then(|file| file.modified()).expect("there");
        let before = modified();
        store.write(&without_sites(3)).expect("nothing to do");
        assert_eq!(modified(), before);
        remove(&store);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_why() {
        let store = store("faulty", 1);
        store.write(&without_sites(3)).expect("written");
        fs::write(&store.file, "name: faulty\n[debug]\n[release]\nx\n").expect("writable");
        let error = store.read().expect_err("no numbers");
        assert!(error.contains("test.txt:") && error.contains("MOD_ALLOC_UPDATE=1"), "{error}");
        fs::write(&store.file, [0xff]).expect("writable");
        let error = store.read().expect_err("no text");
        assert!(error.contains("can't be read: "), "{error}");
        fs::remove_file(&store.file).expect("there");
        fs::create_dir(&store.file).expect("a folder");
        let error = store.write(&without_sites(3)).expect_err("it is a folder");
        assert!(error.contains("can't be read: "), "{error}");
        remove(&store);
    }
}
