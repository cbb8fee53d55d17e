//! Cold: how addresses become places on x86_64 Windows: what that is made of.

#[path = "../x86_64/windows.rs"]
mod arch;
#[path = "../common/mod.rs"]
mod common;
#[path = "../windows/mod.rs"]
mod files;
#[path = "../windows/roomy_thread.rs"]
mod threads;

#[cfg(test)]
#[path = "../common/tests.rs"]
mod tests;

pub(crate) use common::resolve;
pub(crate) use threads::start_thread;
