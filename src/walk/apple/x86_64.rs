//! Hot: what a walk has of the processor, on x86_64 with Apple's systems: as elsewhere
//! (`walk/x86_64`), but for [`call_aside`].

#[path = "call_aside.rs"]
pub(crate) mod call_aside;
#[path = "../x86_64/loops.rs"]
pub(crate) mod loops;
#[path = "../x86_64/registers.rs"]
pub(crate) mod registers;
#[path = "../x86_64/rule.rs"]
pub(crate) mod rule;
#[path = "../x86_64/step.rs"]
pub(crate) mod step;
