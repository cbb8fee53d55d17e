//! Cold: what symbolising has of the processor, on x86_64: the [`trampoline`].

pub(crate) mod trampoline;
