//! Hot: `ThreadKey`, a word that each thread has its own of, by a key of the system.
//!
//! For what must be told of the end of a thread, and for systems where `thread_local!` is made of
//! such keys and takes the memory for its values from the allocator: before Rust 1.93 from the one
//! that is asking.
//!
//! Relies on: POSIX and Win32 for what keys are: the word is null until the thread sets it. A key
//! is known to all once it is in `key`, where it stays until it is deleted.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use imp::Key;

/// Called at the end of a thread that has set its word, with that word.
pub(super) type AtExit = Option<extern "C" fn(*mut c_void)>;

pub(crate) struct ThreadKey {
    /// The key plus one.
    key: AtomicUsize,
    at_exit: AtExit,
}

const NOT_MADE: usize = 0;
const DELETED: usize = usize::MAX;

impl ThreadKey {
    pub(crate) const fn new(at_exit: AtExit) -> Self {
        Self { key: AtomicUsize::new(NOT_MADE), at_exit }
    }

    /// The word of the current thread; null if there is no key.
    #[allow(dead_code)] // Where there are thread-locals.
    #[inline]
    pub(crate) fn get(&self) -> *mut c_void {
        match self.key.load(Relaxed) {
            NOT_MADE | DELETED => std::ptr::null_mut(),
            // SAFETY: made by `imp::make`, and not deleted.
            key => unsafe { imp::get((key - 1) as Key) },
        }
    }

    /// Sets it. `false` if there is no key, or no memory: to keep the word of one past the first
    /// few, the system needs some.
    #[inline]
    pub(crate) fn set(&self, word: *const c_void) -> bool {
        let key = match self.key.load(Relaxed) {
            NOT_MADE => self.make(),
            DELETED => None,
            key => Some((key - 1) as Key),
        };
        // SAFETY: as in `get`.
        key.is_some_and(|key| unsafe { imp::set(key, word) })
    }

    #[cold]
    fn make(&self) -> Option<Key> {
        let key = imp::make(self.at_exit)?;
        match self.key.compare_exchange(NOT_MADE, key as usize + 1, Relaxed, Relaxed) {
            Ok(_) => Some(key),
            Err(first) => {
                // SAFETY: made above, and known to nobody else.
                unsafe { imp::delete(key) };
                first.checked_sub(1).filter(|_| first != DELETED).map(|key| key as Key)
            }
        }
    }

    /// Nobody is told of the end of a thread any more.
    #[allow(dead_code)] // Where nothing is unloaded.
    pub(crate) fn delete(&self) {
        match self.key.swap(DELETED, Relaxed) {
            NOT_MADE | DELETED => {}
            // SAFETY: made by `imp::make`, and deleted once.
            key => unsafe { imp::delete((key - 1) as Key) },
        }
    }
}

#[cfg(unix)]
mod imp {
    use std::ffi::{c_int, c_void};

    use super::AtExit;

    /// `pthread_key_t`: `unsigned long` on Apple's systems, `unsigned int` elsewhere.
    #[cfg(target_vendor = "apple")]
    pub(super) type Key = std::ffi::c_ulong;
    #[cfg(not(target_vendor = "apple"))]
    pub(super) type Key = std::ffi::c_uint;

    extern "C" {
        fn pthread_key_create(key: *mut Key, destructor: AtExit) -> c_int;
        fn pthread_key_delete(key: Key) -> c_int;
        fn pthread_getspecific(key: Key) -> *mut c_void;
        fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
    }

    pub(super) fn make(at_exit: AtExit) -> Option<Key> {
        let mut key: Key = 0;
        // SAFETY: `key` is writable.
        let failed = unsafe { pthread_key_create(&mut key, at_exit) };
        (failed == 0).then_some(key)
    }

    /// # Safety
    /// Here and below: the key was made by `make`, and is not deleted yet.
    #[inline]
    pub(super) unsafe fn get(key: Key) -> *mut c_void {
        // SAFETY: the contract.
        unsafe { pthread_getspecific(key) }
    }

