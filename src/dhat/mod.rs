// Cold: the interface of the crate dhat, and the files that its viewer opens.

//! Heap profiles for DHAT's viewer, and the interface of the crate [dhat](https://docs.rs/dhat/0.3.3) to make them: `use
//! mod_alloc::dhat;` takes the place of the crate. Needs the feature `dhat-compat`.
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
//! In each module that names `dhat`, that is, and with the crate taken out of `Cargo.toml`: what still reaches the crate counts nothing here.
//!
//! When the profiler is dropped, it writes `dhat-heap.json`, to be opened in [DHAT's viewer](https://nnethercote.github.io/dh_view/dh_view.html),
//! and prints a summary to stderr:
//!
//! ```text
//! dhat: Total:     1,024 bytes in 1 blocks
//! dhat: At t-gmax: 1,024 bytes in 1 blocks
//! dhat: At t-end:  1,024 bytes in 1 blocks
//! dhat: The data has been saved to dhat-heap.json, and is viewable with dhat/dh_view.html
//! ```
//!
//! For each program point, a stack that allocates, the file has: the blocks and bytes allocated, their lifetimes, the most that were
//! live at a time, and how many were live when the whole program had the most bytes (`t-gmax`) and at the end. Functions have files and lines with
//! debug information, which release builds have with `debug = 1` or `debug = "line-tables-only"` in the profile.
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
//! The profile is saved when an assertion fails. All threads of the process are in it, and there is one profiler at a time: such a test must
//! be alone in its binary. [`alloc_budget`](crate::alloc_budget) and [`Budget`](crate::Budget) need none of that.
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
//! # Differences to dhat 0.3.3
//!
//! | | dhat | here |
//! |---|---|---|
//! | a heap profiler, but the allocator is not installed | all numbers are 0 | panics, with the lines to add |
//! | lifetime of a block that was reallocated | from the last reallocation | from its allocation, as in Valgrind's DHAT |
//! | what an assertion's condition allocates | is not counted | is counted |
//! | [`HeapStats::get`] in an assertion's condition | panics | works |
//! | operands of [`assert_eq!`], [`assert_ne!`] | evaluated again for the message | evaluated once |
//! | while several threads allocate | exact | totals and current numbers exact once no thread allocates; maxima, and what was live at them, may miss what another thread did at that moment |
//! | warnings | | a profiler, a builder or statistics that nobody uses are one |
//! | the file | written in place | written to a temporary file, and renamed |
//! | points that read the same once they are trimmed | two points, which the viewer refuses | one point: their maxima are added, so `mb` may be too high |
//! | what the panics of this interface allocate | is not counted | is counted, if they are caught |
//! | frames of a stack, where there is a limit | the allocator's own count | of a zeroed allocation, and in optimised builds, up to one more is left |
//! | outer ends of stacks, if the first block was another thread's than the profiler | all shown | as otherwise |
//! | stacks deeper than 512 functions | all of them | the innermost 512 |
//! | names and lines | looked up by the crate backtrace | looked up by the standard library: closures and generics may read differently |
//! | targets without call sites (all but x86_64 Linux) | stacks | numbers, at one program point `[not attributed]` |
//! | more blocks than the table has room for (16 million) | | in the totals alone; the summary says how many |

mod ad_hoc;
pub(crate) mod assert;
mod profiler;
mod running;
mod stats;
mod sums;

/// Asserts that a condition holds, as [`core::assert!`] does; if it does not, the profile is saved first.
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
/// If it does not hold; and if no [`Profiler`] is running, if it is not one for [testing](ProfilerBuilder::testing), or if another assertion has
/// failed before.
#[doc(inline)]
pub use crate::__dhat_assert as assert;
/// Asserts that two values are equal, as [`core::assert_eq!`] does; if they are not, the profile is saved first.
///
/// # Panics
/// As [`assert!`].
#[doc(inline)]
pub use crate::__dhat_assert_eq as assert_eq;
/// Asserts that two values are not equal, as [`core::assert_ne!`] does; if they are, the profile is saved first.
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

/// Counts an event, if an ad hoc [`Profiler`] is running. What `weight` means is the user's business; 1, if nothing.
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
