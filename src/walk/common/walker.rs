//! Hot: `Walker`, which walks a thread's stack and remembers the walk, so that the next one need
//! not repeat what it shares.
//!
//! The plain version, in words: from the registers, take the rule of the return address, compute
//! the frame of the caller, write its return address down; repeat until the rule says that there is
//! no caller, or none can be found.
//!
//! What is different here, and why the outcome is the same:
//!
//! 1. The frames are kept outermost first, so that a walk which differs from the last in its inner
//!    frames writes those only. As the walk meets the inner ones first, they go to `fresh`, from
//!    its end downwards, and are kept when the walk is over.
//! 2. Each frame is compared with the frame of the previous walk that has the same CFA. Let `sp`,
//!    `fp` and the return address be equal. A step computes the next frame from these, from the
//!    rule of the address, and from what it reads of the stack: the return address below the next
//!    CFA, and the saved `fp`. So it reads the words that it read the last time; if they hold what
//!    they held, it leads to the frame that it led to the last time; and so on outwards. It is
//!    enough to compare those words (`loops::verify`), which takes a fifth of the time: the loads
//!    do not wait for one another.
//!    - Rules change at a flush only; `generation` tells.
//!    - The checks of a step use the registers and the end of the stack, never where the walk
//!      began.
//!    - A CFA that is itself read from the stack is a third word. The frame it leads to is marked,
//!      and counts as not holding.
//!    - The last step, at the outermost frame, leads to no frame. Where that follows from its rule
//!      alone, it holds; else that frame is walked from again (`ended_by_rule`).
//!    - The words lie above the frame that was equal, so above the stack pointer, and below the end
//!      of the stack: it is the thread's own, or nothing is reused.
//!    - Where a frame does not hold, those before it are taken over and the walk goes on from the
//!      last of them.
//! 3. A walk that has more frames than there is room for goes on without keeping what it meets
//!    (`Walk::keep_both_ends`), but for the outermost frames. It is not reused: which frames it has
//!    depends on where it began. Nor is one on a stack that is not the thread's own, or one that
//!    came to another: there may be other memory in the place of such a stack the next time.
//!
//! Relies on: `bounds` says what can be read of the stack; pointers to steps stay in `steps` and
//! `fresh`, as the checks beside them see to.
#![allow(unsafe_code)]

use super::kept::{Kept, Outcome, Places, HASH_MULTIPLIER};
use super::rule_table;
use super::walk::Walk;
use crate::walk::stop::{Stop, MAX_FRAMES};
use crate::walk::target::arch::loops;
use crate::walk::target::arch::registers::Registers;
use crate::walk::target::arch::step::Step;
use crate::walk::target::bounds;
use crate::walk::target::tables::Tables;
use crate::walk::walked::Walked;

/// One thread's walker. All zeros is a new one. 42 KiB.
#[repr(C)]
pub(crate) struct Walker {
    /// How many frames the previous walk had.
    len: usize,
    stop: Stop,
    has_walked: bool,
    /// The previous walk may be reused, if the next two are what they were.
    pub(crate) is_reusable: bool,
    /// Its last step followed from the rule of the outermost address alone.
    ended_by_rule: bool,
    generation: usize,
    stack_end: usize,
    tables: Tables,
    /// How many addresses of the previous walk are before the innermost ones that have the same
    /// upper half.
    outer_len: usize,
    /// How often those have changed.
    outer_changes: usize,
    /// The last address of the previous walk.
    last: usize,
    kept: Kept,
    /// Those of the previous walk, from 1; before them the sentinel.
    steps: [Step; MAX_FRAMES + 1],
    /// Those of the present walk so far: the last of the array is the innermost.
    fresh: [Step; MAX_FRAMES],
}

/// How a walk ended.
struct End {
    /// So many of the outermost frames are those of the previous walk.
    kept: usize,
    stop: Stop,
    by_rule: bool,
}

