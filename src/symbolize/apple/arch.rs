//! Cold: what symbolising has of the processor, with Apple's systems: the [`trampoline`].

#[path = "trampoline.rs"]
pub(crate) mod trampoline;
