//! Hot: what a walk has of the processor, on x86_64 Windows: as elsewhere, but for what is of ELF
//! and of the System V ABI.

#[path = "loops.rs"]
pub(crate) mod loops;
#[path = "registers.rs"]
pub(crate) mod registers;
#[path = "rule.rs"]
pub(crate) mod rule;
#[path = "step.rs"]
pub(crate) mod step;
