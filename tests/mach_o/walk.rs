//! What laying out knows of walks.

#[path = "../../src/walk/caller.rs"]
mod caller;

pub(crate) use caller::{Caller, Cfa, ReturnAddress, SavedFp};
