//! Each check finds the faults that it is there for, and takes nothing innocent for one.

mod circles;
mod documents;
mod hot;
mod imports;
mod links;
mod messages;
mod targets;
mod text;

use crate::imports::Imports;
use crate::modules::Crates;
use std::collections::BTreeMap;

/// The imports of a crate of these files.
fn imports(files: &[(&str, &str)]) -> Imports {
    let sources: BTreeMap<String, String> =
        files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
    let mut crates = Crates::default();
    crates.add("src/lib.rs", None, &sources, false);
    assert!(crates.missing().is_empty(), "{:?}", crates.missing());
    crates.imports()
}
