//! Hot: the thread-local pointer at the line that the current thread writes, as a symbol of its
//! own. It stands in the place of `pointer.rs` on x86_64 Linux.
//!
//! In plain words: every event reads the pointer. How many instructions `thread_local!` takes for
//! that depends on the crate and its profile: three, or a call, or, unoptimised, some hundred. Here
//! it is three in every build. Two find how far the word is from the thread's base, and the third
//! loads it. In a program, the linker knows how far that is. It makes the first a constant, and the
//! second, a call, one that does nothing. In a library that is loaded later, the call asks the
//! loader. (The model is called *TLS descriptors*. *Initial-exec* takes one instruction less. But
//! with it, glibc takes all thread-locals of a library that is loaded later from a reserve of
//! 1.6 KiB, and refuses the library if they do not fit.)
//!
//! With musl, this is for programs that are linked statically alone; its loader is untried.
//!
//! Relies on: the System V ABI for x86_64 and its extension for thread-local storage: `fs:0` is the
//! thread's base, and the call changes no register but `rax` and the flags. (Before glibc 2.40, it
//! may change those of vectors.)
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

/// The two instructions. Vector registers and flags are clobbered, and the result is in `rax`.
macro_rules! find_current_line {
    () => {
        concat!(
            "lea rax, [rip + ",
            $crate::sys::asm_symbol!("current_line"),
            "@TLSDESC]\ncall [rax + ",
            $crate::sys::asm_symbol!("current_line"),
            "@TLSCALL]",
        )
    };
}
pub(super) use find_current_line;

/// How far the word is from the thread's base.
#[inline(always)]
#[rustfmt::skip]
fn find() -> usize {
    let at;
    // SAFETY: the call is as the ABI has it. What it writes is the loader's own.
    unsafe {
        asm!(
            find_current_line!(),
            out("rax") at,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(pure, readonly),
        );
    }
    at
}

#[inline(always)]
pub(super) fn get() -> *const Line {
    let line;
    // SAFETY: the word belongs to this thread, from its first instruction to its last.
    unsafe {
        asm!(
            "mov {line}, fs:[{at}]",
            at = in(reg) find(),
            line = lateout(reg) line,
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
            "mov fs:[{at}], {line}",
            at = in(reg) find(),
            line = in(reg) line,
            options(nostack, preserves_flags),
        );
    }
}
