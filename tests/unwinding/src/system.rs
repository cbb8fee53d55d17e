//! What this program asks of the system: its unwinder, its loader, and a word on stderr.

use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::mem::MaybeUninit;

extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}

/// The unwinder that walks are compared with.
pub(crate) const UNWINDER: &str = "_Unwind_Backtrace";

/// Shows `visit` the address in each frame, that in the calling function first, until it returns
/// `false`. Inlined, so that the first is in the function that calls this.
#[inline(always)]
pub(crate) fn unwind<F: FnMut(usize) -> bool>(mut visit: F) {
    extern "C" fn call<F: FnMut(usize) -> bool>(context: *mut c_void, to: *mut c_void) -> c_int {
        const GO_ON: c_int = 0;
        const END: c_int = 4;
        // SAFETY: the `visit` below, of this type, which nobody else uses now.
        let visit = unsafe { &mut *to.cast::<F>() };
        // SAFETY: the context is that of this visit.
        let address = unsafe { _Unwind_GetIP(context) };
        if visit(address) {
            GO_ON
        } else {
            END
        }
    }
    // SAFETY: `call` takes this argument, and does not unwind.
    unsafe { _Unwind_Backtrace(call::<F>, (&mut visit as *mut F).cast()) };
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

/// Loads a library; null if it cannot be had.
pub(crate) fn load(path: &CString) -> *mut c_void {
    // SAFETY: a string. The library runs nothing by itself.
    unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }
}

/// A function of a library that is loaded. The name ends in 0.
pub(crate) fn symbol(library: *mut c_void, name: &[u8]) -> *mut c_void {
    // SAFETY: the library is loaded, and the name ends in 0.
    unsafe { libc::dlsym(library, name.as_ptr().cast::<c_char>()) }
}

/// Where the module of an address begins.
pub(crate) fn base(address: usize) -> usize {
    let mut base = 0;
    with_module(address, |module| base = module.map_or(0, |(_, base)| base));
    base
}

/// Whether a library that is loaded could be unloaded.
pub(crate) fn unload(library: *mut c_void) -> bool {
    // SAFETY: loaded by `load`, once.
    unsafe { libc::dlclose(library) == 0 }
}
