//! Hot: where the current thread's stack lies. Asked once for each thread and kept; the first time costs up to a
//! microsecond.
//!
//! A stack pointer outside is on a coroutine's stack or on that of a signal handler, whose end nobody knows.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_ulong};

/// Addresses from `low` up to `high`, which is a multiple of eight. Nothing: not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    low: usize,
    high: usize,
}

const UNASKED: Bounds = Bounds { low: 0, high: 0 };
/// Holds no stack pointer, either.
const NOWHERE: Bounds = Bounds { low: usize::MAX, high: usize::MAX };

thread_local! {
    // Without a destructor, so that it can be read at any time of a thread's life.
    static BOUNDS: Cell<Bounds> = const { Cell::new(UNASKED) };
}

/// The end of the thread's stack, if `rsp` lies in that stack.
pub(super) fn stack_end(rsp: usize) -> Option<usize> {
    let bounds = known();
    (bounds.low <= rsp && rsp < bounds.high && rsp % 8 == 0).then_some(bounds.high)
}

/// Whether an address lies in the stack that the thread began with, rather than in that of a coroutine or a signal handler.
pub(crate) fn is_on_first_stack(address: usize) -> bool {
    let Bounds { low, high } = known();
    low <= address && address < high
}

fn known() -> Bounds {
    let mut bounds = BOUNDS.with(Cell::get);
    if bounds.high == 0 {
        bounds = ask();
        BOUNDS.with(|kept| kept.set(bounds));
    }
    bounds
}

extern "C" {
    fn getpid() -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    fn getauxval(entry: c_ulong) -> c_ulong;
    fn getrlimit(resource: c_int, limit: *mut ResourceLimit) -> c_int;
    fn pthread_self() -> c_ulong;
    fn pthread_getattr_np(thread: c_ulong, attributes: *mut Attributes) -> c_int;
    fn pthread_attr_getstack(
        attributes: *const Attributes,
        low: *mut usize,
        size: *mut usize,
    ) -> c_int;
    fn pthread_attr_destroy(attributes: *mut Attributes) -> c_int;
    fn __errno_location() -> *mut c_int;
}

#[repr(C)]
struct ResourceLimit {
    current: u64,
    most: u64,
}

/// `pthread_attr_t`: 56 bytes, in glibc and in musl.
#[repr(C)]
struct Attributes([u64; 7]);

#[cold]
fn ask() -> Bounds {
    // Code that allocates between a failed call and the look at `errno` is not to be disturbed.
    // SAFETY: no arguments.
    let errno = unsafe { __errno_location() };
    // SAFETY: the thread's own `errno`, readable for as long as the thread runs.
    let before = unsafe { *errno };
    let here = &before as *const c_int as usize;
    let holds = |bounds: &Bounds| bounds.low <= here && here < bounds.high;
    // In a child that `fork` made, the main thread is the one that forked, on the stack that it had.
    let of_main_thread = if is_main_thread() { main_thread().filter(holds) } else { None };
    let bounds = of_main_thread.or_else(other_thread);
    // SAFETY: as above.
    unsafe { *errno = before };
    bounds.unwrap_or(NOWHERE)
}

fn is_main_thread() -> bool {
    const SYS_GETTID: c_long = 186;
    // SAFETY: `gettid` has no arguments and cannot fail.
    let thread = unsafe { syscall(SYS_GETTID) };
    // SAFETY: no arguments.
    let process = unsafe { getpid() };
    thread == c_long::from(process)
}

