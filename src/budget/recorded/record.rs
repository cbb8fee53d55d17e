//! Cold: `Recorded`, how a budget says which record is its own, and `Record`, which one that is.

use std::env;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Mutex;
use std::thread;

use super::super::environment::{self, Update};
use super::super::origin::Origin;
use super::path;
use super::store::Store;
use super::text::{Owner, Section, SectionName};
use crate::counters::{self, AtWork};
use crate::files::{built, executable_name, lock, Built};
use crate::ignored::Ignored;
use crate::room::with_room;
use crate::sys::AtomicU64;

/// Which record a budget has. It is small, as a budget is handed around whenever it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// By a name.
    As(&'static str),
    /// By the test that runs. A macro knows the root of its package.
    OfTest { root: Option<&'static str> },
    /// Once the budget has begun.
    Found(&'static Record),
}

/// The record of one budget in one test. There is one of it in a process.
pub(crate) struct Record {
    /// How the budget says that it is this one.
    pub(crate) written: Recorded,
    pub(super) store: Store,
    /// The test that runs it.
    test: String,
    place: Place,
    /// What a run of this process has found, where that is accepted; else `NONE`.
    accepted: AtomicU64,
}

const NONE: u64 = u64::MAX;

/// Where a budget is written.
type Place = (&'static Location<'static>, String);

impl Recorded {
    /// The record, and how many allocations are recorded. None is a limit while all are accepted.
    ///
    /// # Panics
    /// If there can be no record here, or the one that there is cannot be used.
    #[cold]
    #[track_caller]
    pub(in super::super) fn find(self, origin: &Origin) -> (&'static Record, Option<u64>) {
        let update = environment::update();
        let found = counters::ignored(|at_work| {
            with_room(|| self.read(at_work, origin)).map_err(|text| Ignored::of(at_work, text))
        });
        match found {
            Ok((record, allocations)) => {
                (record, allocations.filter(|_| update == Update::Nothing))
            }
            Err(text) => panic!("{}", text.as_str()),
        }
    }

    fn read(
        self,
        at_work: AtWork<'_>,
        origin: &Origin,
    ) -> Result<(&'static Record, Option<u64>), String> {
        let record = self.record(at_work, origin)?;
        let section = record.read()?;
        Ok((record, section.map(|section| section.allocations)))
    }

    fn record(self, at_work: AtWork<'_>, origin: &Origin) -> Result<&'static Record, String> {
        let (name, root) = match self {
            Self::Found(record) => return Ok(record),
            Self::As(name) => (Some(name), None),
            Self::OfTest { root } => (None, root),
        };
        let is_doc_test = built() == Built::DocTest;
        if is_doc_test && name.is_none() {
            return Err("which record is that of a doc test? Its own name changes with its line: \
                        name the record, by `Budget::new().recorded(\"name\")`"
                .to_owned());
        }
        let binary = match is_doc_test {
            true => "doctests".to_owned(),
            false => executable_name().ok_or("which program is this? The system does not say")?,
        };
        let test = test(origin);
        let owner = Owner {
            name: name.map_or_else(|| test.clone(), str::to_owned),
            package: env::var("CARGO_PKG_NAME").ok(),
        };
        let file = path::file(&folder(root)?, &binary, &owner.name);
        let place = (origin.location, origin.name());

        static RECORDS: Mutex<Vec<&Record>> = Mutex::new(Vec::new());
        let Some(mut records) = lock(at_work, &RECORDS) else {
            return Err("a record is looked up in a process that was forked while another thread \
                        looked one up: look it up before the fork"
                .to_owned());
        };
        let mut number = 1;
        for other in records.iter().filter(|record| record.store.file == file) {
            if other.place == place {
                return Ok(other);
            }
            if name.is_some() || matches!(other.written, Self::As(_)) {
                return Err(format!(
                    "two budgets are recorded as `{}`, at {} and at {}: give each a name of its \
                     own",
                    owner.name, other.place.0, place.0
                ));
            }
            number += 1;
        }
        let section = SectionName::here(number);
        let store = Store { file, owner, section };
        let accepted = AtomicU64::new(NONE);
        let record: &_ =
            Box::leak(Box::new(Record { written: self, store, test, place, accepted }));
        records.push(record);
        Ok(record)
    }
}

impl Record {
    /// What is recorded, if anything is.
    ///
    /// # Errors
    /// What to say of a file that cannot be used.
    pub(super) fn read(&self) -> Result<Option<Section>, String> {
        self.store.read()
    }

    /// Notes what a run has found that is to be accepted.
    ///
    /// # Errors
    /// If another run of this process has found another number.
    pub(super) fn note(&self, allocations: u64) -> Result<(), u64> {
        match self.accepted.compare_exchange(NONE, allocations, Relaxed, Relaxed) {
            Err(earlier) if earlier != allocations => Err(earlier),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The file, as a report names it: from the folder of records on, if it is in the package.
    pub(crate) fn file(&self) -> String {
        let mut names: Vec<_> = self.store.file.components().rev().take(3).collect();
        names.reverse();
        if names.first().is_some_and(|folder| folder.as_os_str() == path::FOLDER) {
            let short: PathBuf = names.into_iter().collect();
            return short.display().to_string().replace('\\', "/");
        }
        self.store.file.display().to_string()
    }

    /// The section of the file: `[debug]`.
    pub(crate) fn section(&self) -> String {
        self.store.section.to_string()
    }

    /// The test that runs it.
    pub(crate) fn test(&self) -> &str {
        &self.test
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.store.file.display(), self.store.section)
    }
}

/// There is one of each.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Record {}

/// The test that runs. The harness gives its name to the thread, which tells cases of the same
/// function apart. Other threads have names that are no path, or none: there it is the function
/// that the budget is in.
fn test(origin: &Origin) -> String {
    let thread = thread::current();
    let of_harness = thread.name().filter(|name| *name != "main" && is_path(name));
    of_harness.map_or_else(|| origin.name(), str::to_owned)
}

fn is_path(name: &str) -> bool {
    let is_word = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
    name.split("::").all(|word| !word.is_empty() && is_word(word.trim_start_matches("r#")))
}

/// The folder of all records.
///
/// # Errors
/// If nobody knows it.
fn folder(root: Option<&str>) -> Result<PathBuf, String> {
    if let Some(folder) = environment::records_folder() {
        return Ok(folder);
    }
    let at_run_time = env::var_os("CARGO_MANIFEST_DIR").filter(|root| !root.is_empty());
    let root = at_run_time.or_else(|| root.map(Into::into)).ok_or(
        "where are the records? Cargo runs tests with `CARGO_MANIFEST_DIR`: run this one by Cargo, \
         or set `MOD_ALLOC_RECORDS=FOLDER`",
    )?;
    Ok(Path::new(&root).join(path::FOLDER))
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn names_of_tests_are_paths() {
        for name in ["parses", "tests::parses", "tests::parses::case_1", "r#try::\u{e9}"] {
            assert!(is_path(name), "{name}");
        }
        for name in ["", "tokio-runtime-worker", "my thread", "a::", "::a", "a:b", "<a as b>::c"] {
            assert!(!is_path(name), "{name}");
        }
    }
}
