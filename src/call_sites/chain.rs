//! Cold: `push_chain`, which makes a chain of a stack: its frames as far as they are the scope's.

use super::chains::End;
use super::frames::Frames;
use super::opening::Opening;
use crate::reading;
use crate::stacks::Stack;

/// Appends the numbers of the frames to `numbers`, innermost first.
pub(super) fn push_chain(
    numbers: &mut Vec<u32>,
    stack: &Stack,
    frames: &Frames,
    openings: &[Opening],
) -> End {
    let (addresses, stop) = (reading::return_addresses(stack), stack.stop());
    let addresses = addresses.as_slice();
    let cuts = openings.iter().map(|opening| opening.cut(addresses, stop, frames));
    let cut = cuts.max_by_key(|cut| (cut.common, cut.frames)).unwrap_or_default();

    // From the outside in, up to the call of the allocator. By plain loops, since this runs for
    // each frame of each stack: chained iterators take half as long again in debug builds.
    let start = numbers.len();
    let mut outside_gap = None;
    let mut at = cut.addresses;
    while at < addresses.len() {
        let outside = if at == cut.addresses { cut.frames } else { 0 };
        let resolved = frames.resolved(addresses[at]);
        at += 1;
        let Some(resolved) = resolved else { continue };
        let there = resolved.frames.as_slice();
        let mut end = there.len().saturating_sub(outside);
        while end > resolved.in_allocator {
            end -= 1;
            if !frames.is_library(there[end]) {
                numbers.push(there[end]);
            }
        }
        if stop.outer_end() == Some(at) {
            outside_gap = Some(numbers.len() - start);
        }
        if resolved.in_allocator > 0 {
            break;
        }
    }
    numbers[start..].reverse();
    let count = numbers.len() - start;
    let is_cut_off = !stop.is_complete() && cut.common == 0 || cut.is_opener_left_out;
    End {
        gap: outside_gap.map(|outside| (count - outside) as u32),
        cut_off: is_cut_off.then_some(stop),
    }
}