    #[inline]
    pub(super) unsafe fn set(key: Key, word: *const c_void) -> bool {
        // SAFETY: the contract.
        unsafe { pthread_setspecific(key, word) == 0 }
    }

    pub(super) unsafe fn delete(key: Key) {
        // SAFETY: the contract.
        unsafe { pthread_key_delete(key) };
    }
}

#[cfg(windows)]
mod imp {
    use std::ffi::c_void;

    use super::AtExit;
    use crate::sys::win32::{GetLastError, SetLastError};

    pub(super) type Key = u32;

    const TLS_OUT_OF_INDEXES: u32 = u32::MAX;

    extern "system" {
        fn TlsAlloc() -> u32;
        fn TlsFree(index: u32) -> i32;
        fn TlsGetValue(index: u32) -> *mut c_void;
        fn TlsSetValue(index: u32, value: *const c_void) -> i32;
    }

    /// Nobody is told of the end of a thread: `threads::thread_exit` has other means.
    pub(super) fn make(_: AtExit) -> Option<Key> {
        // SAFETY: it touches no memory of ours.
        let key = unsafe { TlsAlloc() };
        (key != TLS_OUT_OF_INDEXES).then_some(key)
    }

    /// # Safety
    /// Here and below: the key was made by `make`, and is not deleted yet.
    /// Leaves the last error of the thread alone, which belongs to the code around an allocation,
    /// and which `TlsGetValue` clears.
    #[inline]
    pub(super) unsafe fn get(key: Key) -> *mut c_void {
        // SAFETY: no arguments.
        let error = unsafe { GetLastError() };
        // SAFETY: the contract.
        let word = unsafe { TlsGetValue(key) };
        // SAFETY: any number.
        unsafe { SetLastError(error) };
        word
    }

    #[inline]
    pub(super) unsafe fn set(key: Key, word: *const c_void) -> bool {
        // SAFETY: the contract.
        unsafe { TlsSetValue(key, word) != 0 }
    }

    pub(super) unsafe fn delete(key: Key) {
        // SAFETY: the contract.
        unsafe { TlsFree(key) };
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::ptr::null_mut;

    use super::ThreadKey;

    #[test]
    fn each_thread_has_a_word_of_its_own() {
        static KEY: ThreadKey = ThreadKey::new(None);
        let word = |at: usize| at as *mut c_void;
        assert_eq!(KEY.get(), null_mut());
        assert!(KEY.set(word(1)));
        let on_another = move || {
            let before = KEY.get();
            assert!(KEY.set(word(2)));
            (before as usize, KEY.get() as usize)
        };
        for _ in 0..3 {
            assert_eq!(std::thread::spawn(on_another).join().expect("it ends well"), (0, 2));
        }
        assert_eq!(KEY.get(), word(1));
        KEY.delete();
        assert!(KEY.get().is_null() && !KEY.set(word(3)));
    }

    #[cfg(windows)]
    #[test]
    fn reading_the_word_leaves_the_last_error_alone() {
        use crate::sys::win32::{GetLastError, SetLastError};

        static KEY: ThreadKey = ThreadKey::new(None);
        assert!(KEY.set(1_usize as *const c_void));
        // SAFETY: any number.
        unsafe { SetLastError(77) };
        let word = KEY.get() as usize;
        // SAFETY: no arguments.
        assert_eq!((word, unsafe { GetLastError() }), (1, 77));
        KEY.delete();
    }

    /// Many threads make it at the same time. One of them does, and they all have it.
    #[test]
    fn a_key_is_made_once() {
        static KEYS: [ThreadKey; 20] = {
            #[allow(clippy::declare_interior_mutable_const)] // A template.
            const NEW: ThreadKey = ThreadKey::new(None);
            [NEW; 20]
        };
        std::thread::scope(|threads| {
            for thread in 1..=4_usize {
                threads.spawn(move || {
                    for key in &KEYS {
                        assert!(key.set(thread as *mut c_void));
                        assert_eq!(key.get() as usize, thread);
                    }
                });
            }
        });
        KEYS.iter().for_each(ThreadKey::delete);
    }
}
