//! Hot: what the library has from the system itself, past the allocator that it counts: memory, and
//! containers in it.
//!
//! - [`pages`], and [`memory`] made of them; [`mod@vec`] and [`stable_vec`]: arrays in it;
//! - [`link`]: leads to what lives for ever; [`pool`]: a list of things that are lent and given
//!   back; [`stable_set`]: a set that only grows;
//! - `AtomicI64` and `AtomicU64`, which are std's, or those of `atomic64`; [`relaxed_word`]: loads
//!   and stores of atomics, cheap in debug builds, too; [`futex`]: waits for one to change;
//! - [`own_flag`]: by which a thread and its signal handlers tell each other something;
//! - [`mod@prefetch`]: loads memory ahead of its use; [`mod@processor_ticks`]: a clock;
//!   [`stderr`]: says a word there; [`mod@trap`]: stops in a debugger;
//! - [`mod@thread_word`] and [`thread_key`]: words that each thread has its own of;
//! - [`mod@asm_symbol`]: the names of what is written in assembly;
//! - `loader`, `process`, `threads`, `unwinder`, of Unix, `apple`, and `win32`: its functions, each
//!   declared once.

// Much of it is for walks and symbols: there is nothing idle where they are and this is checked.
#![cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    allow(dead_code, unused_imports, unused_macros)
)]

#[cfg(target_vendor = "apple")]
pub(crate) mod apple;
mod asm_symbol;
#[cfg(any(test, not(target_has_atomic = "64")))]
mod atomic64;
pub(crate) mod futex;
#[cfg(test)]
pub(crate) mod headers;
mod link;
#[cfg(unix)]
pub(crate) mod loader;
pub(crate) mod memory;
mod own_flag;
// Where a signal handler may ask the system for pages.
#[cfg_attr(
    all(
        any(
            all(
                target_os = "linux",
                any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
            ),
            target_vendor = "apple"
        ),
        not(miri)
    ),
    path = "mapped_pages.rs"
)]
pub(crate) mod pages;
mod pool;
mod prefetch;
#[cfg(unix)]
pub(crate) mod process;
mod processor_ticks;
#[cfg(test)]
pub(crate) mod random_tests;
mod relaxed_word;
mod stable_set;
mod stable_vec;
pub(crate) mod stderr;
#[cfg(any(unix, all(windows, target_env = "gnu")))]
mod thread_key;
// Where `thread_local!` is made of keys of the system. So it is in `counters`, too.
#[cfg_attr(
    any(
        target_os = "android",
        target_os = "openbsd",
        target_os = "illumos",
        target_os = "solaris",
        all(windows, target_env = "gnu")
    ),
    path = "keyed_word.rs"
)]
mod thread_word;
#[cfg(unix)]
pub(crate) mod threads;
mod trap;
#[cfg(unix)]
pub(crate) mod unwinder;
mod vec;
#[cfg(windows)]
pub(crate) mod win32;

pub(crate) use asm_symbol::asm_symbol;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) use atomic64::{AtomicI64, AtomicU64};
pub(crate) use link::Link;
pub(crate) use own_flag::OwnFlag;
pub(crate) use pool::{Links, Pool, Pooled};
pub(crate) use prefetch::prefetch;
pub(crate) use processor_ticks::processor_ticks;
pub(crate) use relaxed_word::RelaxedWord;
pub(crate) use stable_set::{Member, StableSet};
pub(crate) use stable_vec::StableVec;
#[cfg(target_has_atomic = "64")]
pub(crate) use std::sync::atomic::{AtomicI64, AtomicU64};
#[cfg(any(unix, all(windows, target_env = "gnu")))]
pub(crate) use thread_key::ThreadKey;
pub(crate) use thread_word::thread_word;
#[cfg(any(
    target_os = "android",
    target_os = "openbsd",
    target_os = "illumos",
    target_os = "solaris",
    all(windows, target_env = "gnu")
))]
pub(crate) use thread_word::ThreadWord;
pub(crate) use trap::trap;
pub(crate) use vec::{OutOfMemory, SystemVec};
