//! Cold: from return addresses to functions, files and lines, when a report is made. Through the
//! standard library alone, which has all that it takes (debug information, inlined functions,
//! demangling) but symbolises only stacks that it has unwound.
//!
//! In plain words: `layout` writes a stack into memory that unwinds to the addresses in question;
//! `trampoline` has `Backtrace::force_capture()` unwind it; `parse` reads what std prints of it,
//! and `resolve` believes a frame only if the address printed with it is the one that was laid out.
//! What std does not know, or what can't be laid out, gets the name of its file and the offset in
//! it.

pub(crate) mod names;

use crate::counters::AtWork;

#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    target_os = "linux",
    any(target_env = "gnu", target_env = "musl"),
    not(miri)
))]
#[path = "x86_64_linux/mod.rs"]
mod imp;

#[cfg(not(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    target_os = "linux",
    any(target_env = "gnu", target_env = "musl"),
    not(miri)
)))]
#[path = "unsupported.rs"]
mod imp;

/// A function, and the place in it. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// As std prints it: demangled, with all that it has of generics, hashes and crate numbers; see
    /// [`names`].
    pub(crate) function: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

/// What is at a return address: where the call before it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Innermost (inlined) function first; never empty.
    Known(Vec<Symbol>),
    /// Name of the file that the address was loaded from, without its folder, and the offset from
    /// where it was loaded. Both are the same in each run. The name is empty, and the offset the
    /// address itself, where no file is loaded.
    Unknown { module: String, offset: usize },
}

/// One `Place` for each return address, in their order.
///
/// Never panics; at home on a thread with a small stack; waits for nothing but
/// std's own lock on backtraces.
pub(crate) fn symbolize(_: AtWork<'_>, return_addresses: &[usize]) -> Vec<Place> {
    imp::resolve(return_addresses)
}
