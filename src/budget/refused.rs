//! Cold: the helper thread, which finds the line that asked for a block beyond `max_block_bytes`,
//! when the inner allocator refuses it. `refusals` says why it is there before it is needed.
//!
//! It sleeps, and is started once in a process, by the first budget with such a limit that records
//! call sites.

#[cfg(feature = "backtraces")]
use std::hint::black_box;

#[cfg(feature = "backtraces")]
use crate::call_sites;
#[cfg(feature = "backtraces")]
use crate::counters;
#[cfg(feature = "backtraces")]
use crate::reading::Recording;
#[cfg(feature = "backtraces")]
use crate::refusals::{self, Question};
#[cfg(feature = "backtraces")]
use crate::symbolize;

#[cfg(not(feature = "backtraces"))]
pub(super) fn start_helper() {}

#[cfg(feature = "backtraces")]
pub(super) fn start_helper() {
    if refusals::has_no_helper_yet() {
        counters::ignored(|at_work| symbolize::start_thread(at_work, help));
    }
}

#[cfg(feature = "backtraces")]
fn help() {
    loop {
        let place = place_of(refusals::next_question());
        refusals::answer(&place.unwrap_or_default());
    }
}

#[cfg(feature = "backtraces")]
fn place_of(Question { stack, location }: Question) -> Option<String> {
    // So that it is not this which finds no memory: that would be the end of the process, which may
    // go on without the block.
    const ENOUGH: usize = 16 << 20;
    let mut memory = Vec::<u8>::new();
    memory.try_reserve_exact(ENOUGH).ok()?;
    drop(black_box(memory));
    let mut recording = Recording::default();
    recording.first_overrun = Some((1, Some(stack)));
    let sites = call_sites::of_recording(&recording, location);
    let (_, frame) = sites.data().first_overrun.as_ref()?;
    frame.as_ref().map(call_sites::place::described)
}
