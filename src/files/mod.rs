//! Cold: files that the library writes, and the program that they are about.
//!
//! - [`file`]: replaces a file as a whole; [`lock`]: a lock that a forked child cannot wait for;
//! - [`executable`]: which program this is; [`built`]: how it was built.

mod built;
mod executable;
mod file;
mod lock;

pub(crate) use built::{built, Built};
pub(crate) use executable::{executable_name, is_example};
pub(crate) use file::write;
pub(crate) use lock::lock;
