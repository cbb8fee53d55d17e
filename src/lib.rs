// Cold: the crate's front page. Documentation and re-exports; no logic.

//! Allocation budgets for tests: say how much a piece of code may allocate, and the test fails when
//! it allocates more. The [guide] leads from the first budget to each task, with examples to copy.
//!
//! ```no_run
//! use mod_alloc::{alloc_budget, ModAlloc};
//!
//! // Once in each test binary: at the root of the crate for unit tests, at the top of each
//! // integration test.
//! #[global_allocator]
//! static GLOBAL: ModAlloc = ModAlloc::new();
//!
//! #[alloc_budget(max = 1)]
//! #[test]
//! fn joining_allocates_once() {
//!     assert_eq!(["a", "b"].concat(), "ab");
//! }
//! # fn main() {}
//! ```
//!
//! What is counted is the thread that runs the code, and those that the code attaches to it. So
//! budgets hold in parallel tests, whatever the other tests and the harness allocate. The numbers
//! are exact, in debug and in release builds, and the allocator costs some fifteen instructions an
//! event.
//!
//! # What to use
//!
//! | to | use |
//! |---|---|
//! | hold a test, or any function, to a budget | [`#[alloc_budget]`](alloc_budget) |
//! | hold a test to what it allocated last | [`#[alloc_budget(recorded)]`](Budget::recorded) |
//! | hold a block to a budget | [`assert_allocs!`], [`assert_no_alloc!`] |
//! | compute limits, or get a `Result` | [`Budget`], [`Exceeded`] |
//! | hold a future to a budget | [`Budget::check_future`] |
//! | count worker threads, jobs and tasks too | [`AllocScope::current`], [`ScopeHandle`] |
//! | see that memory grows no faster than the input | [`assert_growth!`], [`Growth`] |
//! | find leaks | [`Budget::max_retained`] |
//! | repeat, after a warm-up | [`Budget::warmup`], [`Budget::runs`] |
//! | count without asserting | [`AllocScope`], [`measure`] |
//! | see which lines allocate | [`AllocScope::with_call_sites`], [`CallSites`] |
//! | see what changed between two recordings | [`CallSites::diff`] |
//! | see what was live at the peak | [`AllocScope::with_heap_profile`] |
//! | see a heap profile in DHAT's viewer | `dhat::Profiler`, `CallSites::to_dhat_json` |
//! | leave something out of the count | [`uncounted`]; [`permit`], which says why |
//! | count the whole process | [`Profiler`], [`ModAlloc::snapshot`] |
//! | see which lines of the process allocate | [`Profiler::with_call_sites`] |
//! | count around another allocator | [`ModAlloc::with`] |
//!
//! # What is counted
//!
//! Calls of the global allocator. Each `alloc`, `alloc_zeroed` and `realloc` is one allocation
//! event; the table at [`AllocStats`] says which number each of them moves. Values of size zero,
//! `mmap`, the stack, and what C code gets from `malloc` are not seen.
//!
//! - A scope counts its own thread, and those that are attached to it by a [`ScopeHandle`]. What
//!   other threads allocate, on its behalf or not, is not in it.
//! - While a budget is open, threads and tasks that are not attached may allocate, too. A broken
//!   budget's report says how often they did, if no other test runs at the same time
//!   (`--test-threads=1`, nextest, or a program of its own). With the environment variable
//!   `MOD_ALLOC_REPORT=1` (`0` is the default) budgets that hold say it as well, on stderr. The
//!   number is a hint: threads that work for something else are in it. Beside other tests a broken
//!   budget says only whether its code starts threads.
//! - Blocks from before the scope that are freed within take its current bytes below zero.
//! - What the library allocates for itself counts nowhere.
//! - What a panic allocates on the thread counts like anything else.
//! - In release builds the compiler may leave out an allocation whose block nobody looks at; then
//!   it is not counted. Where `exact` or `min` must hold in both profiles, pass the value through
//!   [`std::hint::black_box`].
//! - A scope, budget or profiler in a binary without `ModAlloc` panics with the lines to add:
//!   nothing passes because nothing was counted. It also panics, with the reason, where the
//!   standard library is linked dynamically (`-C prefer-dynamic`, or a dependency with `crate-type
//!   = ["dylib"]`): what that allocates does not reach the `#[global_allocator]`.
//!
//! # Call sites
//!
//! A broken budget names the lines that allocated, in a plain `cargo test`: no flags, no frame
//! pointers, no nightly.
//!
//! - While a budget or a recording scope is open, the stack of each allocation is walked, by the
//!   tables that compilers write for exceptions. This takes 60 to 160 ns an allocation in release
//!   builds, and some 600 in debug builds. Elsewhere it takes nothing.
//! - Names and lines are looked up when a report is made, by the standard library. A test that
//!   passes never pays for them. The first report of a process takes a tenth of a second.
//! - Files and lines need debug information, which test builds have. In release builds set `debug =
//!   "line-tables-only"` in the profile, and no `strip`. Without it the report says so, and which
//!   profile that is. Doc tests have it with `RUSTDOCFLAGS=-Cdebuginfo=1`; their lines are counted
//!   from the start of the test, as rustc sees it.
//! - The environment variable `MOD_ALLOC_BACKTRACE` says how much a broken budget shows: `short`
//!   (the default), `full` for every frame of every site, or `off`, which does not record at all.
//!   Anything else is an error.
//! - In a terminal the report of a test that fails is coloured. `MOD_ALLOC_COLOR=always` or
//!   `never` decides it; `auto`, the default, goes by `NO_COLOR`, by `CI`, where reports are plain,
//!   by `CARGO_TERM_COLOR`, and then by whether stdout and stderr are a terminal. The text of the
//!   panic is plain in any case, for `#[should_panic]` and whoever catches it, and so are
//!   [`Exceeded`] and files. A coloured report is not printed by a panic hook: a hook of your own
//!   is not called for it. `never` leaves every report to it.
//! - With `MOD_ALLOC_BREAK=1` the process stops (SIGTRAP) at the first allocation past a budget,
//!   with the stack still standing: run the test in a debugger.
//! - With `MOD_ALLOC_DHAT=DIR` and the feature `dhat-compat`, a broken budget also writes a heap
//!   profile of its code into that folder, for DHAT's viewer: `PACKAGE-BINARY-FUNCTION.json`, then
//!   `-2` and so on. It is written when the report is shown, which says where it is. While the
//!   variable is set, every budget records, also with `call_sites = false` or
//!   `MOD_ALLOC_BACKTRACE=off`.
//! - The "at t-gmax" of that profile may be less than the "peak bytes" of the report. The report
//!   takes what was allocated minus what was freed on the threads that count. The profile follows
//!   each block: one that another thread frees is gone from it.
//! - With `GITHUB_ACTIONS=true` a broken budget also prints an annotation on stderr, for the line
//!   that allocates most.
//! - A library that is unloaded while a scope records is noticed when another one takes its place,
//!   or by the next scope.
//! - Without the feature `backtraces`, which is on by default, there are counters and budgets
//!   alone. So it is under Miri and on targets other than Linux and macOS on x86_64 and aarch64 and
//!   Windows on x86_64: budgets hold as ever, and the report says that call sites are not
//!   available.
//! - On macOS, stacks other than those that threads begin with, as those of coroutines, have no
//!   call sites.
//! - Windows runs the destructors of thread-locals under a lock that a new thread waits for. A
//!   report is made on one, so in such a destructor it has no names.
//!
//! # Beside the report
//!
//! - `MOD_ALLOC_REPORT=FILE` appends a line of JSON for every budget that was checked, held or
//!   broken; the page CI of the guide has what is in it. The name of a file has a `.` or a `/` in
//!   it. A relative one is below the package that is tested, for Cargo runs tests there.
//! - `MOD_ALLOC_ON_BREAK=warn` prints the report of a broken budget on stderr, once for each place,
//!   and the program goes on; `panic` is the default. It is for programs that run with budgets.
//!   [`Budget::check`] and the like return the error either way.
//!
//! # When something is wrong
//!
//! [Troubleshooting](guide::troubleshooting) explains each message of the library and each error of
//! the compiler.
//!
//! # Features
//!
//! - `backtraces`, on by default: call sites, and what was live at the peak.
//! - `dhat-compat`: the module `dhat`, which takes the place of the crate of that name;
//!   `CallSites::to_dhat_json`; `MOD_ALLOC_DHAT`.
//!
//! Features only add. A scope, a profiler or a budget does the same with `dhat-compat` as without,
//! but that a heap profile then also reads the clock, once or twice a block, for the lifetimes.
//!
//! # Where it runs
//!
//! Rust 1.75 or later, without other packages. It is tested on x86_64 Linux with glibc, where 2.18
//! is needed, and in static programs with musl; on aarch64 Linux in an emulator (qemu); and on
//! x86_64 Windows, with the GNU tools and under wine. The code for macOS, of both processors, is
//! type-checked, and what it reads and lays out is tested on tables of real programs; it has not
//! run on a Mac. Programs of 32 bits (i686 Linux) are tested as well, and those of a big-endian
//! processor (s390x, in an emulator). The code for Windows with Microsoft's tools and for other
//! systems is compiled, and has not been run.

