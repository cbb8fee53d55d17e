//! Hot: the three loops of a walk, in assembly, so that they are as fast in a debug build, where
//! dependencies are not optimised, as in a release build. Each does the plain case only, and
//! returns at the first frame that is anything else.
//!
//! Relies on: the callers, for what each loop asks of them; the layouts of `Step` and of the rule
//! table, which constants below compare with the numbers in the assembly.
#![allow(unsafe_code)]

use std::arch::asm;

use super::registers::Registers;
use super::rule::Rule;
use super::step::Step;
use crate::walk::stop::MAX_FRAMES;
use crate::walk::target::common::kept::{Outcome, Places, HASH_MULTIPLIER};
use crate::walk::target::common::rule_table::{SET_BITS, TABLE, TAG_BITS, WAYS};

// The numbers in the assembly; before Rust 1.82 they cannot be given by name.
const _: () = assert!(std::mem::size_of::<Step>() == 32);
const _: () = assert!(WAYS == 4 && SET_BITS == 12 && (8 << SET_BITS) == 32768);
const _: () = assert!(TAG_BITS + Rule::KIND_FP.trailing_zeros() == 35);
const _: () = assert!(TAG_BITS + Rule::KIND_RARE.trailing_zeros() == 36);
const _: () = assert!(TAG_BITS + Rule::FP_SHIFT == 37 && Rule::FP_MASK == 1023);
const _: () = assert!(TAG_BITS + Rule::OFFSET_SHIFT == 47);

/// Walks frames of known, plain rules: each is put below the last, at `*next`, down to `last`.
/// Returns `true` at a frame that is like the one in `*remembered`, which moves outwards to keep
/// up.
///
/// In plain words, for each frame:
/// - leave if there is no room, or the return address is not a user address;
/// - look the address up in the four words of its set; leave if it is in none, or if its rule is of
///   the rare kinds;
/// - compute the CFA; leave if it is not aligned, not above `rsp`, or past the end of the stack;
/// - if `rbp` was saved: leave if that would be below `rsp`; read it;
/// - read the return address, move on, and write the frame down;
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
    // SAFETY: the frames read lie between `rsp` and `stack_end`, by the compares above each load,
    // and the frames written between `last` and `*next`; the caller vouches for both. A set is in
    // the table whatever its number.
    unsafe {
        asm!(
            "2:",
            "cmp {next}, {last}",
            "jbe 8f",
            "mov {x:e}, {pc:e}",
            "and {x:e}, 4095",
            "mov {t}, {pc}",
            "shr {t}, 12", // More than a tag, and so equal to none, if it is no user address.
            "mov {r}, [{table} + {x}*8]",
            "mov {y}, {r}",
            "and {y}, {tag_mask}",
            "cmp {y}, {t}",
            "je 3f",
            "mov {r}, [{table} + {x}*8 + 32768]",
            "mov {y}, {r}",
            "and {y}, {tag_mask}",
            "cmp {y}, {t}",
            "je 3f",
            "mov {r}, [{table} + {x}*8 + 65536]",
            "mov {y}, {r}",
            "and {y}, {tag_mask}",
            "cmp {y}, {t}",
            "je 3f",
            "mov {r}, [{table} + {x}*8 + 98304]",
            "mov {y}, {r}",
            "and {y}, {tag_mask}",
            "cmp {y}, {t}",
            "jne 8f",
            "3:", // r: the word
            "bt {r}, 36",
            "jc 8f",
            "mov {t}, {r}",
            "shr {t}, 47",
            "lea {x}, [{rsp} + {t}*8]",
            "lea {y}, [{rbp} + {t}*8]",
            "bt {r}, 35",
            "cmovc {x}, {y}", // x: the CFA
            "test {x:e}, 7",
            "jnz 8f",
            "cmp {x}, {rsp}",
            "jbe 8f",
            "cmp {x}, {stack_end}",
            "ja 8f",
            "xor {t:e}, {t:e}", // t: where rbp was saved
            "shr {r}, 37",
            "and {r:e}, 1023",
            "jz 4f",
            "neg {r}",
            "lea {t}, [{x} + {r}*8]",
            "cmp {t}, {rsp}",
            "jb 8f",
            "mov {rbp}, [{t}]",
            "4:",
            "mov {pc}, [{x} - 8]",
            "mov {rsp}, {x}",
            "sub {next}, 32",
            "mov [{next}], {x}",
            "mov [{next} + 8], {pc}",
            "mov [{next} + 16], {rbp}",
            "mov [{next} + 24], {t}",
            "5:",
            "cmp [{remembered}], {x}",
            "jae 6f",
            "sub {remembered}, 32",
            "jmp 5b",
            "6:",
            "jne 2b",
            "cmp [{remembered} + 8], {pc}",
            "jne 2b",
            "cmp [{remembered} + 16], {rbp}",
            "jne 2b",
            "mov {r:e}, 1",
            "jmp 9f",
            "8:",
            "xor {r:e}, {r:e}",
            "9:",
            next = inout(reg) *next,
            last = in(reg) last,
            remembered = inout(reg) *remembered,
            pc = inout(reg) registers.pc,
            rsp = inout(reg) registers.sp,
            rbp = inout(reg) registers.fp,
            stack_end = in(reg) stack_end,
            table = in(reg) TABLE.0.as_ptr(),
            tag_mask = in(reg) (1_u64 << TAG_BITS) - 1,
            r = out(reg) is_like,
            x = out(reg) _,
            y = out(reg) _,
            t = out(reg) _,
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
            "sub {frame}, 32",
            "mov {t}, [{frame} + 24]",
            "test {t}, {t}",
            "jnz 4f",
            "3:",
            "mov {t}, [{frame}]",
            "mov {t}, [{t} - 8]",
            "cmp {t}, [{frame} + 8]",
            "je 2b",
            "jmp 9f",
            "4:", // t: where rbp was read
            "test {t:e}, 1",
            "jnz 9f",
            "mov {t}, [{t}]",
            "cmp {t}, [{frame} + 16]",
            "je 3b",
            "9:",
            frame = inout(reg) frame,
            t = out(reg) _,
            options(nostack, readonly),
        );
    }
    frame
}

