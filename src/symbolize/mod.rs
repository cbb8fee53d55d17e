//! Cold: from return addresses to functions, files and lines, when a report is made. Through the
//! standard library alone, which has all that it takes (debug information, inlined functions,
//! demangling) but symbolises only stacks that it has unwound.
//!
//! In plain words: `layout` writes a stack into memory that unwinds to the addresses in question;
//! `trampoline` has `Backtrace::force_capture()` unwind it; `parse` reads what std prints of it,
//! and `resolve` believes a frame only if the address printed with it is the one that was laid out.
//! What std does not know, or what can't be laid out, gets the name of its file and the offset in
//! it.
//!
//! As in `walk`, a file of `targets` lists for each target what stands beside `common`: the folder
//! of the processor (`x86_64`) has the trampoline, that of the files (`elf`) knows what is loaded,
//! and that of the system (`unix`, `windows`) starts threads.

mod name_parts;
pub(crate) mod names;
mod place;

use crate::counters::AtWork;

// As in `walk`, which says why twice.
#[cfg_attr(
    all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        target_os = "linux",
        any(target_env = "gnu", target_env = "musl"),
        not(miri)
    ),
    path = "targets/x86_64_linux.rs"
)]
#[cfg_attr(
    all(
        target_arch = "aarch64",
        target_pointer_width = "64",
        target_endian = "little",
        target_os = "linux",
        any(target_env = "gnu", target_env = "musl"),
        not(miri)
    ),
    path = "targets/aarch64_linux.rs"
)]
#[cfg_attr(
    all(target_arch = "x86_64", target_pointer_width = "64", windows, not(miri)),
    path = "targets/x86_64_windows.rs"
)]
#[cfg_attr(
    all(target_arch = "x86_64", target_vendor = "apple", not(miri)),
    path = "targets/x86_64_apple.rs"
)]
#[cfg_attr(
    all(target_arch = "aarch64", target_pointer_width = "64", target_vendor = "apple", not(miri)),
    path = "targets/aarch64_apple.rs"
)]
mod target;

pub(crate) use place::{Place, Symbol};

/// One `Place` for each return address, in their order. They are distinct.
///
/// Never panics; at home on a thread with a small stack; waits for nothing but
/// std's own lock on backtraces.
pub(crate) fn symbolize(_: AtWork<'_>, return_addresses: &[usize]) -> Vec<Place> {
    target::resolve(return_addresses)
}

/// Starts a thread for `work`, which never ends. What it allocates counts nowhere, and no signal
/// handler runs on it.
pub(crate) fn start_thread(_: AtWork<'_>, work: fn()) {
    target::start_thread(work);
}