impl Walker {
    /// For tests, these and `tests/unwinding`. Elsewhere made of zeros in place: it is large.
    #[allow(dead_code)]
    pub(crate) const NEW: Self = Self {
        len: 0,
        stop: Stop::Complete,
        has_walked: false,
        is_reusable: false,
        ended_by_rule: false,
        generation: 0,
        stack_end: 0,
        tables: Tables::NONE,
        outer_len: 0,
        outer_changes: 0,
        last: 0,
        kept: Kept {
            return_addresses: [0; MAX_FRAMES],
            hashes: [0; MAX_FRAMES + 1],
            low_halves: [0; MAX_FRAMES],
        },
        steps: [Step::ZERO; MAX_FRAMES + 1],
        fresh: [Step::ZERO; MAX_FRAMES],
    };

    /// Walks the stack of the current thread from registers that its running functions had.
    #[inline(never)]
    pub(crate) fn walk(&mut self, from: Registers) -> Walked<'_> {
        let Some(stack) = bounds::readable(from.sp) else {
            return self.nothing(Stop::NoStack);
        };
        let mut attempts = 0;
        loop {
            let generation = rule_table::generation();
            let first = self.fresh.as_mut_ptr();
            let end = first.wrapping_add(MAX_FRAMES);
            let mut walk =
                Walk { registers: from, stack, is_on_first: true, next: end, first, end };
            let can_reuse = self.is_reusable
                && self.generation == generation
                && self.stack_end == stack.end
                && stack.is_own;
            let mut outcome = self.run(&mut walk, can_reuse);
            if outcome.stop == Stop::TooDeep {
                outcome.stop = walk.keep_both_ends(&mut self.tables);
            }
            attempts += 1;
            // Rules that were flushed meanwhile may have led this walk astray.
            if rule_table::generation() == generation || attempts == 8 {
                self.generation = generation;
                self.stack_end = stack.end;
                return self.keep(&walk, outcome);
            }
        }
    }

    fn nothing(&mut self, stop: Stop) -> Walked<'_> {
        let is_same = self.has_walked && self.len == 0 && self.stop == stop;
        self.len = 0;
        self.stop = stop;
        self.has_walked = true;
        self.is_reusable = false;
        self.find_outer(0, 0);
        let hash = finish(0, 0, stop);
        Walked {
            return_addresses: &[],
            low_halves: &[],
            upper_half: 0,
            outer_changes: self.outer_changes,
            hash,
            is_same,
            stop,
        }
    }

    fn run(&mut self, walk: &mut Walk, can_reuse: bool) -> End {
        let steps = self.steps.as_mut_ptr();
        let sentinel: *const Step = steps;
        // No panic: an array, and not empty.
        self.steps[0] = Step::SENTINEL;
        let mut remembered = if can_reuse { sentinel.wrapping_add(self.len) } else { sentinel };
        loop {
            let Walk { registers, stack, next, first, .. } = walk;
            // SAFETY: `bounds` vouches for the stack, of which the walk has left only what lies
            // deeper; `next` is in `fresh`, which begins at `first`; `remembered` is in `steps`,
            // which begins with the sentinel.
            let mut is_like =
                unsafe { loops::walk(registers, stack.end, next, *first, &mut remembered) };
            if !is_like {
                if let Some((stop, by_rule)) = walk.step(&mut self.tables) {
                    return End { kept: 0, stop, by_rule };
                }
                if !walk.is_on_first {
                    // Its frames have other places than those that are remembered.
                    remembered = sentinel;
                }
                is_like = is_like_remembered(walk, &mut remembered);
            }
            if !is_like {
                continue;
            }
            let like =
                (remembered as usize).wrapping_sub(sentinel as usize) / std::mem::size_of::<Step>();
            // The one at which the walk is counts once.
            if walk.len() + like - 1 > MAX_FRAMES {
                remembered = sentinel;
                continue;
            }
            // SAFETY: in `steps`, which begins with the sentinel. The frames from there lie further
            // out than the one at which the walk is, and in the same stack as when they were
            // walked.
            let broken = unsafe { loops::verify(remembered) };
            if broken == sentinel && self.ended_by_rule {
                return End { kept: like - 1, stop: self.stop, by_rule: true };
            }
            take_over(walk, broken, remembered);
            remembered = broken;
        }
    }

    /// Makes the present walk the previous one.
    fn keep(&mut self, walk: &Walk, end: End) -> Walked<'_> {
        let End { kept, stop, by_rule } = end;
        let places = Places {
            step: self.steps.as_mut_ptr().wrapping_add(kept + 1),
            like: self.last,
            kept: &mut self.kept,
            at: kept,
        };
        let before = self.kept.hashes.get(kept).copied().unwrap_or(0);
        // SAFETY: the fresh frames and those kept are `MAX_FRAMES` at the most together, which is
        // the room in each array.
        let Outcome { hash, differs, is_like } =
            unsafe { loops::keep(walk.next, walk.end, places, before) };
        let len = kept + walk.len();
        let is_same = self.has_walked && !differs && len == self.len && stop == self.stop;
        // Else there are as many outer addresses, and the same.
        if !is_like || kept <= self.outer_len {
            self.find_outer(kept, len);
        }
        self.len = len;
        self.stop = stop;
        self.ended_by_rule = by_rule;
        let is_whole = !matches!(stop, Stop::TooDeep | Stop::MiddleLeftOut);
        self.is_reusable = is_whole && walk.stack.is_own && walk.is_on_first;
        self.has_walked = true;
        Walked {
            return_addresses: self.kept.return_addresses.get(..len).unwrap_or_default(),
            low_halves: self.kept.low_halves.get(self.outer_len..len).unwrap_or_default(),
            upper_half: (self.last >> 32) as u32,
            outer_changes: self.outer_changes,
            hash: finish(hash, len, stop),
            is_same,
            stop,
        }
    }
}

