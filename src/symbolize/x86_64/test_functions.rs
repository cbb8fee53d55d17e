//! Cold: functions in assembly for the tests of `symbolize`: they never run, and are there for
//! their unwind tables alone.
//!
//! Relies on: nobody calls them; only their addresses are taken.
#![allow(unsafe_code)]

/// Addresses of instructions are this far apart, at least.
pub(crate) const INSTRUCTION: usize = 1;

std::arch::global_asm!(
    ".macro mod_alloc_test_function name:req",
    ".globl mod_alloc_test_\\name",
    ".hidden mod_alloc_test_\\name",
    ".type mod_alloc_test_\\name, @function",
    "mod_alloc_test_\\name:",
    ".endm",
    // As GCC has it where it aligns the frame: CFA = *(rbp - 8), rbp = *rbp.
    "mod_alloc_test_function realigned",
    ".cfi_startproc",
    ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06",
    ".cfi_escape 0x10, 6, 2, 0x76, 0",
    ".skip 64, 0x90",
    ".cfi_endproc",
    ".size mod_alloc_test_realigned, 64",
    "mod_alloc_test_function outermost",
    ".cfi_startproc",
    ".cfi_undefined rip",
    ".skip 64, 0x90",
    ".cfi_endproc",
    ".size mod_alloc_test_outermost, 64",
    "mod_alloc_test_function without_a_table",
    ".skip 64, 0x90",
    ".size mod_alloc_test_without_a_table, 64",
    // CFA = r10.
    "mod_alloc_test_function by_another_register",
    ".cfi_startproc",
    ".cfi_def_cfa r10, 0",
    ".skip 64, 0x90",
    ".cfi_endproc",
    ".size mod_alloc_test_by_another_register, 64",
    // CFA = *0: an unwinder that follows it crashes.
    "mod_alloc_test_function deadly",
    ".cfi_startproc",
    ".cfi_escape 0x0f, 2, 0x30, 0x06",
    ".skip 64, 0x90",
    ".cfi_endproc",
    ".size mod_alloc_test_deadly, 64",
);

extern "C" {
    pub(crate) fn mod_alloc_test_realigned();
    pub(crate) fn mod_alloc_test_outermost();
    pub(crate) fn mod_alloc_test_without_a_table();
    pub(crate) fn mod_alloc_test_by_another_register();
    pub(crate) fn mod_alloc_test_deadly();
}