/// Not by `pthread_getattr_np`: to find the end of this stack, glibc reads a file of 40 to 100 us and musl
/// probes page after page.
fn main_thread() -> Option<Bounds> {
    const AT_RANDOM: c_ulong = 25;
    const RLIMIT_STACK: c_int = 3;
    /// Also for an unlimited stack.
    const LARGEST: u64 = 1 << 30;

    // The kernel puts these 16 bytes between the first frame and the end of the stack.
    // SAFETY: takes any number.
    let high = unsafe { getauxval(AT_RANDOM) } as usize & !7;
    let mut limit = ResourceLimit { current: 0, most: 0 };
    // SAFETY: `limit` is writable and laid out as `struct rlimit`.
    let failed = unsafe { getrlimit(RLIMIT_STACK, &mut limit) } != 0;
    if failed || high == 0 {
        return None;
    }
    Some(Bounds { low: high.saturating_sub(limit.current.min(LARGEST) as usize), high })
}

fn other_thread() -> Option<Bounds> {
    let mut attributes = Attributes([0; 7]);
    let (mut low, mut size) = (0, 0);
    // SAFETY: no arguments.
    let this = unsafe { pthread_self() };
    // SAFETY: the thread runs; `attributes` is writable and large enough.
    if unsafe { pthread_getattr_np(this, &mut attributes) } != 0 {
        return None;
    }
    // SAFETY: initialised by the call above; the other two are writable.
    let failed = unsafe { pthread_attr_getstack(&attributes, &mut low, &mut size) } != 0;
    // SAFETY: initialised above, and not used again.
    unsafe { pthread_attr_destroy(&mut attributes) };
    let high = low.checked_add(size)? & !7;
    (!failed && high != 0).then_some(Bounds { low, high })
}

#[cfg(test)]
mod tests {
    use super::{ask, is_main_thread, main_thread, other_thread, stack_end, Bounds};
    use std::thread;

    fn address_here() -> usize {
        let here = 0_u64;
        std::hint::black_box(&here) as *const u64 as usize
    }

    #[test]
    fn the_stack_of_a_thread_is_its_own() {
        for kib in [16, 64, 2048] {
            let thread = thread::Builder::new().stack_size(kib << 10).spawn(move || {
                let bounds = ask();
                let here = address_here();
                assert!(bounds.low <= here && here < bounds.high, "{bounds:x?} {here:x}");
                assert_eq!(stack_end(here), Some(bounds.high));
                assert_eq!(stack_end(here), Some(bounds.high), "kept");
                (bounds, here)
            });
            let (bounds, there) = thread.unwrap().join().unwrap();
            assert_ne!(stack_end(address_here()), Some(bounds.high));
            assert_eq!(stack_end(there), None);
        }
    }

    #[test]
    fn the_main_threads_end_lies_where_the_system_says() {
        // The tests run on other threads; what the kernel says of the main thread's is in a file.
        let bounds = main_thread().unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
        let end = stack.split([' ', '-']).nth(1).unwrap();
        let end = usize::from_str_radix(end, 16).unwrap();
        assert!(bounds.high < end && end - bounds.high < 1 << 21, "{bounds:x?} {end:x}");
        assert!(bounds.low < bounds.high - (64 << 10));
    }

    #[test]
    fn addresses_elsewhere_and_odd_ones_are_not_in_the_stack() {
        let here = address_here();
        assert!(stack_end(here).is_some());
        for elsewhere in [here + 1, here + 4, 0, 8, usize::MAX, usize::MAX - 7] {
            assert_eq!(stack_end(elsewhere), None);
        }
        let heap: *const u64 = &*Box::new(1);
        assert_eq!(stack_end(heap as usize), None);
    }

    #[test]
    fn asking_leaves_errno_alone() {
        // SAFETY: no arguments.
        let errno = unsafe { super::__errno_location() };
        // SAFETY: the thread's own.
        unsafe { *errno = 77 };
        ask();
        // SAFETY: the thread's own.
        assert_eq!(unsafe { *errno }, 77);
    }

    #[test]
    fn another_thread_than_the_main_one_knows_that_it_is() {
        thread::spawn(|| assert!(!is_main_thread() && other_thread().is_some())).join().unwrap();
        assert_eq!(Bounds { low: 0, high: 0 }, super::UNASKED);
    }
}
