//! Hot: what a walk has of the processor, on aarch64 with Apple's systems: as elsewhere
//! (`walk/aarch64`), but for [`call_aside`].

#[path = "call_aside_aarch64.rs"]
pub(crate) mod call_aside;
#[path = "../aarch64/loops.rs"]
pub(crate) mod loops;
#[path = "../aarch64/registers.rs"]
pub(crate) mod registers;
#[path = "../aarch64/rule.rs"]
pub(crate) mod rule;
#[path = "../aarch64/step.rs"]
pub(crate) mod step;

use crate::walk::target::tables::unwind_info::Processor;

/// Whose encodings the compact unwind tables have.
pub(crate) const PROCESSOR: Processor = Processor::Arm64;
