//! Hot: functions of Windows, declared here once, for the walker and for `symbolize`.
//!
//! Relies on: Microsoft's documentation of each; the layouts of 64-bit Windows.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::mem::size_of;

/// `MEMORY_BASIC_INFORMATION`
#[repr(C)]
pub(crate) struct MemoryInformation {
    pub(crate) start: usize,
    /// Of all that was allocated together: of a module, its first byte.
    pub(crate) allocation: usize,
    pub(crate) first_protection: u32,
    pub(crate) partition: u16,
    pub(crate) size: usize,
    pub(crate) state: u32,
    pub(crate) protection: u32,
    pub(crate) kind: u32,
}

const _: () = assert!(size_of::<usize>() != 8 || size_of::<MemoryInformation>() == 48);

impl MemoryInformation {
    pub(crate) const NONE: Self = Self {
        start: 0,
        allocation: 0,
        first_protection: 0,
        partition: 0,
        size: 0,
        state: 0,
        protection: 0,
        kind: 0,
    };
}

/// A file that the loader has mapped.
pub(crate) const MEM_IMAGE: u32 = 0x0100_0000;

/// `HMODULE`, which is the address of the module's first byte; and `HANDLE`.
pub(crate) type Handle = *mut c_void;

extern "system" {
    pub(crate) fn VirtualQuery(
        address: *const c_void,
        information: *mut MemoryInformation,
        size: usize,
    ) -> usize;
    /// Writes the path of the file that is mapped at the address, as the kernel names it; returns
    /// its length, or 0.
    pub(crate) fn K32GetMappedFileNameW(
        process: Handle,
        address: *const c_void,
        path: *mut u16,
        size: u32,
    ) -> u32;
    pub(crate) fn GetCurrentProcess() -> Handle;
    /// Holds the module that an address is in, until it is freed.
    pub(crate) fn GetModuleHandleExW(flags: u32, address: *const c_void, to: *mut Handle) -> i32;
    pub(crate) fn FreeLibrary(module: Handle) -> i32;
    pub(crate) fn RtlLookupFunctionEntry(
        pc: usize,
        image: *mut usize,
        history: *mut c_void,
    ) -> *const c_void;
    pub(crate) fn CreateThread(
        security: *const c_void,
        stack_size: usize,
        start: extern "system" fn(*mut c_void) -> u32,
        argument: *mut c_void,
        flags: u32,
        id: *mut u32,
    ) -> Handle;
    pub(crate) fn WaitForSingleObject(handle: Handle, milliseconds: u32) -> u32;
    /// Times are in units of 100 ns.
    pub(crate) fn GetThreadTimes(
        thread: Handle,
        created: *mut u64,
        ended: *mut u64,
        in_kernel: *mut u64,
        outside: *mut u64,
    ) -> i32;
    pub(crate) fn CloseHandle(handle: Handle) -> i32;
    pub(crate) fn GetLastError() -> u32;
    pub(crate) fn SetLastError(error: u32);
    pub(crate) fn GetModuleHandleA(name: *const c_char) -> Handle;
    pub(crate) fn GetProcAddress(module: Handle, name: *const c_char) -> *const c_void;
}

/// What is known of the pages around an address; `None` where there are none. Takes no lock of the
/// process, and leaves its last error alone, which belongs to the code around an allocation.
pub(crate) fn memory_at(address: usize) -> Option<MemoryInformation> {
    let mut information = MemoryInformation::NONE;
    // SAFETY: no arguments.
    let error = unsafe { GetLastError() };
    let size = size_of::<MemoryInformation>();
    // SAFETY: any address may be asked for, and there is room for the answer.
    let written = unsafe { VirtualQuery(address as *const c_void, &mut information, size) };
    // SAFETY: any number.
    unsafe { SetLastError(error) };
    (written == size).then_some(information)
}
