//! Hot: has the ledger of a thread retired when the thread ends. Not through a `thread_local!` with a destructor: the standard
//! library of Rust 1.80 to 1.92 may call the allocator while it registers one, and aborts if the allocator then
//! registers another.
#![allow(unsafe_code)]

pub(super) use imp::retire_at_exit;

/// glibc: the list of destructors that C++ and Rust thread-locals use. It also keeps a dynamic library from being
/// unloaded while a thread has yet to call into it.
#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
mod imp {
    use std::ffi::c_void;
    use std::ptr;

    extern "C" {
        /// Names this binary or library; the linker's start-up code defines it.
        static __dso_handle: u8;
        fn __cxa_thread_atexit_impl(
            destructor: extern "C" fn(*mut c_void),
            argument: *mut c_void,
            dso: *const u8,
        ) -> i32;
    }

    pub(in super::super) fn retire_at_exit(ledger: *mut c_void) {
        extern "C" fn call(ledger: *mut c_void) {
            crate::count::thread::retire_ledger_at(ledger);
        }
        #[allow(unused_unsafe)] // Needed before Rust 1.82.
        // SAFETY: only the address is taken.
        let dso = unsafe { ptr::addr_of!(__dso_handle) };
        // SAFETY: `call` takes any address and does not unwind. The result is always 0: glibc ends the process
        // when it has no memory for the entry.
        unsafe { __cxa_thread_atexit_impl(call, ledger, dso) };
    }
}

/// Other Unixes, and Miri: a key with a destructor.
#[cfg(all(unix, any(miri, not(all(target_os = "linux", target_env = "gnu")))))]
mod imp {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// `pthread_key_t`: `unsigned long` on Apple's systems, `unsigned int` elsewhere.
    #[cfg(target_vendor = "apple")]
    type Key = std::ffi::c_ulong;
    #[cfg(not(target_vendor = "apple"))]
    type Key = std::ffi::c_uint;

    extern "C" {
        fn pthread_key_create(
            key: *mut Key,
            destructor: Option<extern "C" fn(*mut c_void)>,
        ) -> c_int;
        fn pthread_key_delete(key: Key) -> c_int;
        fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
    }

    /// The key plus one; 0: not made yet.
    static KEY: AtomicUsize = AtomicUsize::new(0);

    fn key() -> Option<Key> {
        if let Some(key) = KEY.load(Relaxed).checked_sub(1) {
            return Some(key as Key);
        }
        let mut key: Key = 0;
        // SAFETY: `key` is writable, and `call` takes any address.
        if unsafe { pthread_key_create(&mut key, Some(call)) } != 0 {
            return None;
        }
        match KEY.compare_exchange(0, key as usize + 1, Relaxed, Relaxed) {
            Ok(_) => Some(key),
            Err(first) => {
                // SAFETY: made above, and known to nobody else.
                unsafe { pthread_key_delete(key) };
                Some((first - 1) as Key)
            }
        }
    }

    extern "C" fn call(ledger: *mut c_void) {
        crate::count::thread::retire_ledger_at(ledger);
    }

    /// Without a key, the thread keeps its ledger for ever: the numbers stay right, the memory is not used again.
    pub(in super::super) fn retire_at_exit(ledger: *mut c_void) {
        if let Some(key) = key() {
            // SAFETY: the key was made by `pthread_key_create` and is never deleted.
            unsafe { pthread_setspecific(key, ledger) };
        }
    }
}

/// Windows: fiber-local storage, whose callback runs when a thread ends, and when a fiber is deleted.
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

    extern "system" fn call(ledger: *mut c_void) {
        crate::count::thread::retire_ledger_at(ledger);
    }

    /// Without an index, the thread keeps its ledger for ever: the numbers stay right, the memory is not used again.
    pub(in super::super) fn retire_at_exit(ledger: *mut c_void) {
        // SAFETY: the call takes any index, and refuses one that is not allocated.
        unsafe { FlsSetValue(index(), ledger) };
    }
}

/// Elsewhere threads, if there are any, keep their ledgers for ever.
#[cfg(not(any(unix, windows)))]
mod imp {
    pub(in super::super) fn retire_at_exit(_ledger: *mut std::ffi::c_void) {}
}
