// Cold: the interface of the crate dhat, and the files that its viewer opens.
//
// - `profiler`: the guard that users hold, and its builder; `running`: the profile that it stands
//   for;
// - `stats`: the numbers of the running profile; `assert`: assertions about them;
// - `sums`: what all points of a heap profile come to; `ad_hoc`: what events of the user's do.

//! Heap profiles for DHAT's viewer, and the interface of the crate
//! [dhat](https://docs.rs/dhat/0.3.3) to make them: `use mod_alloc::dhat;` takes the place of the
//! crate. Needs the feature `dhat-compat`.
//!
//! ```no_run
//! use mod_alloc::dhat;
//!
//! #[global_allocator]
//! static ALLOC: dhat::Alloc = dhat::Alloc;
//!
//! fn main() {
//!     let _profiler = dhat::Profiler::new_heap();
//!     println!("Hello, world!");
//! }
//! ```
//!
//! Write that `use` in each module that names `dhat`, and take the crate out of `Cargo.toml`: code
//! that still reaches the crate itself profiles nothing.
//!
//! When the profiler is dropped, it writes `dhat-heap.json`, which [DHAT's
//! viewer](https://nnethercote.github.io/dh_view/dh_view.html) opens, and prints a summary to
//! stderr:
//!
//! ```text
//! dhat: Total:     1,024 bytes in 1 blocks
//! dhat: At t-gmax: 1,024 bytes in 1 blocks
//! dhat: At t-end:  1,024 bytes in 1 blocks
//! dhat: The data has been saved to dhat-heap.json, and is viewable with dhat/dh_view.html
//! ```
//!
//! A program point is a stack that allocates. For each, the file has the blocks and bytes
//! allocated, their lifetimes, the most that were live at a time, and how many were live at the end
//! and when the whole program had the most bytes (`t-gmax`). Functions have files and lines with
//! debug information, which release builds have with `debug = 1` or `debug = "line-tables-only"` in
//! the profile.
//!
//! # Tests of heap usage
//! ```
//! # #[global_allocator] static ALLOC: mod_alloc::dhat::Alloc = mod_alloc::dhat::Alloc;
//! use mod_alloc::dhat;
//!
//! let _profiler = dhat::Profiler::builder().testing().build();
//! let kept = std::hint::black_box(vec![1_u32, 2, 3]);
//! drop(std::hint::black_box(vec![0_u8; 100]));
//!
//! let stats = dhat::HeapStats::get();
//! dhat::assert_eq!(stats.total_blocks, 2);
//! dhat::assert_eq!(stats.max_bytes, 112);
//! dhat::assert_eq!(stats.curr_bytes, 12);
//! # drop(kept);
//! ```
//!
//! The profile is saved when an assertion fails. All threads of the process are in it, and there is
//! one profiler at a time, so such a test must be alone in its binary.
//! [`alloc_budget`](crate::alloc_budget) and [`Budget`](crate::Budget) need none of that.
//!
//! # Ad hoc profiles
//! Events of the user's own, with a weight each, in place of allocations. They need no allocator.
//!
//! ```no_run
//! use mod_alloc::dhat;
//!
//! let _profiler = dhat::Profiler::new_ad_hoc();
//! for length in [3, 5] {
//!     dhat::ad_hoc_event(length); // 2 events, 8 units, in `dhat-ad-hoc.json`
//! }
//! ```
//!
//! # Differences from dhat 0.3.3
//!
//! - A heap profiler where the allocator is not installed: panics, with the lines to add. With
//!   dhat, all numbers are 0.
//! - The lifetime of a block that was reallocated: from its allocation, as in Valgrind's DHAT. With
//!   dhat, from the last reallocation.
//! - What an assertion's condition allocates: is counted. With dhat, it is not.
//! - [`HeapStats::get`] in an assertion's condition: works. With dhat, it panics.
//! - The operands of [`assert_eq!`] and [`assert_ne!`]: are evaluated once. With dhat, again for
//!   the message.
//! - While several threads allocate: totals and current numbers are exact once no thread allocates.
//!   Maxima, and what was live at them, may miss what another thread did at that moment. With dhat,
//!   all are exact.
//! - A profiler, a builder or statistics that nobody uses: are a warning.
//! - The file: is written to a temporary file, which is then renamed. With dhat, it is written in
//!   place.
//! - Program points that read the same once they are trimmed: are one point. Their maxima are
//!   added, so `mb` may be too high. With dhat, they are two points, which the viewer refuses.
//! - What the panics of this interface allocate: is counted, if they are caught. With dhat, it is
//!   not.
//! - The limit on the frames of a stack, which includes frames of the allocator: of a zeroed
//!   allocation, and in optimised builds, more of the program's may be left than with dhat, by one
//!   or two.
//! - The outer ends of stacks, if the first block was allocated by another thread than the
//!   profiler's: are left out as ever. With dhat, all are shown.
//! - Stacks deeper than 512 functions: the innermost 512 are shown. With dhat, all.
//! - Names and lines: are looked up by the standard library, so closures and generics may read
//!   differently. With dhat, by the crate backtrace.
//! - Targets without call sites (see [the crate](crate#where-it-runs)): numbers, at one program
//!   point `[not attributed]`. With dhat, stacks.
//! - More blocks than the table has room for, which is 16 million: are in the totals alone. The
//!   summary says how many.

