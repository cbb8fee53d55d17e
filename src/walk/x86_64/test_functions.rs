//! Hot: functions in assembly for the tests of the walker.
//!
//! Relies on: they keep the System V ABI.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::walk::caller::{Caller, Cfa, SavedFp};

// A function as GCC compiles it that aligns its frame to 64 bytes: the CFA is in its frame.
std::arch::global_asm!(
    ".pushsection .text",
    ".globl mod_alloc_test_walk_realigned",
    ".hidden mod_alloc_test_walk_realigned",
    ".type mod_alloc_test_walk_realigned, @function",
    "mod_alloc_test_walk_realigned:",
    ".cfi_startproc",
    "lea r10, [rsp + 8]",
    ".cfi_def_cfa 10, 0",
    "and rsp, -64",
    "push qword ptr [r10 - 8]",
    "push rbp",
    "mov rbp, rsp",
    ".cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00", // rbp: DW_OP_breg6 0
    "push r10",
    ".cfi_escape 0x0f, 0x03, 0x76, 0x78, 0x06", // CFA: DW_OP_breg6 -8; DW_OP_deref
    "sub rsp, 40",
    "mov rax, rdi",
    "mov rdi, rsi",
    "call rax",
    "add rsp, 40",
    "pop r10",
    ".cfi_def_cfa 10, 0",
    "pop rbp",
    "lea rsp, [r10 - 8]",
    ".cfi_def_cfa 7, 8",
    "ret",
    ".cfi_endproc",
    ".size mod_alloc_test_walk_realigned, . - mod_alloc_test_walk_realigned",
    ".popsection",
);

std::arch::global_asm!(
    // As crates that switch stacks have it: the old stack pointer is in rbp, and the table says so.
    ".pushsection .text",
    ".globl mod_alloc_test_on_another_stack",
    ".hidden mod_alloc_test_on_another_stack",
    "mod_alloc_test_on_another_stack:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsp, rdx",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
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
pub(crate) const AT_ENTRY: Cfa = Cfa::Sp(8);

/// What is said of the caller of `realigned`.
pub(crate) const REALIGNED: Caller = Caller::frame(Cfa::AtFp(-8), SavedFp::AtFp);
