//! Hot: functions that Apple's systems alone have: those of dyld, the loader, and of threads.
//!
//! Relies on: `mach-o/dyld.h`, `mach-o/dyld_priv.h`, `pthread.h` and `mach/thread_act.h` of Apple's
//! sources, for what they take.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::size_of;

use super::threads::Thread;

/// `struct dyld_unwind_sections`. Addresses, and lengths in bytes.
#[repr(C)]
pub(crate) struct UnwindSections {
    /// The header of the file.
    pub(crate) file: usize,
    pub(crate) eh_frame: *const u8,
    pub(crate) eh_frame_length: usize,
    pub(crate) unwind_info: *const u8,
    pub(crate) unwind_info_length: usize,
}

const _: () = assert!(size_of::<UnwindSections>() == 5 * size_of::<usize>());

extern "C" {
    /// The tables of the file that an address lies in. The system's unwinder calls it.
    pub(crate) fn _dyld_find_unwind_sections(address: usize, found: *mut UnwindSections) -> bool;

    pub(crate) fn _dyld_image_count() -> u32;
    /// Null if there are not so many.
    pub(crate) fn _dyld_get_image_header(image: u32) -> *const u8;
    pub(crate) fn _dyld_get_image_name(image: u32) -> *const c_char;
    pub(crate) fn _dyld_get_image_vmaddr_slide(image: u32) -> usize;
    /// Has `removed` called with the header and the slide of each file that is unloaded.
    pub(crate) fn _dyld_register_func_for_remove_image(removed: extern "C" fn(*const u8, usize));

    /// Where the stack of a thread begins, which is its highest address.
    pub(crate) fn pthread_get_stackaddr_np(thread: Thread) -> usize;
    pub(crate) fn pthread_get_stacksize_np(thread: Thread) -> usize;
    pub(crate) fn pthread_join(thread: Thread, result: *mut *mut c_void) -> c_int;
    /// The thread's port, by which the kernel knows it.
    pub(crate) fn pthread_mach_thread_np(thread: Thread) -> c_uint;
    pub(crate) fn thread_info(
        port: c_uint,
        flavor: c_uint,
        info: *mut [c_int; 10],
        length: *mut c_uint,
    ) -> c_int;
}
