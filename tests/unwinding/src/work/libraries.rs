//! Libraries that are unloaded, and others at the same address, which call back from frames of
//! other sizes. What was known of the first must not be used for the second.

use std::ffi::{c_int, c_void, CString};
use std::mem::transmute_copy;

use super::{allocate, mixed, threads};
use crate::{system, walk};

type Back = extern "C" fn(*mut c_void);
type Inner = unsafe extern "C" fn(back: Back, data: *mut c_void);
type Outer = unsafe extern "C" fn(back: Back, data: *mut c_void, depth: c_int);

/// A library, and where some of its functions are.
struct Library {
    handle: *mut c_void,
    base: usize,
    inner: *mut c_void,
    outer: *mut c_void,
}

pub(crate) fn work() {
    // All return addresses in the second library are those of the first. Only `prepare` can tell.
    let (first, alike) = in_turn("first", "alike", 30, walk::prepare);
    assert_eq!(first, alike);
    // Only those in the outer function are the same. The walker first meets one in the inner
    // function, and finds out by itself, in a scope that stays open.
    walk::prepare();
    let (first, apart) = in_turn("first", "apart", 30, || ());
    assert!(first.0 != apart.0 && first.1 == apart.1);
    // Other threads walk meanwhile.
    threads::at_once(
        2,
        |thread| mixed::grow(2_000 + thread, 12, 3_000),
        || {
            in_turn("first", "alike", 60, walk::prepare);
        },
    );
}

/// Loads one library after the other, at the same address. Returns where the functions of both are.
fn in_turn(a: &str, b: &str, rounds: u32, on_change: fn()) -> ((usize, usize), (usize, usize)) {
    let a = CString::new(format!("{}/{a}.so", env!("LIBRARIES"))).expect("a path");
    let b = CString::new(format!("{}/{b}.so", env!("LIBRARIES"))).expect("a path");
    let (mut in_a, mut in_b, mut same) = ((0, 0), (0, 0), 0);
    let mut base = 0;
    for _ in 0..rounds {
        for (path, places) in [(&a, &mut in_a), (&b, &mut in_b)] {
            let library = Library::load(path);
            same += u32::from(library.base == base);
            base = library.base;
            on_change();
            library.run();
            *places = (library.inner as usize - base, library.outer as usize - base);
            library.unload();
        }
    }
    assert!(same >= rounds, "{same} loads of {} at the address of the one before", 2 * rounds);
    (in_a, in_b)
}

impl Library {
    fn load(path: &CString) -> Self {
        let handle = system::load(path);
        assert!(!handle.is_null(), "{path:?} is there");
        let symbol = |name: &[u8]| {
            let address = system::symbol(handle, name);
            assert!(!address.is_null());
            address
        };
        let (inner, outer) = (symbol(b"library_inner\0"), symbol(b"library_outer\0"));
        let base = system::base(inner as usize);
        Self { handle, base, inner, outer }
    }

    fn run(&self) {
        extern "C" fn back(_: *mut c_void) {
            allocate(10);
        }
        // SAFETY: a function of this type, by `library.c`.
        let inner: Inner = unsafe { transmute_copy(&self.inner) };
        // SAFETY: as above.
        let outer: Outer = unsafe { transmute_copy(&self.outer) };
        // SAFETY: the library is loaded, and `back` takes anything.
        unsafe { inner(back, std::ptr::null_mut()) };
        for depth in [0, 1, 2, 30] {
            // SAFETY: as above.
            unsafe { outer(back, std::ptr::null_mut(), depth) };
        }
    }

    fn unload(self) {
        // None of its code runs.
        assert!(system::unload(self.handle));
    }
}
