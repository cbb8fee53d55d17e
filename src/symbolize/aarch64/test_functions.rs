//! Cold: functions in assembly for the tests of `symbolize`: they never run, and are there for
//! their unwind tables alone.
//!
//! Relies on: nobody calls them; only their addresses are taken.
#![allow(unsafe_code)]

/// Addresses of instructions are this far apart, at least.
pub(crate) const INSTRUCTION: usize = 4;

std::arch::global_asm!(
    ".macro mod_alloc_test_function name:req",
    ".globl mod_alloc_test_\\name",
    ".hidden mod_alloc_test_\\name",
    ".type mod_alloc_test_\\name, @function",
    "mod_alloc_test_\\name:",
    ".endm",
    // As GCC has it where it aligns the frame: CFA = x29 + 88.
    "mod_alloc_test_function realigned",
    ".cfi_startproc",
    ".cfi_def_cfa x29, 88",
    ".cfi_offset x29, -96",
    ".cfi_offset x30, -88",
    ".skip 128",
    ".cfi_endproc",
    ".size mod_alloc_test_realigned, 128",
    "mod_alloc_test_function outermost",
    ".cfi_startproc",
    ".cfi_undefined x30",
    ".skip 128",
    ".cfi_endproc",
    ".size mod_alloc_test_outermost, 128",
    "mod_alloc_test_function without_a_table",
    ".skip 128",
    ".size mod_alloc_test_without_a_table, 128",
    // CFA = x9.
    "mod_alloc_test_function by_another_register",
    ".cfi_startproc",
    ".cfi_def_cfa x9, 0",
    ".skip 128",
    ".cfi_endproc",
    ".size mod_alloc_test_by_another_register, 128",
    // CFA = *0: an unwinder that follows it crashes.
    "mod_alloc_test_function deadly",
    ".cfi_startproc",
    ".cfi_escape 0x0f, 2, 0x30, 0x06",
    ".skip 128",
    ".cfi_endproc",
    ".size mod_alloc_test_deadly, 128",
);

extern "C" {
    pub(crate) fn mod_alloc_test_realigned();
    pub(crate) fn mod_alloc_test_outermost();
    pub(crate) fn mod_alloc_test_without_a_table();
    pub(crate) fn mod_alloc_test_by_another_register();
    pub(crate) fn mod_alloc_test_deadly();
}
