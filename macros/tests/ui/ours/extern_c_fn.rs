#![allow(missing_abi)]

use mod_alloc::alloc_budget;

#[alloc_budget(max = 1)]
extern "C" fn c() {}

#[alloc_budget(max = 1)]
extern fn c_unsaid() {}

#[alloc_budget(max = 1)]
pub unsafe extern "system" fn system() {}

// These can unwind.
#[alloc_budget(max = 1)]
extern "C-unwind" fn c_unwind() {}

#[alloc_budget(max = 1)]
extern "Rust" fn rust() {}

fn main() {}
