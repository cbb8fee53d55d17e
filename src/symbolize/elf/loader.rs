//! Cold: what `dl_iterate_phdr` tells of the files that are loaded, and what its lock is good for.
//!
//! glibc unmaps a library under that lock only, so during a callback all that is loaded stays
//! ([`hold`]). musl never unmaps one. To wait in a callback for a thread that waits for the lock is
//! to wait for ever; [`unwinder_is_free_of_loader`] says where the unwinder does not.
//!
//! Relies on: the manual of `dl_iterate_phdr`: what a callback is shown can be read during the
//! call; ELF, by which a file is mapped as its headers say.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void, CStr};
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

pub(super) use crate::sys::loader::Info;
use crate::sys::loader::{dl_iterate_phdr, Callback, ProgramHeader};
use crate::sys::unwinder::_Unwind_FindEnclosingFunction;

/// Shows `visit` each file in turn, the program first, until it returns `true`. It must not unwind.
pub(super) fn visit(mut visit: impl FnMut(&Info) -> bool) {
    extern "C" fn call<F: FnMut(&Info) -> bool>(
        info: *const Info,
        size: usize,
        visit: *mut c_void,
    ) -> c_int {
        if size < std::mem::size_of::<Info>() {
            return 1;
        }
        // SAFETY: `dl_iterate_phdr` hands out an `Info`, valid during the call.
        let info = unsafe { &*info };
        // SAFETY: the `visit` below, of this type, which nobody else uses now.
        let visit = unsafe { &mut *visit.cast::<F>() };
        visit(info).into()
    }

    fn call_of<F: FnMut(&Info) -> bool>(_: &F) -> Callback {
        call::<F>
    }

    let callback = call_of(&visit);
    // SAFETY: the callback takes what it is given here, and does not unwind.
    unsafe { dl_iterate_phdr(callback, (&mut visit as *mut _ as *mut c_void).cast()) };
}

/// Does `work`, which captures a backtrace and does not unwind, while nothing is unloaded; not at
/// all where that cannot be had.
pub(crate) fn hold<R>(mut work: impl FnMut() -> R) -> Option<R> {
    let mut result = None;
    if !unwinder_is_free_of_loader() {
        // Another thread that captures has std's lock and waits for the loader's: to hold that and
        // wait for std's would be for ever.
        return None;
    }
    visit(|_| {
        result = Some(work());
        true
    });
    result
}

/// Whether the system's unwinder finds its tables without the lock: by `_dl_find_object` of glibc
/// 2.35 and later, which a libgcc of those days uses. Its strings tell. An unwinder that is part of
/// this program or library is not looked at.
fn unwinder_is_free_of_loader() -> bool {
    const UNKNOWN: u8 = 2;
    // Not a `OnceLock`: one that another thread was filling at a fork would keep the child waiting
    // for ever.
    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);
    let answer = ANSWER.load(Relaxed);
    if answer != UNKNOWN {
        return answer == 1;
    }
    let here = unwinder_is_free_of_loader as *const () as usize;
    let unwinder = _Unwind_FindEnclosingFunction as *const () as usize;
    let mut is_free = false;
    visit(|info| {
        let is_around = info.mapped().is_some_and(|mapped| mapped.contains(&unwinder));
        if is_around && !info.mapped().is_some_and(|mapped| mapped.contains(&here)) {
            is_free = info.has_string(b"\0_dl_find_object\0");
        }
        is_around
    });
    ANSWER.store(is_free.into(), Relaxed);
    is_free
}

/// An address in the C library.
pub(super) fn of_c_library() -> usize {
    dl_iterate_phdr as *const () as usize
}

/// `Elf64_Dyn`
#[repr(C)]
struct Dynamic {
    tag: i64,
    value: usize,
}

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const EXECUTABLE: u32 = 1;

