//! Cold: `Chain`, the frames of a stack as far as they are the scope's.

use super::frame::Frame;
use super::frames::Frames;
use super::opening::Opening;
use super::resolver::Numbered;
use crate::reading;
use crate::stacks::Stack;

pub(super) struct Chain {
    /// Innermost first.
    pub(super) frames: Vec<Frame>,
    /// Equal if the frames read the same.
    pub(super) wordings: Vec<usize>,
    /// After so many frames, some were left out.
    pub(super) gap: Option<usize>,
    /// Why it does not lead to the scope's opening.
    pub(super) cut_off: Option<&'static str>,
}

impl Chain {
    pub(super) fn of(stack: &Stack, frames: &Frames, openings: &[Opening]) -> Self {
        let (addresses, stop) = (reading::return_addresses(stack), stack.stop());
        let cuts = openings.iter().map(|opening| opening.cut(&addresses, stop, frames));
        let cut = cuts.max_by_key(|cut| (cut.common, cut.frames)).unwrap_or_default();

        // From the outside in, up to the call of the allocator. By plain loops, since this runs for
        // each frame of each stack: chained iterators take half as long again in debug builds.
        let mut kept: Vec<&Numbered> = Vec::new();
        let mut outside_gap = None;
        for (at, address) in addresses.iter().enumerate().skip(cut.addresses) {
            let Some(resolved) = frames.resolved(*address) else { continue };
            let outside = if at == cut.addresses { cut.frames } else { 0 };
            let end = resolved.frames.len().saturating_sub(outside);
            for numbered in resolved.frames[resolved.in_allocator.min(end)..end].iter().rev() {
                if !numbered.frame.is_of_library() {
                    kept.push(numbered);
                }
            }
            if stop.outer_end() == Some(at + 1) {
                outside_gap = Some(kept.len());
            }
            if resolved.in_allocator > 0 {
                break;
            }
        }
        kept.reverse();
        let is_cut_off = !stop.is_complete() && cut.common == 0 || cut.is_opener_left_out;
        Self {
            frames: kept.iter().map(|numbered| numbered.frame.clone()).collect(),
            wordings: kept.iter().map(|numbered| numbered.wording).collect(),
            gap: outside_gap.map(|outside| kept.len() - outside),
            cut_off: is_cut_off.then(|| stop.reason()),
        }
    }
}
