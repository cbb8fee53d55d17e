//! Functions in assembly, with the frames that compilers seldom make. For x86_64.

use std::arch::global_asm;

global_asm!(
    // This one finds its frame by r12, which the tables say and a walk does not follow.
    ".text",
    ".globl frame_by_another_register",
    "frame_by_another_register:",
    ".cfi_startproc",
    "push r12",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset r12, -16",
    "mov r12, rsp",
    ".cfi_def_cfa_register r12",
    "sub rsp, 112",
    "and rsp, -16",
    "call rdi",
    "mov rsp, r12",
    ".cfi_def_cfa_register rsp",
    "pop r12",
    ".cfi_def_cfa_offset 8",
    "ret",
    ".cfi_endproc",
    // This one calls on the stack that ends there, as crates do that switch stacks.
    ".globl frame_on_another_stack",
    "frame_on_another_stack:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsp, rsi",
    "call rdi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    // No table says anything about this one.
    ".globl frame_without_a_rule",
    "frame_without_a_rule:",
    "sub rsp, 24",
    "call rdi",
    "add rsp, 24",
    "ret",
);

extern "C" {
    pub(super) fn frame_by_another_register(back: extern "C" fn());
    pub(super) fn frame_without_a_rule(back: extern "C" fn());
    pub(super) fn frame_on_another_stack(back: extern "C" fn(), end: usize);
}