impl Walker {
    /// Finds out how many of `len` addresses lie before the innermost ones that have the same upper
    /// half. Of the previous walk, `kept` are there.
    #[cold]
    #[inline(never)]
    fn find_outer(&mut self, kept: usize, len: usize) {
        let addresses = self.kept.return_addresses.get(..len).unwrap_or_default();
        let mut outer_len = len;
        self.last = addresses.last().copied().unwrap_or(0);
        while let Some(address) = outer_len.checked_sub(1).and_then(|at| addresses.get(at)) {
            if address >> 32 != self.last >> 32 {
                break;
            }
            outer_len -= 1;
        }
        if outer_len != self.outer_len || outer_len > kept {
            self.outer_changes += 1;
        }
        self.outer_len = outer_len;
    }
}

/// The hash of addresses, made one of their number and of `stop` as well.
fn finish(hash: u64, len: usize, stop: Stop) -> u64 {
    let hash = (hash ^ (len as u64) << 8 ^ stop as u64).wrapping_mul(HASH_MULTIPLIER);
    hash ^ hash >> 32
}

/// Whether the last frame is like a remembered one; moves on to the one to compare the next frame
/// with.
fn is_like_remembered(walk: &Walk, remembered: &mut *const Step) -> bool {
    // SAFETY: a step has just written it.
    let step = unsafe { *walk.next };
    loop {
        // SAFETY: in `Walker::steps`: the search ends at its first, the sentinel.
        let candidate = unsafe { **remembered };
        if candidate.cfa >= step.cfa {
            return candidate.cfa == step.cfa
                && candidate.return_address == step.return_address
                && candidate.fp == step.fp;
        }
        *remembered = remembered.wrapping_sub(1);
    }
}

/// Takes the remembered frames between `broken` and `like` for walked.
fn take_over(walk: &mut Walk, broken: *const Step, like: *const Step) {
    let first = broken.wrapping_add(1);
    let count = (like as usize).wrapping_sub(first as usize) / std::mem::size_of::<Step>();
    if count == 0 {
        return;
    }
    let next = walk.next.wrapping_sub(count);
    // SAFETY: `run` has seen to it that there is room; the arrays are two.
    unsafe { std::ptr::copy_nonoverlapping(first, next, count) };
    walk.next = next;
    // SAFETY: just written.
    let outermost = unsafe { *next };
    walk.registers = outermost.registers();
}