// The numbers in the assembly.
const _: () = assert!(MAX_FRAMES * 8 + 8 == 4104 && MAX_FRAMES * 8 + (MAX_FRAMES + 1) * 8 == 8200);

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
            "jae 9f",
            "2:",
            "mov {x}, [{next}]",
            "mov [{next} + {ahead}], {x}",
            "mov {x}, [{next} + 16]",
            "mov [{next} + {ahead} + 16], {x}",
            "mov {x}, [{next} + 24]",
            "mov [{next} + {ahead} + 24], {x}",
            "mov {t}, [{next} + 8]",
            "mov [{next} + {ahead} + 8], {t}",
            "rol {hash}, 5",
            "xor {hash}, {t}",
            "imul {hash}, {multiplier}",
            "mov {x}, [{kept} + {at}*8]",
            "xor {x}, {t}",
            "or {differs}, {x}",
            "mov [{kept} + {at}*8], {t}",
            "mov [{kept} + {at}*8 + 4104], {hash}",
            "mov [{kept} + {at}*4 + 8200], {t:e}",
            "or {any}, {t}",
            "and {all}, {t}",
            "inc {at}",
            "add {next}, 32",
            "cmp {next}, {end}",
            "jb 2b",
            "9:",
            next = inout(reg) next => _,
            end = in(reg) end,
            ahead = in(reg) (places.step as usize).wrapping_sub(next as usize),
            kept = in(reg) places.kept,
            at = inout(reg) places.at => _,
            hash = inout(reg) hash,
            differs = inout(reg) differs,
            any = inout(reg) any,
            all = inout(reg) all,
            multiplier = in(reg) HASH_MULTIPLIER,
            x = out(reg) _,
            t = out(reg) _,
            options(nostack),
        );
    }
    Outcome { hash, differs: differs != 0, is_like: (any ^ all) >> 32 == 0 }
}
