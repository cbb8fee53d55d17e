//! Cold: `call_under`, a call from which an unwinder climbs into memory that we laid out. In plain
//! words as in `symbolize/x86_64/trampoline.rs`, but simpler: a function of Rust has a frame record
//! on Apple's systems, and its table says that the caller is to be found there. So it is enough to
//! have the frame pointer point to another record while the callee runs. That the table says so is
//! looked up before any unwinder comes.
//!
//! Real calls and returns are not touched. While the callee runs, nothing may unwind *through* the
//! call: the callee catches its panics.
//!
//! Relies on: the caller, for the memory that an unwinder is led to.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::call_with_record;
use crate::walk::{caller_at, Caller, Cfa, SavedFp};

/// Where the call returns to, once it was made.
static RETURN_ADDRESS: AtomicUsize = AtomicUsize::new(0);

#[repr(C)]
struct Call {
    /// Where it returns to. `call_with_record` knows that it comes first.
    return_address: usize,
    work: extern "C" fn(*mut c_void),
    argument: *mut c_void,
}

/// Calls `work(argument)` so that, to an unwinder, the caller's frame begins at `cfa`, just above a
/// frame record which holds the caller's frame pointer. Does not, if the unwinder would not see it
/// so.
///
/// # Safety
/// `work` may be called with `argument` and does not unwind. Unwinding from `cfa` and that frame
/// pointer, by the rules of the addresses that are found, must read mapped memory only.
#[inline(never)]
pub(crate) unsafe fn call_under(
    cfa: usize,
    _fp: usize,
    work: extern "C" fn(*mut c_void),
    argument: *mut c_void,
) {
    let mut call = Call { return_address: 0, work, argument };
    let call: *mut c_void = (&mut call as *mut Call).cast();
    // SAFETY: `run` takes a call and does not unwind; it finds where it will return to.
    unsafe { call_with_record(cfa.wrapping_sub(16), call, run) };
}

extern "C" fn run(call: *mut c_void) {
    // SAFETY: `call_under` passed one that nobody else uses.
    let call = unsafe { &*call.cast::<Call>() };
    let by_record = Caller::frame(Cfa::Fp(16), SavedFp::BelowCfa(16));
    if caller_at(call.return_address) == by_record {
        RETURN_ADDRESS.store(call.return_address, Relaxed);
        (call.work)(call.argument);
    }
}

/// Where `work` returns to: the address that stands in a backtrace just before the first of those
/// laid out.
pub(crate) fn return_address() -> usize {
    RETURN_ADDRESS.load(Relaxed)
}

/// A return address as an unwinder expects it: there are no signatures here.
pub(crate) fn signed(address: usize, _cfa: usize) -> usize {
    address
}
