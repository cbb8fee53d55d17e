//! Hot: the thread-local pointer at the line that the current thread writes, as a symbol of its
//! own. It stands in the place of `pointer.rs` on x86_64 Linux.
//!
//! In plain words: every event reads the pointer. How many instructions `thread_local!` takes for
//! that depends on the crate and its profile: three, or a call, or, unoptimised, some hundred. Here
//! it is two in every build. The first loads how far the word is from the thread's base; the second
//! loads the word. (The model is called *initial-exec*. In a program, the linker makes the first a
//! constant.) The loader reserves the room before the thread starts. For a library that is loaded
//! later, glibc takes it from a reserve, of which this needs 8 bytes. The loader of musl has no
//! reserve, so there this is for programs that are linked statically alone.
//!
//! Relies on: the System V ABI for x86_64 and its extension for thread-local storage: `fs:0` is the
//! thread's base.
#![allow(unsafe_code)]

use std::arch::{asm, global_asm};

use super::thread_counters::{Dummy, Line, Registration};
use crate::sys::asm_symbol;

static NEW: Dummy = Dummy::new(Registration::New);

global_asm!(
    // Link-time optimisation may put all assembly of a program into one file.
    concat!(".ifndef ", asm_symbol!("current_line")),
    ".pushsection .tdata.mod_alloc,\"awT\",@progbits",
    ".p2align 3",
    concat!(".weak ", asm_symbol!("current_line")),
    concat!(".hidden ", asm_symbol!("current_line")),
    concat!(".type ", asm_symbol!("current_line"), ", @object"),
    concat!(".size ", asm_symbol!("current_line"), ", 8"),
    concat!(asm_symbol!("current_line"), ": .quad {new}"),
    ".popsection",
    ".endif",
    new = sym NEW,
);

#[inline(always)]
pub(super) fn get() -> *const Line {
    let line;
    // SAFETY: the word belongs to this thread, from its first instruction to its last.
    unsafe {
        asm!(
            concat!("mov {line}, [rip + ", asm_symbol!("current_line"), "@GOTTPOFF]"),
            "mov {line}, fs:[{line}]",
            line = out(reg) line,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    line
}

#[inline(always)]
pub(super) fn set(line: *const Line) {
    // SAFETY: as above.
    unsafe {
        asm!(
            concat!("mov {at}, [rip + ", asm_symbol!("current_line"), "@GOTTPOFF]"),
            "mov fs:[{at}], {line}",
            at = out(reg) _,
            line = in(reg) line,
            options(nostack, preserves_flags),
        );
    }
}
