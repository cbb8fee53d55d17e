//! The return addresses by `_Unwind_Backtrace`, of libgcc.

use std::ffi::{c_int, c_void};

use crate::walk::{Stop, MAX_FRAMES};

/// The function that asks, its callers as far as a walk goes, and one more.
const ROOM: usize = MAX_FRAMES + 2;
const GO_ON: c_int = 0;
const END: c_int = 4;

extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}

pub(crate) struct Reference {
    /// Innermost first.
    addresses: [usize; ROOM],
    len: usize,
    /// An address of 0 was seen: the caller of the outermost function.
    is_complete: bool,
}

impl Reference {
    pub(crate) const NEW: Self = Self { addresses: [0; ROOM], len: 0, is_complete: false };

    /// Inlined, so that the innermost address is in the function that calls this.
    #[inline(always)]
    pub(crate) fn capture(&mut self) {
        self.len = 0;
        self.is_complete = false;
        let argument: *mut Self = self;
        // SAFETY: `visit` takes this argument, and does not unwind.
        unsafe { _Unwind_Backtrace(visit, argument.cast()) };
    }

    /// What a walk must find, the innermost first.
    pub(crate) fn return_addresses(&self) -> &[usize] {
        self.addresses.get(1..self.len.min(ROOM - 1)).unwrap_or_default()
    }

    pub(crate) fn stop(&self) -> Stop {
        match (self.is_complete, self.len) {
            (_, ROOM) => Stop::TooDeep,
            (true, _) => Stop::Complete,
            (false, _) => Stop::UnknownCode,
        }
    }
}

extern "C" fn visit(context: *mut c_void, reference: *mut c_void) -> c_int {
    // SAFETY: the argument of `capture`, which nobody else uses now.
    let reference = unsafe { &mut *reference.cast::<Reference>() };
    // SAFETY: the context is that of this visit.
    let address = unsafe { _Unwind_GetIP(context) };
    if address == 0 {
        reference.is_complete = true;
        return END;
    }
    let Some(place) = reference.addresses.get_mut(reference.len) else { return END };
    *place = address;
    reference.len += 1;
    if reference.len == ROOM {
        END
    } else {
        GO_ON
    }
}
