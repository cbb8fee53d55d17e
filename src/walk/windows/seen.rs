//! Hot: the modules that rules were taken from. One that has gone leaves its rules behind, and
//! another may come to lie at its addresses: then all rules are forgotten.
//!
//! They are looked at when a scope opens ([`prepare`]), and when a return address is met in a
//! module that is new. One case goes unnoticed: a module is replaced by one with the same stamp,
//! checksum and size, or within a scope, and of the new one only return addresses are met that the
//! old one had, too.
//!
//! Relies on: the loader, which never unloads what it has loaded for Windows itself.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::module::Module;
use crate::sys::win32::{memory_at, GetModuleHandleA};
use crate::walk::target::common::rule_table;

/// A module that may be unloaded. Two words that are written one after the other: whoever reads in
/// between sees a module that never was, and forgets rules once more than needed.
struct Seen {
    /// 0: none.
    start: AtomicUsize,
    identity: AtomicU64,
}

/// Modules past so many are not watched.
static SEEN: [Seen; 256] = {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each place.
    const NONE: Seen = Seen { start: AtomicUsize::new(0), identity: AtomicU64::new(0) };
    [NONE; 256]
};

static HAS_SEEN: AtomicBool = AtomicBool::new(false);

/// Of the system, and of the compilers' runtime: whoever has loaded them keeps them.
const LIBRARIES: [&[u8]; 6] = [
    b"ntdll.dll\0",
    b"kernel32.dll\0",
    b"kernelbase.dll\0",
    b"ucrtbase.dll\0",
    b"msvcrt.dll\0",
    b"vcruntime140.dll\0",
];

/// Where those modules begin that are never unloaded while this code runs: its own and these. 0
/// for one that is not there, and before [`prepare`].
static OWN: AtomicUsize = AtomicUsize::new(0);
static STAYING: [AtomicUsize; LIBRARIES.len()] = {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each place.
    const NONE: AtomicUsize = AtomicUsize::new(0);
    [NONE; LIBRARIES.len()]
};

/// To be called when a recording scope opens, outside of the allocator: forgets the rules if a
/// module has gone. A microsecond for each module that may; mostly there is none.
#[inline]
pub(crate) fn prepare() {
    if OWN.load(Relaxed) == 0 {
        find_staying();
    }
    if HAS_SEEN.load(Relaxed) {
        check_all();
    }
}

#[cold]
#[inline(never)]
fn find_staying() {
    for (staying, name) in STAYING.iter().zip(LIBRARIES) {
        // SAFETY: a name, with a zero at its end.
        let library = unsafe { GetModuleHandleA(name.as_ptr().cast()) };
        staying.store(library as usize, Relaxed);
    }
    let own = memory_at(find_staying as *const () as usize);
    OWN.store(own.map_or(0, |memory| memory.allocation), Relaxed);
}

/// Whether the module that begins here is never unloaded while this code runs.
pub(crate) fn stays(start: usize) -> bool {
    OWN.load(Relaxed) == start || STAYING.iter().any(|staying| staying.load(Relaxed) == start)
}

/// A rule is about to be taken from this module.
pub(super) fn note(module: &Module) {
    if stays(module.start) {
        return;
    }
    let is_this = |seen: &Seen| {
        seen.start.load(Relaxed) == module.start
            && seen.identity.load(Relaxed) == module.headers.identity
    };
    if SEEN.iter().any(is_this) {
        return;
    }
    HAS_SEEN.store(true, Relaxed);
    check_all();
    for seen in &SEEN {
        if seen.start.compare_exchange(0, module.start, Relaxed, Relaxed).is_ok() {
            seen.identity.store(module.headers.identity, Relaxed);
            break;
        }
    }
}

/// Forgets the modules that have gone, and if there are any, the rules.
#[cold]
#[inline(never)]
fn check_all() {
    let mut has_any_gone = false;
    for seen in &SEEN {
        let start = seen.start.load(Relaxed);
        if start == 0 {
            continue;
        }
        let now = Module::at(start).filter(|module| module.start == start);
        let identity = seen.identity.load(Relaxed);
        if !now.is_some_and(|module| module.headers.identity == identity) {
            has_any_gone = true;
            seen.start.store(0, Relaxed);
        }
    }
    if has_any_gone {
        rule_table::flush();
    }
}
