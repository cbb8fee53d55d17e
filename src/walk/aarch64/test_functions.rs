//! Hot: functions in assembly for the tests of the walker.
//!
//! Relies on: they keep the procedure call standard of aarch64.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};

// A function as GCC compiles it that aligns its frame to 64 bytes: the CFA is at x29.
std::arch::global_asm!(
    ".pushsection .text",
    ".globl mod_alloc_test_walk_realigned",
    ".hidden mod_alloc_test_walk_realigned",
    ".type mod_alloc_test_walk_realigned, @function",
    "mod_alloc_test_walk_realigned:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-96]!",
    ".cfi_def_cfa_offset 96",
    ".cfi_offset x29, -96",
    ".cfi_offset x30, -88",
    "add x29, sp, #8",
    ".cfi_def_cfa x29, 88",
    "sub x9, sp, #128",
    "and sp, x9, #0xffffffffffffffc0",
    "mov x9, x0",
    "mov x0, x1",
    "blr x9",
    "sub sp, x29, #8",
    ".cfi_def_cfa sp, 96",
    "ldp x29, x30, [sp], #96",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    ".size mod_alloc_test_walk_realigned, . - mod_alloc_test_walk_realigned",
    ".popsection",
);

std::arch::global_asm!(
    // As crates that switch stacks have it: the old stack pointer is in x29, and the table says so.
    ".pushsection .text",
    ".globl mod_alloc_test_on_another_stack",
    ".hidden mod_alloc_test_on_another_stack",
    "mod_alloc_test_on_another_stack:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "mov x29, sp",
    ".cfi_def_cfa x29, 16",
    "mov sp, x2",
    "blr x1",
    "mov sp, x29",
    ".cfi_def_cfa sp, 16",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    ".popsection",
);

extern "C" {
    #[link_name = "mod_alloc_test_walk_realigned"]
    pub(crate) fn realigned(call: extern "C" fn(*mut c_void), argument: *mut c_void);
    #[link_name = "mod_alloc_test_on_another_stack"]
    pub(crate) fn on_another_stack(
        argument: *mut c_void,
        call: extern "C" fn(*mut c_void),
        end: usize,
    );
}

/// Where the CFA is when a function begins.
pub(crate) const AT_ENTRY: Cfa = Cfa::Sp(0);

/// What is said of the caller of `realigned`.
pub(crate) const REALIGNED: Caller = Caller::Frame {
    cfa: Cfa::Fp(88),
    fp: SavedFp::BelowCfa(96),
    return_address: ReturnAddress::BelowCfa(88),
};
