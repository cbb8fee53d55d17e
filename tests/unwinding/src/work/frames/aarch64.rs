//! Functions in assembly, with the frames that compilers seldom make. For aarch64.

use std::arch::global_asm;

global_asm!(
    // This one finds its frame by x19, which the tables say and a walk does not follow.
    ".text",
    ".p2align 2",
    ".globl frame_by_another_register",
    "frame_by_another_register:",
    ".cfi_startproc",
    "hint #34",
    "stp x19, x30, [sp, #-16]!",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset x19, -16",
    ".cfi_offset x30, -8",
    "mov x19, sp",
    ".cfi_def_cfa_register x19",
    "sub x9, sp, #112",
    "and sp, x9, #0xffffffffffffffe0",
    "blr x0",
    "mov sp, x19",
    ".cfi_def_cfa_register sp",
    "ldp x19, x30, [sp], #16",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x19",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    // This one calls on the stack that ends there, as crates do that switch stacks.
    ".globl frame_on_another_stack",
    "frame_on_another_stack:",
    ".cfi_startproc",
    "hint #34",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "mov x29, sp",
    ".cfi_def_cfa x29, 16",
    "mov sp, x1",
    "blr x0",
    "mov sp, x29",
    ".cfi_def_cfa sp, 16",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    // No table says anything about this one.
    ".globl frame_without_a_rule",
    "frame_without_a_rule:",
    "hint #34",
    "str x30, [sp, #-16]!",
    "blr x0",
    "ldr x30, [sp], #16",
    "ret",
);

extern "C" {
    pub(super) fn frame_by_another_register(back: extern "C" fn());
    pub(super) fn frame_without_a_rule(back: extern "C" fn());
    pub(super) fn frame_on_another_stack(back: extern "C" fn(), end: usize);
}
