//! Cold: `Opening`, the stack at the start of a scope. What another stack has in common with it
//! lies above the scope, and is left out.

use super::frame_list::FrameList;
use super::frames::Frames;
use super::names;
use crate::reading;
use crate::stacks::Stack;
use crate::walk::Stop;

/// The stack at the start of a scope, or at its end if the same function ends it: then that is on
/// another line. Addresses are outermost first.
///
/// It must be walked from a function of this library that is never inlined: only then is the
/// opener's own address the last.
#[derive(Clone)]
pub(super) struct Opening {
    addresses: Vec<usize>,
    /// The opener is the function that opened the scope: which of `addresses` it is at, and how
    /// many frames of that address lie outside of it, where it was inlined.
    opener: Option<(usize, usize)>,
    is_complete: bool,
}

/// What a stack shares with an opening at its outer end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// How many addresses the two share. If none, all of the stack stays.
    pub(super) common: usize,
    /// How many outer addresses to leave out.
    pub(super) addresses: usize,
    /// How many outer frames to leave out of those at the first address that stays.
    pub(super) frames: usize,
    /// Whether the opener is among what was left out of the middle of the stack.
    pub(super) is_opener_left_out: bool,
}

impl Opening {
    /// The opener is the innermost function that is not the library's: it called the library, or
    /// had a guard of the library's dropped.
    pub(super) fn new(stack: &'static Stack, frames: &Frames, list: &FrameList) -> Self {
        let is_opener = |frame: &u32| {
            let frame = list.frame(*frame);
            let is_glue = !frame.is_user() && frame.function().is_some_and(names::is_drop_glue);
            !is_glue && !frame.is_of_library()
        };
        let addresses = reading::return_addresses(stack);
        let opener = addresses.iter().enumerate().rev().find_map(|(index, &address)| {
            let there = frames.at(address);
            let inner = there.iter().position(is_opener)?;
            Some((index, there.len() - 1 - inner))
        });
        Self { addresses, opener, is_complete: stack.stop().is_complete() }
    }

    pub(super) fn opener(&self, frames: &Frames) -> Option<u32> {
        let (index, outside) = self.opener?;
        frames.at(self.addresses[index]).iter().rev().nth(outside).copied()
    }

    /// Everything above the opener goes. The opener itself stays, on whichever line it is in this
    /// stack. In an optimised build it may share its address with functions that it was inlined
    /// into: those go too.
    pub(super) fn cut(&self, stack: &[usize], stop: Stop, frames: &Frames) -> Cut {
        let (skipped, common) =
            common(&self.addresses, stack, stop.is_complete() && self.is_complete);
        // The outer end of the stack is that of the opening, but the opener lies further in.
        if let (Some(outer_end), Some((index, _))) = (stop.outer_end(), self.opener) {
            if common == outer_end && index >= outer_end {
                let inner = Self { is_complete: false, ..self.clone() };
                let cut = inner.cut(&stack[outer_end..], Stop::TooDeep, frames);
                return Cut {
                    common: outer_end + cut.common,
                    addresses: outer_end + cut.addresses,
                    is_opener_left_out: cut.common == 0,
                    ..cut
                };
            }
        }
        if common == 0 {
            return Cut::default();
        }
        let (index, outside) = self.opener.unwrap_or((usize::MAX, 0));
        let last = stack.len() - 1;
        // Where the opener is in `stack`, as far as the two agree.
        let addresses = common.min(index.saturating_sub(skipped)).min(last);
        let outer = match self.addresses.get(skipped + addresses) {
            Some(&opening) => {
                let (theirs, ours) = (frames.at(opening), frames.at(stack[addresses]));
                let most = if skipped + addresses == index { outside } else { usize::MAX };
                let pairs = theirs.iter().rev().zip(ours.iter().rev());
                let same = pairs.take_while(|(a, b)| a == b).count();
                same.min(most).min(ours.len().saturating_sub(1))
            }
            None => 0,
        };
        Cut { common, addresses, frames: outer, is_opener_left_out: false }
    }
}

/// How many outer addresses of an opening to skip, and how many a stack shares with it after those.
/// If the two are `aligned`, both begin at the outermost frame of the thread, and none is skipped.
/// Else one of them was too deep to be walked to there.
pub(crate) fn common(opening: &[usize], stack: &[usize], aligned: bool) -> (usize, usize) {
    let common = |skipped: usize| {
        // By hand, as in `push_chain`: it runs for each stack.
        let opening = &opening[skipped..];
        let mut count = 0;
        while count < opening.len() && count < stack.len() && opening[count] == stack[count] {
            count += 1;
        }
        (skipped, count)
    };
    let most = if aligned { 1 } else { opening.len() };
    (0..most)
        .map(common)
        .max_by_key(|&(skipped, count)| (count, usize::MAX - skipped))
        .unwrap_or((0, 0))
}
