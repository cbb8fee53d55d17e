//! The standard library's own backtraces. They allocate while libgcc walks, so libgcc's frames are
//! on the stack, and then those of the symboliser.

use std::backtrace::Backtrace;
use std::hint::black_box;

pub(crate) fn work() {
    for depth in 0..12 {
        let backtrace = capture(depth);
        if depth == 5 {
            assert!(backtrace.to_string().contains("backtraces"));
        }
    }
}

#[inline(never)]
fn capture(depth: u32) -> Backtrace {
    match black_box(depth) {
        0 => Backtrace::force_capture(),
        depth => black_box(capture(depth - 1)),
    }
}