mod ad_hoc;
pub(crate) mod assert;
mod profiler;
mod running;
mod stats;
mod sums;

/// Asserts that a condition holds, as [`core::assert!`] does. If it does not, the profile is saved
/// first.
///
/// ```should_panic
/// # #[global_allocator] static ALLOC: mod_alloc::dhat::Alloc = mod_alloc::dhat::Alloc;
/// # let file = std::env::temp_dir().join(format!("mod-alloc-doc-{}.json", std::process::id()));
/// use mod_alloc::dhat;
///
/// let _profiler = dhat::Profiler::builder().testing().file_name(&file).build();
/// let word = std::hint::black_box(String::from("word"));
/// let stats = dhat::HeapStats::get();
/// dhat::assert!(stats.total_bytes < 10);
/// # struct Removed(std::path::PathBuf);
/// # impl Drop for Removed { fn drop(&mut self) { std::fs::remove_file(&self.0).unwrap() } }
/// # let _removed = Removed(file);
/// dhat::assert!(stats.total_blocks == 2, "one for {word:?}, and ..");
/// ```
///
/// # Panics
/// If it does not hold. If no [`Profiler`] is running, if it is not one for
/// [testing](ProfilerBuilder::testing), or if another assertion has failed before.
#[doc(inline)]
pub use crate::__dhat_assert as assert;
/// Asserts that two values are equal, as [`core::assert_eq!`] does. If they are not, the profile is
/// saved first.
///
/// # Panics
/// As [`assert!`].
#[doc(inline)]
pub use crate::__dhat_assert_eq as assert_eq;
/// Asserts that two values are not equal, as [`core::assert_ne!`] does. If they are, the profile is
/// saved first.
///
/// # Panics
/// As [`assert!`].
#[doc(inline)]
pub use crate::__dhat_assert_ne as assert_ne;
pub use profiler::{Profiler, ProfilerBuilder};
pub use stats::{AdHocStats, HeapStats};

use crate::counters;
use crate::threads;
use crate::ModAlloc;
use running::{with_phase, Counted, Phase, Running, LOST_IN_FORK};

/// The allocator, under dhat's name.
pub type Alloc = ModAlloc;

/// The allocator, so that `static ALLOC: dhat::Alloc = dhat::Alloc;` installs it.
#[allow(non_upper_case_globals)]
pub const Alloc: ModAlloc = ModAlloc::new();

/// Counts an event, if an ad hoc [`Profiler`] is running. What `weight` means is up to the user; it
/// is 1 where it means nothing.
// Here, so that its name in the viewer is the one that the user wrote.
#[inline(never)]
pub fn ad_hoc_event(weight: usize) {
    let is_running = |phase: &mut Phase| matches!(phase, Phase::Running(r) if r.settings.is_ad_hoc);
    match counters::ignored(|at_work| with_phase(at_work, is_running)) {
        Some(true) => {}
        Some(false) => return,
        None => panic!("dhat: counting an event: {LOST_IN_FORK}"),
    }
    let stack = threads::stack_here();
    counters::ignored(|at_work| {
        with_phase(at_work, |phase| {
            if let Phase::Running(Running { counted: Counted::AdHoc(events), .. }) = phase {
                events.count(stack, weight);
            }
        })
    });
}
