//! Hot: `Walk`, one walk, step by step: each rule, each check and each stack, in plain code. The
//! loops in assembly do the frequent ones of these steps (`loops::walk`), and `walker` spares those
//! that the last walk has made already.
//!
//! Code that runs a function on another stack (`stacker::grow`) keeps the old stack pointer in
//! `fp`. Where a rule says that the CFA lies two words above `fp`, as in every function with a
//! frame pointer, and that is in another stack, the walk goes on there.
//!
//! Relies on: `bounds` says what can be read; `next` stays in the array from `first` to `end`,
//! which nobody else uses.
#![allow(unsafe_code)]

use super::rules;
use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};
use crate::walk::stop::{Stop, MAX_FRAMES};
use crate::walk::target::arch::registers::{return_address, Registers};
use crate::walk::target::arch::step::Step;
use crate::walk::target::bounds::{self, Readable};
use crate::walk::target::tables::{Tables, NULL_ENDS};

/// So many frames more are walked to find the outermost ones: enough for the stacks of tests, and
/// no more than a millisecond.
const MAX_FURTHER: usize = 16_384 - MAX_FRAMES;

/// The present walk.
pub(super) struct Walk {
    pub(super) registers: Registers,
    pub(super) stack: Readable,
    /// It is still on the stack on which it began.
    pub(super) is_on_first: bool,
    /// The last step, in `Walker::fresh`, or the end of that.
    pub(super) next: *mut Step,
    pub(super) first: *mut Step,
    pub(super) end: *mut Step,
}

impl Walk {
    /// How many steps there were.
    #[inline]
    pub(super) fn len(&self) -> usize {
        (self.end as usize).wrapping_sub(self.next as usize) / std::mem::size_of::<Step>()
    }

    fn has_room(&self) -> bool {
        self.next > self.first
    }

    /// Any step, checked; or why there is none, and whether that follows from a rule alone.
    #[cold]
    #[inline(never)]
    pub(super) fn step(&mut self, tables: &mut Tables) -> Option<(Stop, bool)> {
        let pc = self.registers.pc;
        if pc == 0 {
            // `loops::walk` has taken the end of the stack for a frame.
            self.next = self.next.wrapping_add(1);
            return Some((Stop::Complete, false));
        }
        let frame = match self.caller(tables) {
            Caller::Frame { cfa, fp, return_address } => self.caller_of(cfa, fp, return_address),
            Caller::Outermost => return Some((Stop::Complete, true)),
            Caller::Unknown => return Some((Stop::UnknownCode, true)),
        };
        match frame {
            None => Some((Stop::Inconsistent, false)),
            Some(step) if step.return_address == 0 => Some((Stop::Complete, false)),
            Some(_) if !self.has_room() => Some((Stop::TooDeep, false)),
            Some(step) => {
                self.next = self.next.wrapping_sub(1);
                // SAFETY: in `Walker::fresh`, as there was room.
                unsafe { *self.next = step };
                self.registers = step.registers();
                None
            }
        }
    }

    /// Goes on with a walk that has no more room. The outer half of the room becomes a ring for
    /// what it meets; it ends with the outermost frames, or is given up, where they can't be found.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_both_ends(&mut self, tables: &mut Tables) -> Stop {
        const HALF: usize = MAX_FRAMES / 2;
        // SAFETY: the first half of `Walker::fresh`, of which the walk has written all; nothing
        // else has a reference to it.
        let ring = unsafe { std::slice::from_raw_parts_mut(self.first, HALF) };
        let mut last = 0;
        for _ in 0..MAX_FURTHER {
            let next = match self.caller(tables) {
                Caller::Frame { cfa, fp, return_address } => {
                    self.caller_of(cfa, fp, return_address)
                }
                Caller::Outermost => Some(Step::ZERO),
                Caller::Unknown => None,
            };
            let Some(step) = next else { break };
            if step.return_address == 0 {
                // The outermost first.
                // No panic: `last` is less than the length.
                ring.rotate_left(last);
                return Stop::MiddleLeftOut;
            }
            last = last.checked_sub(1).unwrap_or(HALF - 1);
            // No panic: as above.
            ring[last] = step;
            self.registers = step.registers();
        }
        self.next = self.first.wrapping_add(HALF);
        Stop::TooDeep
    }

    /// What the rule of the last frame says.
    fn caller(&self, tables: &mut Tables) -> Caller {
        match rules::caller_by(self.registers.pc, tables) {
            Caller::Frame { .. } if NULL_ENDS && self.registers.fp == 0 => Caller::Outermost,
            caller => caller,
        }
    }

    /// The step to the caller, by a rule; `None` where it leads to what cannot be read, or not
    /// outwards.
    fn caller_of(&mut self, cfa: Cfa, saved: SavedFp, call: ReturnAddress) -> Option<Step> {
        let Registers { sp, fp, .. } = self.registers;
        let is_rare = matches!(cfa, Cfa::AtFp(_));
        let has_frame_pointer =
            cfa == Cfa::Fp(16) && saved == SavedFp::BelowCfa(16) && call == ReturnAddress::ON_TOP;
        let cfa = match cfa {
            Cfa::Sp(offset) => sp.checked_add(offset)?,
            Cfa::Fp(offset) => fp.checked_add(offset)?,
            Cfa::AtFp(offset) => self.read(sp, fp.checked_add_signed(offset)?)?,
        };
        let lowest = match has_frame_pointer && self.is_elsewhere(cfa) {
            true => {
                let stack = bounds::readable(fp)?;
                if stack.is_own && self.stack.is_own {
                    return None;
                }
                self.stack = stack;
                self.is_on_first = false;
                fp
            }
            // What has its return address in the register may have no frame.
            false if cfa < sp || cfa == sp && call != ReturnAddress::InRegister => return None,
            false => sp,
        };
        let (return_slot, return_address) = match call {
            ReturnAddress::BelowCfa(offset) | ReturnAddress::SignedBelowCfa(offset) => {
                let slot = cfa.wrapping_sub(offset);
                (slot, return_address(self.read(lowest, slot)?))
            }
            ReturnAddress::InRegister => (Step::NO_SLOT, self.registers.link()?),
        };
        let slot = match saved {
            SavedFp::Same => Step::SAME_FP,
            SavedFp::BelowCfa(offset) => cfa.wrapping_sub(offset),
            SavedFp::AtFp => fp,
        };
        let fp = if slot == Step::SAME_FP { fp } else { self.read(lowest, slot)? };
        let fp_slot =
            if is_rare || return_slot == Step::NO_SLOT { Step::UNVERIFIABLE } else { slot };
        Some(Step::new(cfa, (return_slot, return_address), (fp_slot, fp)))
    }

    /// Whether the frame lies in another stack than the one that the walk is on.
    fn is_elsewhere(&self, cfa: usize) -> bool {
        let Self { registers, stack, .. } = self;
        if cfa > registers.sp && cfa <= stack.end {
            return false;
        }
        let is_next = cfa > stack.end && bounds::extended(*stack, cfa).is_some();
        !is_next || bounds::is_on_first_stack(cfa.wrapping_sub(8)) && !stack.is_own
    }

    /// A word of the stack, at `lowest` or above.
    fn read(&mut self, lowest: usize, address: usize) -> Option<usize> {
        if address < lowest || address % 8 != 0 {
            return None;
        }
        if address >= self.stack.end {
            self.stack = bounds::extended(self.stack, address.checked_add(8)?)?;
        }
        // SAFETY: aligned, and a word between the stack pointer and the end of what can be read of
        // the stack, which is aligned, too.
        Some(unsafe { *(address as *const usize) })
    }
}
