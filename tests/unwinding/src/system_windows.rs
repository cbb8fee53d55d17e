//! What this program asks of Windows: its unwinder, its loader, and a word on stderr.

use std::ffi::{c_char, c_void, CString};
use std::ptr::null_mut;

use crate::sys::win32::{
    memory_at, FreeLibrary, GetProcAddress, RtlLookupFunctionEntry, MEM_IMAGE,
};

/// `CONTEXT`
#[repr(C, align(16))]
struct Context([u64; 154]);

const RIP: usize = 0xf8 / 8;

extern "system" {
    fn RtlCaptureContext(context: *mut Context);
    fn RtlVirtualUnwind(
        kind: u32,
        image: usize,
        pc: usize,
        function: *const c_void,
        context: *mut Context,
        handler_data: *mut *mut c_void,
        frame: *mut usize,
        pointers: *mut c_void,
    ) -> *const c_void;
    fn LoadLibraryA(path: *const c_char) -> *mut c_void;
    fn GetStdHandle(number: u32) -> *mut c_void;
    fn WriteFile(
        file: *mut c_void,
        bytes: *const u8,
        length: u32,
        written: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
    fn GetCurrentProcess() -> *mut c_void;
    fn TerminateProcess(process: *mut c_void, status: u32) -> i32;
}

/// The unwinder that walks are compared with.
pub(crate) const UNWINDER: &str = "RtlVirtualUnwind";

/// Shows `visit` the address in each frame, that in the calling function first, until it returns
/// `false`. Inlined, so that the first is in the function that calls this.
#[inline(always)]
pub(crate) fn unwind<F: FnMut(usize) -> bool>(visit: F) {
    let mut context = Context([0; 154]);
    // SAFETY: there is room for the registers.
    unsafe { RtlCaptureContext(&mut context) };
    unwind_from(&mut context, visit);
}

#[inline(never)]
fn unwind_from(context: &mut Context, mut visit: impl FnMut(usize) -> bool) {
    loop {
        let pc = context.0[RIP] as usize;
        if !visit(pc) {
            return;
        }
        let mut image = 0;
        // SAFETY: any address may be asked for.
        let function = unsafe { RtlLookupFunctionEntry(pc, &mut image, null_mut()) };
        if function.is_null() {
            return;
        }
        let (mut data, mut frame) = (null_mut(), 0);
        // SAFETY: the registers of a frame of this thread, which stays.
        unsafe {
            RtlVirtualUnwind(0, image, pc, function, context, &mut data, &mut frame, null_mut())
        };
    }
}

pub(crate) fn print(text: &str) {
    const STDERR: u32 = -12_i32 as u32;
    // SAFETY: a known number.
    let stderr = unsafe { GetStdHandle(STDERR) };
    let mut written = 0;
    // SAFETY: so many bytes are readable there.
    unsafe { WriteFile(stderr, text.as_ptr(), text.len() as u32, &mut written, null_mut()) };
}

pub(crate) fn exit() -> ! {
    // SAFETY: no arguments.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: ends this process.
    unsafe { TerminateProcess(process, 1) };
    unreachable!("the process has ended")
}

/// Shows where the module of an address begins; its name is not asked for.
pub(crate) fn with_module(address: usize, show: impl FnOnce(Option<(&str, usize)>)) {
    let image = memory_at(address).filter(|memory| memory.kind == MEM_IMAGE);
    show(image.map(|memory| ("module", memory.allocation)));
}

/// Loads a library; null if it cannot be had.
pub(crate) fn load(path: &CString) -> *mut c_void {
    // SAFETY: a string. The library runs nothing by itself.
    unsafe { LoadLibraryA(path.as_ptr()) }
}

/// A function of a library that is loaded. The name ends in 0.
pub(crate) fn symbol(library: *mut c_void, name: &[u8]) -> *mut c_void {
    // SAFETY: the library is loaded, and the name ends in 0.
    unsafe { GetProcAddress(library, name.as_ptr().cast::<c_char>()) }.cast_mut()
}

/// Where the module of an address begins.
pub(crate) fn base(address: usize) -> usize {
    memory_at(address).map_or(0, |memory| memory.allocation)
}

/// Whether a library that is loaded could be unloaded.
pub(crate) fn unload(library: *mut c_void) -> bool {
    // SAFETY: loaded by `load`, once.
    unsafe { FreeLibrary(library) != 0 }
}
