//! A thread that serves past its end. Not on Windows, where destructors run under the lock of the
//! loader: while one runs for ever, no thread begins, and reports are made on threads.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use crate::helper::serve;
use crate::program::Way;

extern "C" {
    fn pthread_key_create(key: *mut u32, destructor: extern "C" fn(*mut c_void)) -> c_int;
    fn pthread_setspecific(key: u32, value: *const c_void) -> c_int;
}

/// Has the calling thread serve for ever in a destructor that is the last. As far as the library is
/// concerned, the thread has ended by then.
pub(crate) fn serve_past_the_end() {
    extern "C" fn destructor(_: *mut c_void) {
        serve(|way| way == Way::Orphan);
    }
    let mut key = 0;
    // SAFETY: `key` is writable, and `destructor` takes any value.
    assert_eq!(unsafe { pthread_key_create(&mut key, destructor) }, 0);
    // SAFETY: the key was made above; the value is not null, and nobody reads it.
    assert_eq!(unsafe { pthread_setspecific(key, NonNull::dangling().as_ptr()) }, 0);
}
