//! Cold: what symbolising has of the processor, on x86_64 Windows: the [`trampoline`].

#[path = "trampoline_windows.rs"]
pub(crate) mod trampoline;
