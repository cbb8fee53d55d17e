//! Cold: what symbolising has of the processor, on aarch64: the [`trampoline`].

#[cfg(test)]
pub(crate) mod test_functions;
pub(crate) mod trampoline;
