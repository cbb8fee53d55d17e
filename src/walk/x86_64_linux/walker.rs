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
//! 2. Each frame is compared with the frame of the previous walk that has the same CFA. Let `rsp`,
//!    `rbp` and the return address be equal. A step computes the next frame from these, from the
//!    rule of the address, and from what it reads of the stack: the return address below the next
//!    CFA, and the saved `rbp`. So it reads the words that it read the last time; if they hold what
//!    they held, it leads to the frame that it led to the last time; and so on outwards. It is
//!    enough to compare those words (`loops::verify`), which takes a fifth of the time: the loads
//!    do not wait for one another.
//!    - Rules change at a flush only; `generation` tells.
//!    - The checks of a step use the registers and the end of the stack, never where the walk
//!      began.
//!    - A CFA that is itself read from the stack is a third word. The frame it leads to is marked,
//!      and counts as not holding.
//!    - The last step, at the outermost frame, leads to no frame. By its rule alone, or else the
//!      frame is walked from again (`ended_by_rule`).
//!    - The words lie above the frame that was equal, so above the stack pointer, and below the end
//!      of the stack: it is the thread's own, or nothing is reused.
//!    - Where a frame does not hold, those before it are taken over and the walk goes on from the
//!      last of them.
//! 3. A walk that has more frames than there is room for goes on without keeping what it meets
//!    (`keep_both_ends`), but for the outermost frames. It is not reused: which frames it has
//!    depends on where it began. Nor is one on a stack that is not the thread's own, or one that
//!    came to another: there may be other memory in the place of such a stack the next time.
//! 4. Code that runs a function on another stack (`stacker::grow`) keeps the old stack pointer in
//!    `rbp`. Where a rule says that the CFA lies two words above `rbp`, as in every function with a
//!    frame pointer, and that is in another stack, the walk goes on there.
#![allow(unsafe_code)]

use super::bounds::{self, Readable};
use super::loops::{self, Frame, Places, HASH_MULTIPLIER};
use super::registers::Registers;
use super::{rule_table, rules};
use crate::walk::rule::{Caller, Cfa, SavedRbp};
use crate::walk::stop::{Stop, MAX_FRAMES};
use crate::walk::walked::Walked;

/// One thread's walker. All zeros is a new one. 40 KiB.
#[repr(C)]
pub(crate) struct Walker {
    /// How many frames the previous walk had.
    len: usize,
    stop: Stop,
    has_walked: bool,
    /// The previous walk may be reused, if the next two are what they were.
    pub(super) is_reusable: bool,
    /// Its last step followed from the rule of the outermost address alone.
    ended_by_rule: bool,
    generation: usize,
    stack_end: usize,
    return_addresses: [usize; MAX_FRAMES],
    /// At `i`, of the first `i` addresses.
    hashes: [u64; MAX_FRAMES + 1],
    /// The frames of the previous walk, from 1; before them one with the highest CFA, at which
    /// searches end.
    frames: [Frame; MAX_FRAMES + 1],
    /// The frames of the present walk so far: the last of the array is the innermost.
    fresh: [Frame; MAX_FRAMES],
}

/// The present walk.
struct Walk {
    registers: Registers,
    stack: Readable,
    /// It is still on the stack on which it began.
    is_on_first: bool,
    /// The last frame that was walked to, in `Walker::fresh`, or the end of that.
    next: *mut Frame,
    first: *mut Frame,
    end: *mut Frame,
}

/// How a walk ended.
struct End {
    /// So many of the outermost frames are those of the previous walk.
    kept: usize,
    stop: Stop,
    by_rule: bool,
}

impl Walk {
    fn len(&self) -> usize {
        (self.end as usize).wrapping_sub(self.next as usize) / std::mem::size_of::<Frame>()
    }

