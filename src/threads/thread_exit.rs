//! Hot: has the state of a thread retired when the thread ends.
//!
//! This is asked for at the first allocation of a thread, which may stand anywhere: in a
//! constructor that holds the loader's lock, in a thread that such a constructor waits for, or
//! where no memory is left. So the lists of destructors that C++ and Rust thread-locals use are of
//! no help. That of glibc takes the loader's lock, and ends the process where there is no memory.
//! The standard library of Rust 1.80 to 1.92 may call the allocator while it registers a
//! destructor, and aborts if the allocator then registers another.
//!
//! What a destructor of a C++ or Rust thread-local does is still counted on the thread's own state:
//! with glibc, those run before the destructors of keys. Only those of other keys may come later.
//! If one of them opens a scope, the thread has a state on loan for it; that is retired at the
//! latest in the next round of destructors, of which there are four.
//!
//! Relies on: the system calls the destructor of a key, or the callback of an index, on the thread
//! that ends, with the value that this thread has set; and it calls none any more once the key is
//! deleted.
#![allow(unsafe_code)]
// Other systems do not tell of the end of a thread.
#![cfg_attr(not(any(unix, windows)), allow(dead_code))]

use std::ffi::c_void;
use std::ptr;

use super::current_thread::current_thread;
use super::retirement::retire;
use super::state::ThreadState;

/// Has the current thread give this state back when it ends. Where the system cannot tell of the
/// end, or lacks the memory to keep note of it, the thread keeps its state for ever: the numbers
/// stay right, the memory is not used again.
pub(super) fn retire_at_exit(state: &'static ThreadState) {
    imp::call_at_exit((state as *const ThreadState).cast());
}

/// The end of a thread that had the state at `address`.
///
/// Does nothing if that is not the current thread's: a thread may run the end of another one's
/// fiber.
fn retire_state_at(address: *const c_void) {
    if current_thread().is_some_and(|thread| ptr::eq(address.cast(), thread.state)) {
        retire();
    }
}

/// Unixes: a key with a destructor.
#[cfg(unix)]
mod imp {
    use std::ffi::c_void;

    use crate::sys::ThreadKey;

    static KEY: ThreadKey = ThreadKey::new(Some(call));

    extern "C" fn call(state: *mut c_void) {
        super::retire_state_at(state);
    }

    pub(super) fn call_at_exit(state: *const c_void) {
        KEY.set(state);
    }

    /// The code of `call` is about to be unloaded with the library that it is in, or the process
    /// ends. Threads that have used the library may go on; they do not call into it any more. (As
    /// ever, none may be in its code at this moment, which for a thread that ends is so once it was
    /// joined.)
    // Apple's loader unloads nothing that has thread-locals.
    #[cfg(not(any(target_vendor = "apple", miri)))]
    extern "C" fn delete_key() {
        KEY.delete();
    }

    /// The loader calls each function in this section once, when it unloads what the section is in.
    #[cfg(not(any(target_vendor = "apple", miri)))]
    #[used]
    #[link_section = ".fini_array"]
    static AT_UNLOADING: extern "C" fn() = delete_key;
}

/// Windows: fiber-local storage, whose callback runs when a thread ends, and when a fiber is
/// deleted.
#[cfg(windows)]
mod imp {
    use std::ffi::c_void;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    const FLS_OUT_OF_INDEXES: u32 = u32::MAX;

    extern "system" {
        fn FlsAlloc(callback: Option<extern "system" fn(*mut c_void)>) -> u32;
        fn FlsFree(index: u32) -> i32;
        fn FlsSetValue(index: u32, value: *const c_void) -> i32;
    }

    static INDEX: AtomicU32 = AtomicU32::new(FLS_OUT_OF_INDEXES);

    fn index() -> u32 {
        let index = INDEX.load(Relaxed);
        if index != FLS_OUT_OF_INDEXES {
            return index;
        }
        // SAFETY: `call` takes any address.
        let index = unsafe { FlsAlloc(Some(call)) };
        match INDEX.compare_exchange(FLS_OUT_OF_INDEXES, index, Relaxed, Relaxed) {
            Ok(_) => index,
            Err(first) => {
                // SAFETY: allocated above, and known to nobody else.
                unsafe { FlsFree(index) };
                first
            }
        }
    }

    extern "system" fn call(state: *mut c_void) {
        super::retire_state_at(state);
    }

    /// There may be no index.
    pub(super) fn call_at_exit(state: *const c_void) {
        // SAFETY: the call takes any index, and refuses one that is not allocated.
        unsafe { FlsSetValue(index(), state) };
    }
}

/// Elsewhere threads, if there are any, keep their states for ever.
#[cfg(not(any(unix, windows)))]
mod imp {
    pub(super) fn call_at_exit(_state: *const std::ffi::c_void) {}
}
