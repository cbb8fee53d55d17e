//! Cold: how addresses become places on x86_64 Linux: what that is made of.

#[path = "../x86_64/mod.rs"]
mod arch;
#[path = "../common/mod.rs"]
mod common;
#[path = "../elf/mod.rs"]
mod files;
#[path = "../unix/roomy_thread.rs"]
mod threads;
#[path = "../linux/waiting.rs"]
mod waiting;

#[cfg(test)]
#[path = "../elf/tests.rs"]
mod elf_tests;
#[cfg(test)]
#[path = "../common/tests.rs"]
mod tests;

pub(crate) use common::resolve;
pub(crate) use threads::start_thread;
