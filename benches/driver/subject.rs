//! The allocators that are measured. For each there is a binary that has it installed.

use std::path::PathBuf;

pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) binary: PathBuf,
}

impl Subject {
    pub(crate) fn new(name: &'static str, binary: impl Into<PathBuf>) -> Self {
        Self { name, binary: binary.into() }
    }
}

pub(crate) fn system() -> Subject {
    Subject::new("System", env!("CARGO_BIN_EXE_system"))
}

/// A binary in which no allocator is installed.
pub(crate) fn default() -> Subject {
    Subject::new("none installed", env!("CARGO_BIN_EXE_default"))
}

pub(crate) fn ours() -> Subject {
    Subject::new("mod-alloc", env!("CARGO_BIN_EXE_ours"))
}

pub(crate) fn divan() -> Subject {
    Subject::new("divan", env!("CARGO_BIN_EXE_divan"))
}

/// The peers whose scopes nest.
pub(crate) fn nesting_peers() -> [Subject; 4] {
    [
        Subject::new("stats_alloc", env!("CARGO_BIN_EXE_stats_alloc")),
        Subject::new("alloc_tracker", env!("CARGO_BIN_EXE_alloc_tracker")),
        Subject::new("allocation-counter", env!("CARGO_BIN_EXE_allocation_counter")),
        Subject::new("published 1.0.1", env!("CARGO_BIN_EXE_published")),
    ]
}

/// [`system`] first, then all others.
pub(crate) fn all() -> Vec<Subject> {
    let mut all = vec![system(), default(), ours(), divan()];
    all.extend(nesting_peers());
    all.push(Subject::new("dhat", env!("CARGO_BIN_EXE_dhat")));
    all
}
