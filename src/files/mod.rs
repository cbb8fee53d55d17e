//! Cold: files that the library writes, and the program that they are about.
//!
//! - [`file`]: replaces a file as a whole; [`lock_file`]: a lock between processes that do;
//!   [`lock`]: one between threads, which a forked child cannot wait for;
//! - [`executable`]: which program this is; [`built`]: how it was built; [`source`]: where its
//!   sources are; [`slashes`]: paths as texts.

mod built;
mod executable;
mod file;
mod lock;
mod lock_file;
mod slashes;
mod source;

pub(crate) use built::{built, Built};
pub(crate) use executable::{executable_name, is_example};
pub(crate) use file::write;
pub(crate) use lock::lock;
pub(crate) use lock_file::lock_file;
pub(crate) use slashes::{is_absolute, with_slashes};
pub(crate) use source::{folders as source_folders, member, workspace};
