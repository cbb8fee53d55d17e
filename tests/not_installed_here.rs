//! A `ModAlloc` that is there and counts, but does not serve this binary's own allocations. That is
//! so if it is installed only in a dynamic library, or called directly.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};

use mod_alloc::{AllocScope, ModAlloc};

static ELSEWHERE: ModAlloc = ModAlloc::new();

#[test]
#[should_panic(expected = "has counted 1 allocations in this process, but none of this code's")]
fn it_says_that_another_one_counts() {
    let layout = Layout::from_size_align(8, 8).expect("valid");
    // SAFETY: the layout is not zero-sized.
    let block = unsafe { ELSEWHERE.alloc(layout) };
    // SAFETY: `block` came from `ELSEWHERE` with `layout`.
    unsafe { ELSEWHERE.dealloc(block, layout) };
    let _scope = AllocScope::enter();
}
