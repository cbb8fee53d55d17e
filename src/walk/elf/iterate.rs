//! Hot: asks `dl_iterate_phdr`, of any C library: for the module of an address, where nothing
//! better answers, and for the number of modules that have been unloaded.
//!
//! It takes a lock of the loader, which is held briefly, never while code of a library runs, and
//! which a thread may take again.
//!
//! Relies on: the manual of `dl_iterate_phdr`: what a callback is shown can be read during the
//! call.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::mem::size_of;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

use super::module::{Module, Place};
use super::segment::{segment_at, EH_FRAME, LOAD};
use crate::sys::loader::{dl_iterate_phdr, Info, ProgramHeader};
use crate::walk::target::common::rule_table;
use crate::walk::target::forks;
use crate::walk::target::weak::FORK_LEAVES_LOCK;

/// Asks the loader for each module in turn.
pub(super) fn find(pc: usize) -> Option<Module> {
    struct Search {
        pc: usize,
        module: Option<Module>,
    }

    extern "C" fn visit(info: *const Info, size: usize, search: *mut c_void) -> c_int {
        // SAFETY: the loader's description of a module, readable during this call.
        let info = unsafe { &*info };
        // SAFETY: the argument is `search` below, which nobody else uses now.
        let search = unsafe { &mut *search.cast::<Search>() };
        // SAFETY: so many headers lie there, for as long as the module is loaded.
        let headers =
            unsafe { std::slice::from_raw_parts(info.headers, usize::from(info.header_count)) };
        let range = |header: &ProgramHeader| {
            let start = info.bias.wrapping_add(header.address as usize);
            (start, start.wrapping_add(header.memory_size as usize))
        };
        let loads = || headers.iter().filter(|header| header.kind == LOAD).map(range);
        if !loads().any(|(start, end)| start <= search.pc && search.pc < end) {
            return 0;
        }
        if size >= size_of::<Info>() {
            check_unloaded(info.unloaded);
        }
        search.module = (|| {
            let header = headers.iter().find(|header| header.kind == EH_FRAME).map(range)?.0;
            // SAFETY: code of the module runs in this thread, so it stays loaded.
            let segment = unsafe { segment_at(header, headers, info.bias) }?;
            let place = Place {
                start: loads().map(|(start, _)| start).min()?,
                end: loads().map(|(_, end)| end).max()?,
                header,
                description: info.headers as usize,
            };
            Some(Module::new(place, segment))
        })();
        1
    }

    if is_lock_left_locked() {
        return None;
    }
    let mut search = Search { pc, module: None };
    // SAFETY: `visit` takes what it is given here, and does not unwind.
    unsafe { dl_iterate_phdr(visit, (&mut search as *mut Search).cast()) };
    search.module
}

/// The loader's count of unloaded modules up to which the rules were flushed.
static UNLOADED: AtomicU64 = AtomicU64::new(0);

fn check_unloaded(unloaded: u64) {
    if UNLOADED.load(Acquire) != unloaded {
        // Noted afterwards: until then every thread that looks flushes for itself, so none goes on
        // with old rules.
        rule_table::flush();
        UNLOADED.store(unloaded, Release);
    }
}

/// Whether `dl_iterate_phdr` may wait for ever.
fn is_lock_left_locked() -> bool {
    FORK_LEAVES_LOCK && forks::is_forked()
}

/// Drops the rules if a module was unloaded since the last time. ~100 ns.
#[cold]
pub(super) fn flush_if_unloaded() {
    extern "C" fn visit(info: *const Info, size: usize, _: *mut c_void) -> c_int {
        if size >= size_of::<Info>() {
            // SAFETY: the loader's description of a module, readable during this call.
            check_unloaded(unsafe { (*info).unloaded });
        }
        1 // The first module tells it.
    }

    // Without this, a module that is replaced is still found at a miss.
    if is_lock_left_locked() {
        return;
    }
    // SAFETY: `visit` takes any argument, and does not unwind.
    unsafe { dl_iterate_phdr(visit, std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_ask_again_is_harmless() {
        for _ in 0..3 {
            flush_if_unloaded();
        }
        assert!(!forks::is_forked());
    }
}
