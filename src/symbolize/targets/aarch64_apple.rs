//! Cold: how addresses become places on aarch64 with Apple's systems: what that is made of.

#[path = "../apple/aarch64.rs"]
mod arch;
#[path = "../common/mod.rs"]
mod common;
#[path = "../apple/mod.rs"]
mod files;
#[path = "../unix/roomy_thread.rs"]
mod threads;
#[path = "../apple/waiting.rs"]
mod waiting;

pub(crate) use common::resolve;
pub(crate) use threads::start_thread;
