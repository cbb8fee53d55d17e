//! Call sites: each allocation is reported at its own file and line, with the lines that called it,
//! in debug and in release builds. The numbers of the sites are those of the scope.
//!
//! Expected lines are never written down: `at!` notes the line that it stands on, and runs the code
//! that stands there.
#![cfg(feature = "backtraces")]
#![allow(unsafe_code)]
#![allow(clippy::unit_arg, unused_assignments)] // `at!` takes any expression.

#[cfg(target_os = "linux")]
#[path = "../common/again.rs"]
mod again;
#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
mod counts;
mod diff;
mod dropping;
mod futures;
mod heap_profile;
mod lines;
mod merged;
mod misuse;
#[path = "../common/needs_call_sites.rs"]
mod needs_call_sites;
mod odd_stacks;
#[path = "../common/panics.rs"]
mod panics;
#[path = "../common/part_of.rs"]
mod part_of;
mod places;
mod profilers;
#[path = "../common/random.rs"]
mod random;
mod sums;
#[path = "../common/waker.rs"]
mod waker;

use mod_alloc::ModAlloc;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();