impl Info {
    /// The path by which it was loaded.
    pub(super) fn name(&self) -> Option<String> {
        if self.name.is_null() {
            return None;
        }
        // SAFETY: the loader's own string; an `Info` is seen by those only that `dl_iterate_phdr`
        // calls.
        let name = unsafe { CStr::from_ptr(self.name) };
        Some(name.to_string_lossy().into_owned())
    }

    /// From the first to the last byte of what is mapped.
    pub(super) fn mapped(&self) -> Option<Range<usize>> {
        let parts = || self.parts(LOAD);
        Some(parts().map(|(part, _)| part.start).min()?..parts().map(|(part, _)| part.end).max()?)
    }

    /// What may be executed.
    pub(super) fn code(&self) -> Vec<Range<usize>> {
        self.parts(LOAD)
            .filter(|(_, flags)| flags & EXECUTABLE != 0)
            .map(|(part, _)| part)
            .collect()
    }

    /// Parts of this kind, and their flags.
    fn parts(&self, kind: u32) -> impl Iterator<Item = (Range<usize>, u32)> + '_ {
        let headers: &[ProgramHeader] = if self.headers.is_null() {
            &[]
        } else {
            // SAFETY: the loader's own array of so many headers, readable as the name is.
            unsafe { std::slice::from_raw_parts(self.headers, self.header_count.into()) }
        };
        headers.iter().filter(move |header| header.kind == kind).map(|header| {
            let start = self.bias.wrapping_add(header.address as usize);
            (start..start.saturating_add(header.memory_size as usize), header.flags)
        })
    }

    /// Whether this is among the strings of the symbols that it has or asks for.
    fn has_string(&self, string: &[u8]) -> bool {
        const STRINGS: i64 = 5;
        const STRINGS_SIZE: i64 = 10;
        let Some((part, _)) = self.parts(DYNAMIC).next() else { return false };
        let count = (part.end - part.start) / std::mem::size_of::<Dynamic>();
        // SAFETY: the loader has mapped the file, whose dynamic section has so many entries.
        let entries = unsafe { std::slice::from_raw_parts(part.start as *const Dynamic, count) };
        let value = |tag: i64| entries.iter().find(|entry| entry.tag == tag).map(|e| e.value);
        let (Some(start), Some(size)) = (value(STRINGS), value(STRINGS_SIZE)) else { return false };
        let is_mapped =
            |mapped: Range<usize>| mapped.contains(&start) && size <= mapped.end - start;
        if !self.mapped().is_some_and(is_mapped) {
            return false;
        }
        // SAFETY: the table of strings, which the loader has made an address; it lies in what is
        // mapped.
        let strings = unsafe { std::slice::from_raw_parts(start as *const u8, size) };
        strings.windows(string.len()).any(|part| part == string)
    }
}

#[cfg(test)]
mod tests {
    use std::backtrace::Backtrace;
    use std::thread;

    use super::{hold, unwinder_is_free_of_loader, visit};

    #[test]
    fn the_work_is_done_once_and_may_look_for_itself() {
        let mut times = 0;
        let seen = hold(|| {
            times += 1;
            let mut files = 0;
            visit(|_| {
                files += 1;
                false
            });
            files
        });
        let expected = usize::from(unwinder_is_free_of_loader());
        assert!(times == expected && seen.map_or(true, |seen| seen > 2), "{times}, {seen:?}");
    }

    #[cfg_attr(target_env = "musl", ignore = "the unwinder is part of the program")]
    #[test]
    fn an_unwinder_that_is_free_of_the_loader_finds_tables_while_another_thread_holds_it() {
        if !unwinder_is_free_of_loader() {
            return;
        }
        // Until std has looked which files are loaded, it needs the loader itself.
        let capture = || Backtrace::force_capture().to_string();
        assert!(!capture().is_empty());
        let is_captured = hold(|| thread::spawn(capture).join().is_ok());
        assert_eq!(is_captured, Some(true));
    }
}
