//! What this program asks of Apple's systems: their unwinder, their loader, and a word on stderr.
//!
//! That unwinder ends before a function without tables, as the outermost of a thread is, and shows
//! no address of 0 at the end of a stack. Both are added here, by the frame record of the function
//! before.

use std::ffi::{c_int, c_void, CStr};
use std::mem::MaybeUninit;

extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_GetGR(context: *mut c_void, register: c_int) -> usize;
}

/// The unwinder that walks are compared with.
pub(crate) const UNWINDER: &str = "_Unwind_Backtrace";

/// DWARF's number of the frame pointer.
const FRAME_POINTER: c_int = if cfg!(target_arch = "aarch64") { 29 } else { 6 };

/// Of a return address, without a signature.
const ADDRESS: usize = (1 << 47) - 1;

/// Shows `visit` the address in each frame, that in the calling function first, until it returns
/// `false`. Inlined, so that the first is in the function that calls this.
#[inline(always)]
pub(crate) fn unwind<F: FnMut(usize) -> bool>(visit: F) {
    const END_OF_STACK: c_int = 5;
    let mut unwinding = Unwinding { visit, frame_pointer: 0 };
    // SAFETY: `call` takes this argument, and does not unwind.
    let end = unsafe { _Unwind_Backtrace(call::<F>, (&mut unwinding as *mut Unwinding<F>).cast()) };
    if end != END_OF_STACK {
        return;
    }
    let Unwinding { mut visit, frame_pointer } = unwinding;
    if frame_pointer != 0 {
        // SAFETY: a function that the unwinder has shown has a frame record.
        let return_address = unsafe { *(frame_pointer as *const usize).wrapping_add(1) } & ADDRESS;
        if return_address != 0 && !visit(return_address) {
            return;
        }
    }
    visit(0);
}

struct Unwinding<F> {
    visit: F,
    /// That of the last function.
    frame_pointer: usize,
}

extern "C" fn call<F: FnMut(usize) -> bool>(context: *mut c_void, to: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const END: c_int = 4;
    // SAFETY: that of `unwind`, of this type, which nobody else uses now.
    let unwinding = unsafe { &mut *to.cast::<Unwinding<F>>() };
    // SAFETY: the context is that of this visit.
    let address = unsafe { _Unwind_GetIP(context) };
    // SAFETY: as above.
    unwinding.frame_pointer = unsafe { _Unwind_GetGR(context, FRAME_POINTER) };
    if (unwinding.visit)(address) {
        GO_ON
    } else {
        END
    }
}

pub(crate) fn print(text: &str) {
    // SAFETY: so many bytes are readable there.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

pub(crate) fn exit() -> ! {
    // SAFETY: may be called at any time.
    unsafe { libc::_exit(1) }
}

/// Shows the name of the module that an address is in, and where that begins.
pub(crate) fn with_module(address: usize, show: impl FnOnce(Option<(&str, usize)>)) {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: takes any address, and `info` is writable.
    let is_known = unsafe { libc::dladdr(address as *const _, info.as_mut_ptr()) } != 0;
    // SAFETY: all zeros or filled in, which are both valid.
    let info = unsafe { info.assume_init() };
    if !is_known || info.dli_fname.is_null() {
        return show(None);
    }
    // SAFETY: a string of the loader's.
    let module = unsafe { CStr::from_ptr(info.dli_fname) }.to_str().unwrap_or("?");
    show(Some((module, info.dli_fbase as usize)));
}
