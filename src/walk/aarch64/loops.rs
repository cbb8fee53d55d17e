//! Hot: the three loops of a walk, in assembly, so that they are as fast in a debug build, where
//! dependencies are not optimised, as in a release build. Each does the plain case only, and
//! returns at the first frame that is anything else.
//!
//! Relies on: the callers, for what each loop asks of them; the layouts of `Step` and of the rule
//! table, which constants below compare with the numbers in the assembly. `xpaclri`, a hint, does
//! nothing where return addresses have no signatures.
#![allow(unsafe_code)]

use std::arch::asm;

use super::registers::{Registers, UNIT_BITS};
use super::rule::Rule;
use super::step::Step;
use crate::walk::stop::MAX_FRAMES;
use crate::walk::target::common::kept::{Outcome, Places, HASH_MULTIPLIER};
use crate::walk::target::common::rule_table::{SET_BITS, TABLE, TAG_BITS, WAYS};

// The numbers in the assembly; before Rust 1.82 they cannot be given by name.
const _: () = assert!(std::mem::size_of::<Step>() == 32);
const _: () = assert!(WAYS == 4 && UNIT_BITS == 2 && SET_BITS == 12 && (8 << SET_BITS) == 8 << 12);
const _: () = assert!(TAG_BITS == 34);
const _: () = assert!(TAG_BITS + Rule::KIND_FP.trailing_zeros() == 34);
const _: () = assert!(TAG_BITS + Rule::KIND_RARE.trailing_zeros() == 35);
const _: () = assert!(TAG_BITS + Rule::FP_SHIFT == 37 && Rule::FP_MASK == 3);
const _: () = assert!(Rule::RECORD_AT_BOTTOM == 3);
const _: () = assert!(TAG_BITS + Rule::CALL_SHIFT == 39 && Rule::CALL_MASK == 1023);
const _: () = assert!(TAG_BITS + Rule::OFFSET_SHIFT == 49);
const _: () = assert!(MAX_FRAMES * 8 + 8 == 4104 && MAX_FRAMES * 8 + (MAX_FRAMES + 1) * 8 == 8200);

/// Walks frames of known, plain rules: each is put below the last, at `*next`, down to `last`.
/// Returns `true` at a frame that is like the one in `*remembered`, which moves outwards to keep
/// up.
///
/// In plain words, for each frame:
/// - leave if there is no room, or the return address is not a user address of an instruction;
/// - look the address up in the four words of its set; leave if it is in none, or if its rule is of
///   the rare kinds;
/// - compute the CFA; leave if it is not aligned, not above `sp`, or past the end of the stack;
/// - leave if the return address was saved below `sp`, or `x29` was; read both;
/// - move on, and write the frame down;
/// - pass over remembered frames that lie deeper; compare with the one that does not.
///
/// # Safety
/// - `registers.sp` is aligned to eight, and from it up to `stack_end` the current thread's stack
///   is readable;
/// - `last <= *next`, both in one array of frames, and writable in between;
/// - `*remembered` is in an array of frames that has, at a lower address, one with the highest
///   possible CFA.
#[inline]
pub(crate) unsafe fn walk(
    registers: &mut Registers,
    stack_end: usize,
    next: &mut *mut Step,
    last: *mut Step,
    remembered: &mut *const Step,
) -> bool {
    let is_like: u64;
    // SAFETY: the frames read lie between `sp` and `stack_end`, by the compares above each load,
    // and the frames written between `last` and `*next`; the caller vouches for both. A set is in
    // the table whatever its number.
    unsafe {
        asm!(
            "2:",
            "cmp {next}, {last}",
            "b.ls 8f",
            "tst x30, #3",
            "b.ne 8f",
            "ubfx {x}, x30, #2, #12",
            "lsr {t}, x30, #14", // More than a tag, and so equal to none, if it is no user address.
            "add {y}, {table}, {x}, lsl #3",
            "ldr {r}, [{y}]",
            "and {x}, {r}, #0x3ffffffff",
            "cmp {x}, {t}",
            "b.eq 3f",
            "add {y}, {y}, #8, lsl #12",
            "ldr {r}, [{y}]",
            "and {x}, {r}, #0x3ffffffff",
            "cmp {x}, {t}",
            "b.eq 3f",
            "add {y}, {y}, #8, lsl #12",
            "ldr {r}, [{y}]",
            "and {x}, {r}, #0x3ffffffff",
            "cmp {x}, {t}",
            "b.eq 3f",
            "add {y}, {y}, #8, lsl #12",
            "ldr {r}, [{y}]",
            "and {x}, {r}, #0x3ffffffff",
            "cmp {x}, {t}",
            "b.ne 8f",
            "3:", // r: the word
            "tbnz {r}, #35, 8f",
            "lsr {x}, {r}, #49",
            "tst {r}, #0x400000000",
            "csel {t}, {fp}, {sp}, ne",
            "add {t}, {t}, {x}, lsl #3", // t: the CFA
            "tst {t}, #7",
            "b.ne 8f",
            "cmp {t}, {sp}",
            "b.ls 8f",
            "cmp {t}, {stack_end}",
            "b.hi 8f",
            "ubfx {y}, {r}, #39, #10",
            "lsl {y}, {y}, #3", // y: how far below the CFA the return address is
            "ubfx {r}, {r}, #37, #2",
            "lsl {x}, {x}, #3", // x: how far below it x29 was saved
            "cmp {r}, #3",
            "b.eq 4f",
            "cbz {r}, 5f",
            "sub {x}, {y}, {r}, lsl #4", // 1: one word below the return address. 2: one above.
            "add {x}, {x}, #24",
            "b 6f",
            "4:", // The frame record is at the bottom.
            "sub {y}, {x}, #8",
            "b 6f",
            "5:",
            "mov {x}, #0",
            "6:",
            "sub {r}, {t}, {y}",
            "cmp {r}, {sp}",
            "b.lo 8f",
            "cbz {x}, 7f",
            "sub {z}, {t}, {x}",
            "cmp {z}, {sp}",
            "b.lo 8f",
            "ldr {fp}, [{z}]",
            "7:",
            "ldr x30, [{r}]",
            "hint #7", // xpaclri
            "mov {sp}, {t}",
            "sub {next}, {next}, #32",
            "stp {t}, x30, [{next}]",
            "orr {x}, {x}, {y}, lsl #32",
            "stp {fp}, {x}, [{next}, #16]",
            "10:",
            "ldr {r}, [{remembered}]",
            "cmp {r}, {t}",
            "b.hs 11f",
            "sub {remembered}, {remembered}, #32",
            "b 10b",
            "11:",
            "b.ne 2b",
            "ldp {r}, {x}, [{remembered}, #8]",
            "cmp {r}, x30",
            "b.ne 2b",
            "cmp {x}, {fp}",
            "b.ne 2b",
            "mov {r}, #1",
            "b 9f",
            "8:",
            "mov {r}, #0",
            "9:",
            next = inout(reg) *next,
            last = in(reg) last,
            remembered = inout(reg) *remembered,
            sp = inout(reg) registers.sp,
            fp = inout(reg) registers.fp,
            stack_end = in(reg) stack_end,
            table = in(reg) TABLE.0.as_ptr(),
            r = out(reg) is_like,
            x = out(reg) _,
            y = out(reg) _,
            z = out(reg) _,
            t = out(reg) _,
            inout("x30") registers.pc,
            options(nostack),
        );
    }
    is_like != 0
}

