//! Cold: `call_under`, a call from which an unwinder climbs into memory that we laid out. In plain
//! words as in `symbolize/x86_64/trampoline.rs`, but simpler: a function of Rust has a frame record
//! on Apple's systems, and its table says that the caller is to be found there. So it is enough to
//! have the frame pointer point to another record while the callee runs. That the table says so is
//! looked up before any unwinder comes.
//!
//! Real calls and returns are not touched. While the callee runs, nothing may unwind *through* the
//! call: the callee catches its panics.
//!
//! Relies on: the system's ABI, by which a function keeps the register for its caller in which the
//! frame pointer is kept here; the caller, for the memory that an unwinder is led to.
#![allow(unsafe_code)]

use std::arch::asm;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::walk::{caller_at, Caller, Cfa, SavedFp};

/// Where the call returns to, once it was made.
static RETURN_ADDRESS: AtomicUsize = AtomicUsize::new(0);

#[repr(C)]
struct Call {
    /// Where it returns to. The assembly knows that it comes first.
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
    let (record, call): (usize, *mut Call) = (cfa.wrapping_sub(16), &mut call);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: `run` takes a call and does not unwind; it finds where it will return to. The frame
    // pointer is back when this is over.
    unsafe {
        asm!(
            "lea r12, [rip + 2f]",
            "mov [rdi], r12",
            "mov r12, rbp",
            "mov rbp, {record}",
            "call {run}",
            "2:",
            "mov rbp, r12",
            record = in(reg) record,
            run = sym run,
            in("rdi") call,
            out("r12") _,
            clobber_abi("C"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!(
            "adr x20, 2f",
            "str x20, [x0]",
            "mov x20, x29",
            "mov x29, {record}",
            "bl {run}",
            "2:",
            "mov x29, x20",
            record = in(reg) record,
            run = sym run,
            in("x0") call,
            out("x20") _,
            clobber_abi("C"),
        );
    }
}

extern "C" fn run(call: *mut Call) {
    // SAFETY: `call_under` passed one that nobody else uses.
    let call = unsafe { &*call };
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