// docs.rs says of each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
// What only call sites use lies idle without them; Miri walks no stacks.
#![cfg_attr(
    any(miri, not(feature = "backtraces")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod allocator;
mod blocks;
mod budget;
#[cfg(feature = "backtraces")]
mod call_sites;
mod counters;
#[cfg(feature = "dhat-compat")]
pub mod dhat;
#[cfg(feature = "dhat-compat")]
mod dhat_file;
mod files;
mod growth;
#[cfg(any(doc, doctest))]
pub mod guide;
mod ignored;
mod index;
mod installed;
mod json;
mod macros;
mod number;
mod open_scopes;
mod pinned;
mod process;
mod reading;
mod refusals;
mod report;
mod room;
mod scope;
mod sort;
mod stacks;
mod styled;
#[cfg(feature = "backtraces")]
mod symbolize;
mod sys;
mod threads;
mod tokens;
mod value;
mod walk;

pub use allocator::ModAlloc;
pub use budget::{Budget, CheckFuture, EnforceFuture, Exceeded, Repeated};
#[cfg(feature = "backtraces")]
pub use call_sites::{CallSites, CallSitesDiff, Change, Frame, Site, SiteChange, SortBy};
pub use counters::AllocStats;
pub use growth::{Growth, Order, Outgrown};
/// Holds a function to an allocation budget.
///
/// ```
/// use mod_alloc::{alloc_budget, ModAlloc};
///
/// #[global_allocator]
/// static GLOBAL: ModAlloc = ModAlloc::new();
///
/// #[alloc_budget(max = lines.len() + 1)]
/// fn owned(lines: &[&str]) -> Vec<String> {
///     lines.iter().map(|line| line.to_string()).collect()
/// }
///
/// fn main() {
///     assert_eq!(owned(&["a", "b"]).len(), 2);
/// }
/// ```
///
pub use mod_alloc_macros::alloc_budget;
pub use process::Profiler;
pub use scope::{measure, permit, uncounted, AllocScope, Attached, Instrumented, ScopeHandle};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(test)]
#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();