    fn has_room(&self) -> bool {
        self.next > self.first
    }
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
        return_addresses: [0; MAX_FRAMES],
        hashes: [0; MAX_FRAMES + 1],
        frames: [Frame::ZERO; MAX_FRAMES + 1],
        fresh: [Frame::ZERO; MAX_FRAMES],
    };

    /// Walks the stack of the current thread from registers that its running functions had.
    #[inline(never)]
    pub(crate) fn walk(&mut self, from: Registers) -> Walked<'_> {
        let Some(stack) = bounds::readable(from.rsp) else {
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
                outcome.stop = keep_both_ends(&mut walk);
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
        Walked { return_addresses: &[], hash: finish(0, 0, stop), is_same, stop }
    }

    fn run(&mut self, walk: &mut Walk, can_reuse: bool) -> End {
        let frames = self.frames.as_mut_ptr();
        let sentinel: *const Frame = frames;
        // No panic: an array, and not empty.
        self.frames[0].cfa = usize::MAX;
        let mut remembered = if can_reuse { sentinel.wrapping_add(self.len) } else { sentinel };
        loop {
            let Walk { registers, stack, next, first, .. } = walk;
            // SAFETY: `bounds` vouches for the stack, of which the walk has left only what lies
            // deeper; `next` is in `fresh`, which begins at `first`; `remembered` is in `frames`,
            // which begins with the highest CFA.
            let mut is_like =
                unsafe { loops::walk(registers, stack.end, next, *first, &mut remembered) };
            if !is_like {
                if let Some((stop, by_rule)) = step(walk) {
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
            let like = (remembered as usize).wrapping_sub(sentinel as usize)
                / std::mem::size_of::<Frame>();
            // The one at which the walk is counts once.
            if walk.len() + like - 1 > MAX_FRAMES {
                remembered = sentinel;
                continue;
            }
            // SAFETY: both are in `frames`. The frames between them lie further out than the one at
            // which the walk is, and in the same stack as when they were walked.
            let broken = unsafe { loops::verify(remembered, sentinel) };
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
            frame: self.frames.as_mut_ptr().wrapping_add(kept + 1),
            return_address: self.return_addresses.as_mut_ptr().wrapping_add(kept),
            hash: self.hashes.as_mut_ptr().wrapping_add(kept + 1),
        };
        let before = self.hashes.get(kept).copied().unwrap_or(0);
        // SAFETY: the fresh frames and those kept are `MAX_FRAMES` at the most together, which is
        // the room in each array.
        let (hash, differs) = unsafe { loops::keep(walk.next, walk.end, places, before) };
        let len = kept + walk.len();
        let is_same = self.has_walked && !differs && len == self.len && stop == self.stop;
        self.len = len;
        self.stop = stop;
        self.ended_by_rule = by_rule;
        let is_whole = !matches!(stop, Stop::TooDeep | Stop::MiddleLeftOut);
        self.is_reusable = is_whole && walk.stack.is_own && walk.is_on_first;
        self.has_walked = true;
        Walked {
            return_addresses: self.return_addresses.get(..len).unwrap_or_default(),
            hash: finish(hash, len, stop),
            is_same,
            stop,
        }
    }
}

/// The hash of addresses, made one of their number and of `stop` as well.
fn finish(hash: u64, len: usize, stop: Stop) -> u64 {
    let hash = (hash ^ (len as u64) << 8 ^ stop as u64).wrapping_mul(HASH_MULTIPLIER);
    hash ^ hash >> 32
}

/// Whether the last frame is like a remembered one; moves on to the one to compare the next frame
/// with.
fn is_like_remembered(walk: &Walk, remembered: &mut *const Frame) -> bool {
    // SAFETY: a step has just written it.
    let frame = unsafe { *walk.next };
    loop {
        // SAFETY: in `Walker::frames`: the search ends at its first, which has the highest CFA.
        let candidate = unsafe { **remembered };
        if candidate.cfa >= frame.cfa {
            return candidate.cfa == frame.cfa
                && candidate.return_address == frame.return_address
                && candidate.rbp == frame.rbp;
        }
        *remembered = remembered.wrapping_sub(1);
    }
}

/// Takes the remembered frames between `broken` and `like` for walked.
fn take_over(walk: &mut Walk, broken: *const Frame, like: *const Frame) {
    let first = broken.wrapping_add(1);
    let count = (like as usize).wrapping_sub(first as usize) / std::mem::size_of::<Frame>();
    if count == 0 {
        return;
    }
    let next = walk.next.wrapping_sub(count);
    // SAFETY: `run` has seen to it that there is room; the arrays are two.
    unsafe { std::ptr::copy_nonoverlapping(first, next, count) };
    walk.next = next;
    // SAFETY: just written.
    let outermost = unsafe { *next };
    walk.registers =
        Registers { pc: outermost.return_address, rsp: outermost.cfa, rbp: outermost.rbp };
}

/// Any step, checked; or why there is none, and whether that follows from a rule alone.
#[cold]
#[inline(never)]
fn step(walk: &mut Walk) -> Option<(Stop, bool)> {
    let pc = walk.registers.pc;
    if pc == 0 {
        // `loops::walk` has taken the end of the stack for a frame.
        walk.next = walk.next.wrapping_add(1);
        return Some((Stop::Complete, false));
    }
    let (cfa, saved) = match rules::caller_at(pc) {
        Caller::Frame { cfa, rbp } => (cfa, rbp),
        Caller::Outermost => return Some((Stop::Complete, true)),
        Caller::Unknown => return Some((Stop::UnknownCode, true)),
    };
    match caller_of(walk, cfa, saved) {
        None => Some((Stop::Inconsistent, false)),
        Some(frame) if frame.return_address == 0 => Some((Stop::Complete, false)),
        Some(_) if !walk.has_room() => Some((Stop::TooDeep, false)),
        Some(frame) => {
            walk.next = walk.next.wrapping_sub(1);
            // SAFETY: in `Walker::fresh`, as there was room.
            unsafe { *walk.next = frame };
            walk.registers = Registers { pc: frame.return_address, rsp: frame.cfa, rbp: frame.rbp };
            None
        }
    }
}

/// So many frames more are walked to find the outermost ones: enough for the stacks of tests, and
/// no more than a millisecond.
const MAX_FURTHER: usize = 16_384 - MAX_FRAMES;

/// Goes on with a walk that has no more room. The outer half of the room becomes a ring for what it
/// meets; it ends with the outermost frames, or is given up, where they can't be found.
#[cold]
#[inline(never)]
fn keep_both_ends(walk: &mut Walk) -> Stop {
    const HALF: usize = MAX_FRAMES / 2;
    // SAFETY: the first half of `Walker::fresh`, of which the walk has written all; nothing else
    // has a reference to it.
    let ring = unsafe { std::slice::from_raw_parts_mut(walk.first, HALF) };
    let mut last = 0;
    for _ in 0..MAX_FURTHER {
        let next = match rules::caller_at(walk.registers.pc) {
            Caller::Frame { cfa, rbp } => caller_of(walk, cfa, rbp),
            Caller::Outermost => Some(Frame::ZERO),
            Caller::Unknown => None,
        };
        let Some(frame) = next else { break };
        if frame.return_address == 0 {
            // The outermost first.
            // No panic: `last` is less than the length.
            ring.rotate_left(last);
            return Stop::MiddleLeftOut;
        }
        last = last.checked_sub(1).unwrap_or(HALF - 1);
        // No panic: as above.
        ring[last] = frame;
        walk.registers = Registers { pc: frame.return_address, rsp: frame.cfa, rbp: frame.rbp };
    }
    walk.next = walk.first.wrapping_add(HALF);
    Stop::TooDeep
}

/// The frame of the caller, by a rule; `None` where it leads to what cannot be read, or not
/// outwards.
fn caller_of(walk: &mut Walk, cfa: Cfa, saved: SavedRbp) -> Option<Frame> {
    let Registers { rsp, rbp, .. } = walk.registers;
    let is_rare = matches!(cfa, Cfa::AtRbp(_));
    let has_frame_pointer = cfa == Cfa::Rbp(16) && saved == SavedRbp::BelowCfa(16);
    let cfa = match cfa {
        Cfa::Rsp(offset) => rsp.checked_add(offset)?,
        Cfa::Rbp(offset) => rbp.checked_add(offset)?,
        Cfa::AtRbp(offset) => read(walk, rsp, rbp.checked_add_signed(offset)?)?,
    };
    let lowest = match has_frame_pointer && is_elsewhere(walk, cfa) {
        true => {
            let stack = bounds::readable(rbp)?;
            if stack.is_own && walk.stack.is_own {
                return None;
            }
            walk.stack = stack;
            walk.is_on_first = false;
            rbp
        }
        false if cfa <= rsp => return None,
        false => rsp,
    };
    let return_address = read(walk, lowest, cfa.wrapping_sub(8))?;
    let slot = match saved {
        SavedRbp::Same => Frame::SAME_RBP,
        SavedRbp::BelowCfa(offset) => cfa.wrapping_sub(offset),
        SavedRbp::AtRbp => rbp,
    };
    let rbp = if slot == Frame::SAME_RBP { rbp } else { read(walk, lowest, slot)? };
    let rbp_slot = if is_rare { Frame::UNVERIFIABLE } else { slot };
    Some(Frame { cfa, return_address, rbp, rbp_slot })
}

/// Whether the frame lies in another stack than the one that the walk is on.
fn is_elsewhere(walk: &Walk, cfa: usize) -> bool {
    let Walk { registers, stack, .. } = walk;
    if cfa > registers.rsp && cfa <= stack.end {
        return false;
    }
    let is_next = cfa > stack.end && bounds::extended(*stack, cfa).is_some();
    !is_next || bounds::is_on_first_stack(cfa.wrapping_sub(8)) && !stack.is_own
}

/// A word of the stack, at `lowest` or above.
fn read(walk: &mut Walk, lowest: usize, address: usize) -> Option<usize> {
    if address < lowest || address % 8 != 0 {
        return None;
    }
    if address >= walk.stack.end {
        walk.stack = bounds::extended(walk.stack, address.checked_add(8)?)?;
    }
    // SAFETY: aligned, and a word between the stack pointer and the end of what can be read of the
    // stack, which is aligned, too.
    Some(unsafe { *(address as *const usize) })
}
