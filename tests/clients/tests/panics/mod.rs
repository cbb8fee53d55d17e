//! What a panic allocates, for the tests in which a job or a task panics.

use std::panic::{catch_unwind, resume_unwind};

use mod_alloc::measure;

/// How often unwinding allocates. That is for std to decide.
pub fn allocations_of_a_panic() -> u64 {
    let unwind = || catch_unwind(|| resume_unwind(Box::new(()))).is_err();
    measure(|| assert!(unwind())).1.alloc_count
}