/// Compares the two words that lead to each remembered frame with what they were, from the frame
/// below `from` outwards. Returns the first frame that does not hold.
///
/// # Safety
/// `from` is in an array of frames that has, at a lower address, one that is unverifiable; the
/// words of the frames between them can be read.
#[inline]
pub(crate) unsafe fn verify(from: *const Step) -> *const Step {
    let mut frame = from;
    // SAFETY: the caller vouches for the frames and the words.
    unsafe {
        asm!(
            "2:",
            "sub {frame}, {frame}, #32",
            "ldp {t}, {x}, [{frame}]",
            "ldp {y}, {z}, [{frame}, #16]",
            "ubfx {r}, {z}, #0, #32", // How far below the CFA x29 was read.
            "cbz {r}, 3f",
            "tbnz {r}, #0, 9f",
            "sub {r}, {t}, {r}",
            "ldr {r}, [{r}]",
            "cmp {r}, {y}",
            "b.ne 9f",
            "3:",
            "sub {r}, {t}, {z}, lsr #32",
            "ldr x30, [{r}]",
            "hint #7", // xpaclri
            "cmp x30, {x}",
            "b.eq 2b",
            "9:",
            frame = inout(reg) frame,
            r = out(reg) _,
            t = out(reg) _,
            x = out(reg) _,
            y = out(reg) _,
            z = out(reg) _,
            out("x30") _,
            options(nostack, readonly),
        );
    }
    frame
}

/// Keeps the frames from `next` up to `end`. `hash` is that of the addresses before them.
///
/// # Safety
/// `next <= end`, both in one array of frames; `places` has room for those between them, elsewhere.
#[inline]
pub(crate) unsafe fn keep(
    next: *const Step,
    end: *const Step,
    places: Places,
    mut hash: u64,
) -> Outcome {
    let mut differs = 0_u64;
    let (mut any, mut all) = (places.like, places.like);
    // SAFETY: the caller vouches for what is read and written.
    unsafe {
        asm!(
            "cmp {next}, {end}",
            "b.hs 9f",
            "2:",
            "ldp {x}, {t}, [{next}]",
            "stp {x}, {t}, [{step}]",
            "ldp {x}, {y}, [{next}, #16]",
            "stp {x}, {y}, [{step}, #16]",
            "ror {hash}, {hash}, #59",
            "eor {hash}, {hash}, {t}",
            "mul {hash}, {hash}, {multiplier}",
            "add {y}, {kept}, {at}, lsl #3",
            "ldr {x}, [{y}]",
            "eor {x}, {x}, {t}",
            "orr {differs}, {differs}, {x}",
            "str {t}, [{y}]",
            "str {hash}, [{y}, #4104]",
            "add {y}, {kept}, {at}, lsl #2",
            "str {t:w}, [{y}, #8200]",
            "orr {any}, {any}, {t}",
            "and {all}, {all}, {t}",
            "add {at}, {at}, #1",
            "add {step}, {step}, #32",
            "add {next}, {next}, #32",
            "cmp {next}, {end}",
            "b.lo 2b",
            "9:",
            next = inout(reg) next => _,
            end = in(reg) end,
            step = inout(reg) places.step => _,
            kept = in(reg) places.kept,
            at = inout(reg) places.at => _,
            hash = inout(reg) hash,
            differs = inout(reg) differs,
            any = inout(reg) any,
            all = inout(reg) all,
            multiplier = in(reg) HASH_MULTIPLIER,
            x = out(reg) _,
            y = out(reg) _,
            t = out(reg) _,
            options(nostack),
        );
    }
    Outcome { hash, differs: differs != 0, is_like: (any ^ all) >> 32 == 0 }
}
