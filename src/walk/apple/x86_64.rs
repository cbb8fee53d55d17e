//! Hot: what a walk has of the processor, on x86_64 with Apple's systems: as elsewhere
//! (`walk/x86_64`), but for [`call_aside`].

#[path = "call_aside_x86_64.rs"]
pub(crate) mod call_aside;
#[path = "../x86_64/loops.rs"]
pub(crate) mod loops;
#[path = "../x86_64/registers.rs"]
pub(crate) mod registers;
#[path = "../x86_64/rule.rs"]
pub(crate) mod rule;
#[path = "../x86_64/step.rs"]
pub(crate) mod step;

use crate::walk::target::tables::unwind_info::Processor;

/// Whose encodings the compact unwind tables have.
pub(crate) const PROCESSOR: Processor = Processor::X86_64;
