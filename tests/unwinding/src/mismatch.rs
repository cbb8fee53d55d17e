//! What is said about a mismatch.

use std::ffi::CStr;
use std::fmt::{self, Write};
use std::mem::MaybeUninit;

use crate::walk::Stop;

/// It is written to without buffers or locks, which the thread may hold.
struct Stderr;

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: so many bytes are readable there.
        unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        Ok(())
    }
}

/// Prints both stacks, and ends the process. `walked` begins with the outermost frame, and
/// `expected` with the innermost one.
#[cold]
pub(crate) fn exit(fault: &str, walked: &[usize], stop: Stop, expected: &[usize]) -> ! {
    let _ = print(fault, walked, stop, expected);
    // SAFETY: may be called at any time.
    unsafe { libc::_exit(1) }
}

fn print(fault: &str, walked: &[usize], stop: Stop, expected: &[usize]) -> fmt::Result {
    let mut out = Stderr;
    writeln!(out, "unwinding: MISMATCH: {fault}")?;
    writeln!(out, "walked, {} frames, which ended as {}:", walked.len(), stop.reason())?;
    walked.iter().rev().try_for_each(|address| print_address(*address))?;
    writeln!(out, "_Unwind_Backtrace, {} frames:", expected.len())?;
    expected.iter().try_for_each(|address| print_address(*address))
}

/// Prints an address with its module and the offset in that, for `addr2line`.
fn print_address(address: usize) -> fmt::Result {
    let mut out = Stderr;
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: takes any address, and `info` is writable.
    let is_known = unsafe { libc::dladdr(address as *const _, info.as_mut_ptr()) } != 0;
    // SAFETY: all zeros or filled in, which are both valid.
    let info = unsafe { info.assume_init() };
    if !is_known || info.dli_fname.is_null() {
        return writeln!(out, "  {address:#x}");
    }
    // SAFETY: a string of the loader's.
    let module = unsafe { CStr::from_ptr(info.dli_fname) }.to_str().unwrap_or("?");
    writeln!(out, "  {address:#x} {module}+{:#x}", address - info.dli_fbase as usize)
}
