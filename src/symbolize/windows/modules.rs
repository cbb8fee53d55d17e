//! Cold: `Modules`, the files that the process has loaded, by what the kernel says of an address.
//!
//! Relies on: the kernel, for what is mapped; the loader, which unloads nothing that is held.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use crate::sys::win32::{
    memory_at, FreeLibrary, GetCurrentProcess, GetModuleHandleA, GetModuleHandleExW,
    GetProcAddress, Handle, K32GetMappedFileNameW, MemoryInformation, MEM_IMAGE,
};
use crate::walk::target::tables::{prepare, stays};

/// The protections of code.
const EXECUTABLE: u32 = 0xf0;

/// As much as the system's unwinder reads of the code at an address, to see whether it is an
/// epilogue: eight registers popped, and a return.
const READ_BY_UNWINDER: usize = 32;

/// A call, without its prefixes.
const LONGEST_CALL: usize = 7;

pub(crate) struct Modules {
    /// Those that something was asked of, and that may be unloaded else.
    held: RefCell<Vec<Handle>>,
}

impl Modules {
    /// Where they cannot be asked for.
    pub(crate) fn none() -> Self {
        Self { held: RefCell::new(Vec::new()) }
    }

    pub(crate) fn loaded() -> Self {
        prepare(); // Which of them stay, is asked for there.
        Self::none()
    }

    /// Whether an unwinder may be shown the address: code after a call, to be read at and behind
    /// it. It stays for as long as this is there.
    pub(crate) fn has_code_at(&self, return_address: usize) -> bool {
        // What is told of an address begins with its page: so it is that of the call's beginning.
        let Some(call) = return_address.checked_sub(LONGEST_CALL) else { return false };
        let Some(memory) = image_at(call) else { return false };
        let end = memory.start.saturating_add(memory.size);
        end.saturating_sub(return_address) >= READ_BY_UNWINDER
            && memory.protection & EXECUTABLE != 0
            && is_after_call(return_address)
            && (stays(memory.allocation) || self.hold(return_address, memory.allocation))
    }

    /// Whether the module could be held that begins at `start`.
    fn hold(&self, address: usize, start: usize) -> bool {
        const FROM_ADDRESS: u32 = 4;
        let mut held = self.held.borrow_mut();
        if held.iter().any(|module| *module as usize == start) {
            return true;
        }
        let mut module: Handle = ptr::null_mut();
        // SAFETY: any address may be asked for, and `module` is writable.
        let is_held =
            unsafe { GetModuleHandleExW(FROM_ADDRESS, address as *const c_void, &mut module) } != 0;
        if is_held {
            held.push(module);
        }
        is_held && module as usize == start
    }

    /// Whether the address lies in a file that stays.
    pub(crate) fn stays(&self, address: usize) -> bool {
        image_at(address).is_some_and(|memory| stays(memory.allocation))
    }

    /// Whether std's names of what is there can be of nothing else: it looks once in a process
    /// which files are loaded. When one was unloaded since, another may be in its place.
    pub(crate) fn is_as_std_knows_it(&self, address: usize) -> bool {
        !has_unloaded() || self.stays(address)
    }

    /// The name of the file, and the offset in it. For what belongs to no file, an empty name, and
    /// the address itself.
    pub(crate) fn locate(&self, address: usize) -> (String, usize) {
        match image_at(address) {
            Some(memory) => (name_at(address), address - memory.allocation),
            None => (String::new(), address),
        }
    }
}

/// Whether any module was ever unloaded, as far as the system tells: it keeps a list of the last
/// ones for debuggers.
fn has_unloaded() -> bool {
    type GetList = unsafe extern "system" fn(*mut *mut u32, *mut *mut u32, *mut *mut *mut usize);

    // SAFETY: a name, with a zero at its end.
    let ntdll = unsafe { GetModuleHandleA(b"ntdll.dll\0".as_ptr().cast()) };
    let name = b"RtlGetUnloadEventTraceEx\0".as_ptr().cast();
    // SAFETY: a module that stays, or null; and a name.
    let function = unsafe { GetProcAddress(ntdll, name) };
    if function.is_null() {
        return true;
    }
    // SAFETY: the function of this name has this type.
    let get_list = unsafe { std::mem::transmute::<*const c_void, GetList>(function) };
    let (mut row_bytes, mut rows, mut list) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: all three are writable.
    unsafe { get_list(&mut row_bytes, &mut rows, &mut list) };
    // SAFETY: null, or where the address of the list is.
    let first_row = unsafe { list.as_ref() }.copied().unwrap_or(ptr::null_mut());
    // SAFETY: null, while nothing was unloaded; or a row, which begins with where its module was.
    unsafe { first_row.as_ref() }.is_some_and(|start| *start != 0)
}

/// Whether the bytes before an address in readable code are a call. Where none is, an unwinder may
/// take any bytes for an epilogue, and follow them anywhere.
fn is_after_call(address: usize) -> bool {
    let first = (address - LONGEST_CALL) as *const [u8; LONGEST_CALL];
    // SAFETY: so many bytes before the address are of the same code, as the caller has seen.
    let bytes = unsafe { *first };
    // E8 and a distance of four bytes; or FF, its operand, which has a 2 in it, and what follows.
    let is_near = bytes[LONGEST_CALL - 5] == 0xe8;
    is_near || bytes.windows(2).any(|pair| pair[0] == 0xff && pair[1] & 0x38 == 0x10)
}

impl Drop for Modules {
    fn drop(&mut self) {
        for module in self.held.get_mut() {
            // SAFETY: held by `hold`, once.
            unsafe { FreeLibrary(*module) };
        }
    }
}

fn image_at(address: usize) -> Option<MemoryInformation> {
    memory_at(address).filter(|memory| memory.kind == MEM_IMAGE)
}

/// The last component of the path of the file that is mapped at an address.
fn name_at(address: usize) -> String {
    let mut path = [0; 1024];
    // SAFETY: no arguments.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: there is room for so many.
    let length = unsafe {
        K32GetMappedFileNameW(process, address as *const c_void, path.as_mut_ptr(), 1024)
    };
    let path = String::from_utf16_lossy(path.get(..length as usize).unwrap_or_default());
    path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned()
}
