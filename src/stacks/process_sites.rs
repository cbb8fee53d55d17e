//! Hot: call sites of the whole process. While any profiler records, every thread sends its
//! allocation events to the slow half, and the counts are kept with the interned stacks, from where
//! each profiler reads them by subtraction, as all scopes do.
//!
//! A profiler starts on one thread and must reach all others, whose thresholds their owners write.
//! It raises a flag, then stores the thresholds that send each of them to the slow half into every
//! state (`threads::registry`); an owner that sets its thresholds looks at the flag afterwards.
//! Between the two steps of each stands a sequentially consistent fence, so one of the two sees the
//! other. When the last profiler stops, each thread puts its own right at its next event.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{fence, AtomicUsize};

use super::process_counts::ProcessCounts;
use super::site_counts::SiteCounts;
use super::stack::Stack;
use crate::counters::Event;
use crate::sys::RelaxedWord;

static PROFILERS: AtomicUsize = AtomicUsize::new(0);

/// How many of them read the counts here. The others have all they want in their heap profile
/// (`blocks`). Both are right: these counts are two additions an event, and a heap profile has ten
/// numbers a stack and every live block.
static READERS: AtomicUsize = AtomicUsize::new(0);

/// Of events without a stack.
static UNATTRIBUTED: ProcessCounts = ProcessCounts::new();

/// Raises the flag; the caller then stores the thresholds. `reads_counts` must be the same at the
/// end.
pub(crate) fn start_profiling(reads_counts: bool) {
    READERS.fetch_add(reads_counts.into(), SeqCst);
    PROFILERS.fetch_add(1, SeqCst);
    fence(SeqCst);
}

pub(crate) fn stop_profiling(reads_counts: bool) {
    PROFILERS.fetch_sub(1, SeqCst);
    READERS.fetch_sub(reads_counts.into(), SeqCst);
}

/// Whether any profiler records. To be asked after a fence where thresholds were stored before.
#[inline]
pub(crate) fn is_profiling() -> bool {
    PROFILERS.get() > 0
}

/// Counts an allocation event.
pub(crate) fn profile_event(stack: Option<&'static Stack>, event: &Event) {
    if READERS.load(Relaxed) == 0 {
        return;
    }
    counts_of(stack).count(event);
}

/// What profilers have counted at this stack; without one, of events that have none.
pub(crate) fn profiled(stack: Option<&'static Stack>) -> SiteCounts {
    counts_of(stack).load()
}

fn counts_of(stack: Option<&'static Stack>) -> &'static ProcessCounts {
    stack.map_or(&UNATTRIBUTED, Stack::process_counts)
}
