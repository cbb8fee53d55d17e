//! Hot: what a thread counts. Each thread writes its own counters. Scopes read them by subtraction,
//! process totals by summing those of all threads.
//!
//! - [`event`]: an event, before it is counted;
//! - [`thread_counters`]: a thread's counters; [`own_line`]: how their owner writes them;
//! - [`current`]: which counters the current thread writes, by a thread-local [`pointer`];
//! - [`frequent`]: the frequent half of an event;
//! - [`counts`]: the numbers, as the library reads them; [`stats`]: the same, as users see them;
//! - [`sums`] and [`blocks`]: a few of the numbers, handed around together.

mod blocks;
mod counts;
pub(crate) mod current;
mod event;
#[cfg_attr(
    all(
        target_os = "linux",
        target_arch = "x86_64",
        target_pointer_width = "64",
        any(target_env = "gnu", all(target_env = "musl", target_feature = "crt-static")),
        not(miri)
    ),
    path = "frequent_asm.rs"
)]
pub(crate) mod frequent;
pub(crate) mod own_line;
// Likewise.
#[cfg_attr(
    all(
        target_os = "linux",
        target_arch = "x86_64",
        target_pointer_width = "64",
        any(target_env = "gnu", all(target_env = "musl", target_feature = "crt-static")),
        not(miri)
    ),
    path = "pointer_symbol.rs"
)]
#[cfg_attr(
    any(
        target_os = "android",
        target_os = "openbsd",
        target_os = "illumos",
        target_os = "solaris",
        all(windows, target_env = "gnu")
    ),
    path = "pointer_key.rs"
)]
mod pointer;
mod stats;
mod sums;
pub(crate) mod thread_counters;

pub(crate) use blocks::Blocks;
pub(crate) use counts::{AtomicCounts, Counts, HUGE};
pub(crate) use current::{ignored, ignored_allocs, AtWork};
pub(crate) use event::{Event, EventKind};
pub(crate) use stats::Above;
pub use stats::AllocStats;
pub(crate) use sums::Sums;
pub(crate) use thread_counters::{Registration, ThreadCounters, Word};
