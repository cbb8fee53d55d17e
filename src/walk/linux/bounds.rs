//! Hot: what may be read of the stack that a stack pointer is on, from there upwards. Nothing is
//! read that is not mapped now.
//!
//! Where the thread's own stack lies is asked once for each thread and kept; the first time costs
//! up to a microsecond. The main thread's grows downwards as it is used, so its pages are looked at
//! as the stack pointer comes to them, once each.
//!
//! Of any other stack, a coroutine's or a signal handler's, nobody knows where it ends, and another
//! may be in its place the next time. Its pages are looked at as a walk comes to them, each time:
//! by a system call that takes a tenth of a microsecond.
//!
//! Relies on: the kernel, which puts the bytes of `AT_RANDOM` on the main thread's stack and checks
//! an address before it reads there; the C library, for the bounds of other threads.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_long, c_ulong};
use std::mem::needs_drop;

use crate::sys::process::{__errno_location, getauxval, getpid, syscall};
use crate::sys::threads::{
    pthread_attr_destroy, pthread_attr_getstack, pthread_getattr_np, pthread_self, Attributes,
};
use crate::walk::target::forks::is_forked;
use crate::walk::target::kernel::{system_call, SYS_GETTID, SYS_RT_SIGPROCMASK, USER_END};

/// Addresses from `low` up to `high`, which is a multiple of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    low: usize,
    high: usize,
    /// It may be found to begin lower.
    grows: bool,
}

/// Not known yet.
const UNASKED: Bounds = Bounds { low: 0, high: 0, grows: false };
/// Holds no stack pointer, either.
const NOWHERE: Bounds = Bounds { low: usize::MAX, high: usize::MAX, grows: false };

const PAGE: usize = 4096;

/// The main thread's stack is no larger, nor is a frame on another stack.
const MOST_PAGES: usize = 1 << 14;

thread_local! {
    // Without a destructor, so that it can be read at any time of a thread's life.
    static OWN: Cell<Bounds> = const { Cell::new(UNASKED) };
}

const _: () = assert!(!needs_drop::<Cell<Bounds>>());

/// What may be read from a stack pointer upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readable {
    pub(crate) end: usize,
    /// It is the thread's own stack, and all of it.
    pub(crate) is_own: bool,
}

impl Bounds {
    #[inline]
    fn hold(self, address: usize) -> bool {
        self.low <= address && address < self.high
    }
}

/// `None` where there is no stack.
#[inline]
pub(crate) fn readable(sp: usize) -> Option<Readable> {
    if sp % 8 != 0 {
        return None;
    }
    let own = own(sp);
    if own.hold(sp) {
        return Some(Readable { end: own.high, is_own: true });
    }
    readable_elsewhere(own, sp)
}

#[cold]
#[inline(never)]
fn readable_elsewhere(own: Bounds, sp: usize) -> Option<Readable> {
    if is_deeper_in(own, sp) {
        return Some(Readable { end: own.high, is_own: true });
    }
    let page = sp & !(PAGE - 1);
    let end = page.wrapping_add(PAGE);
    are_readable(page, end).then_some(Readable { end, is_own: false })
}

/// More of it, up to the page of `end`.
#[cold]
pub(crate) fn extended(readable: Readable, end: usize) -> Option<Readable> {
    let end = end.checked_add(PAGE - 1)? & !(PAGE - 1);
    (!readable.is_own && are_readable(readable.end, end)).then_some(Readable { end, ..readable })
}

/// Whether an address lies in the stack that the thread began with, rather than in that of a
/// coroutine or a signal handler.
#[inline]
pub(crate) fn is_on_first_stack(address: usize) -> bool {
    let own = own(address);
    own.hold(address) || is_deeper_in(own, address)
}

/// The thread's own stack; `address` may lie in it.
#[inline]
fn own(address: usize) -> Bounds {
    let mut bounds = OWN.with(Cell::get);
    if bounds.high == 0 {
        bounds = ask(address);
        OWN.with(|kept| kept.set(bounds));
    }
    bounds
}

/// Whether a growing stack holds the address, too. If so, that is kept.
fn is_deeper_in(own: Bounds, address: usize) -> bool {
    if !own.grows || address >= own.low {
        return false;
    }
    let low = address & !(PAGE - 1);
    let is_deeper = are_readable(low, own.low);
    if is_deeper {
        OWN.with(|kept| kept.set(Bounds { low, ..own }));
    }
    is_deeper
}

/// Whether all pages from `start` up to `end` can be read; not, if they are too many.
#[cold]
fn are_readable(start: usize, end: usize) -> bool {
    if start >= end || end > USER_END || (end - start) / PAGE > MOST_PAGES {
        return false;
    }
    let mut page = start;
    while page < end {
        if !is_readable(page) {
            return false;
        }
        page = page.wrapping_add(PAGE);
    }
    true
}

/// Whether a page can be read. Has the kernel read a word of it, as a set of signals for a purpose
/// that it does not know: it says that the address is wrong, or else that the purpose is. It
/// leaves `errno` alone, which belongs to the code around the allocation.
fn is_readable(page: usize) -> bool {
    const NO_PURPOSE: usize = 1_000;
    const EFAULT: isize = 14;
    // The address 0 would be no set.
    let address = page | 8;
    // SAFETY: the call reads eight bytes, or fails, and changes nothing.
    let result = unsafe { system_call(SYS_RT_SIGPROCMASK, [NO_PURPOSE, address, 0, 8]) };
    result != -EFAULT
}

#[cold]
fn ask(address: usize) -> Bounds {
    // Code that allocates between a failed call and the look at `errno` is not to be disturbed.
    // SAFETY: no arguments.
    let errno = unsafe { __errno_location() };
    // SAFETY: the thread's own `errno`, readable for as long as the thread runs.
    let before = unsafe { *errno };
    let main = if is_main_thread() { main_thread() } else { None };
    // In a child that `fork` made, the main thread is the one that forked, on the stack that it
    // had.
    let main = main.filter(|main| {
        !is_forked() || main.hold(address) || are_readable(address & !(PAGE - 1), main.low)
    });
    let bounds = main.or_else(other_thread);
    // SAFETY: as above.
    unsafe { *errno = before };
    bounds.unwrap_or(NOWHERE)
}

fn is_main_thread() -> bool {
    // SAFETY: `gettid` has no arguments and cannot fail.
    let thread = unsafe { syscall(SYS_GETTID) };
    // SAFETY: no arguments.
    let process = unsafe { getpid() };
    thread == c_long::from(process)
}

/// Not by `pthread_getattr_np`: to find the end of this stack, glibc reads a file of 40 to 100 us
/// and musl probes page after page. Nor by the limit of the stack's size, which may have been
/// changed since the system took it into account.
fn main_thread() -> Option<Bounds> {
    const AT_RANDOM: c_ulong = 25;

    // The kernel puts these 16 bytes between the first frame and the end of the stack.
    // SAFETY: takes any number.
    let high = unsafe { getauxval(AT_RANDOM) } as usize & !7;
    // The page of what is there is mapped.
    (high != 0).then_some(Bounds { low: high & !(PAGE - 1), high, grows: true })
}

fn other_thread() -> Option<Bounds> {
    let mut attributes = Attributes([0; 8]);
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
    (!failed && high != 0).then_some(Bounds { low, high, grows: false })
}

#[cfg(test)]
mod tests {
    use super::{ask, extended, is_main_thread, main_thread, other_thread, own, readable};
    use super::{is_readable, Bounds, Readable, PAGE};
    use crate::sys::pages;
    use std::thread;

    fn stack_end(sp: usize) -> Option<usize> {
        readable(sp).filter(|readable| readable.is_own).map(|readable| readable.end)
    }

    fn address_here() -> usize {
        let here = 0_u64;
        std::hint::black_box(&here) as *const u64 as usize
    }

    #[test]
    fn the_stack_of_a_thread_is_its_own() {
        for kib in [16, 64, 2048] {
            let thread = thread::Builder::new().stack_size(kib << 10).spawn(move || {
                let here = address_here();
                let bounds = ask(here);
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
        assert!(bounds.high - bounds.low < PAGE && bounds.grows);
    }

    #[test]
    fn addresses_elsewhere_and_odd_ones_are_not_in_the_stack() {
        let here = address_here();
        assert!(stack_end(here).is_some());
        for elsewhere in [here + 1, here + 4, 0, 8, usize::MAX, usize::MAX - 7] {
            assert_eq!(readable(elsewhere), None, "{elsewhere:x}");
        }
        let heap: *const u64 = &*Box::new(1);
        assert_eq!(stack_end(heap as usize), None);
    }

    #[test]
    fn of_other_stacks_the_pages_that_are_mapped_can_be_read() {
        let memory = pages::allocate(8 * PAGE);
        assert!(!memory.is_null());
        // SAFETY: the page after the first five, which nobody uses.
        unsafe { pages::guard(memory.wrapping_add(5 * PAGE)) };
        let pages = |n: usize| memory as usize + n * PAGE;
        let first = readable(pages(1) + 8).expect("it is mapped");
        assert_eq!(first, Readable { end: pages(2), is_own: false });
        let further = extended(first, pages(4) + 8).expect("likewise");
        assert_eq!(further.end, pages(5));
        assert_eq!(extended(further, pages(6)), None, "a guard");
        assert_eq!(extended(first, usize::MAX), None);
        assert_eq!(extended(first, pages(1 << 20)), None);
        assert_eq!(readable(pages(5)), None, "a guard");
        // SAFETY: the memory from above.
        unsafe { pages::free(memory, 8 * PAGE) };
        assert_eq!(extended(first, pages(3)), None, "it has gone");
        let here = address_here();
        let own = readable(here).expect("this thread's own");
        assert!(own.is_own && extended(own, own.end + 8).is_none());
    }

    #[test]
    fn a_growing_stack_begins_where_it_is_used() {
        let here = address_here();
        let end = own(here).high;
        let page = here & !(PAGE - 1);
        let grown = Bounds { low: page + PAGE, high: end, grows: true };
        super::OWN.with(|own| own.set(grown));
        assert_eq!(stack_end(here), Some(end));
        assert_eq!(own(here), Bounds { low: page, ..grown });
        // What lies below, but not next to it, is another.
        let heap: *const u64 = &*Box::new(1);
        assert_eq!(stack_end(heap as usize), None);
        assert_eq!(own(here), Bounds { low: page, ..grown });
    }

    #[test]
    fn asking_leaves_errno_alone() {
        // SAFETY: no arguments.
        let errno = unsafe { super::__errno_location() };
        // SAFETY: the thread's own.
        unsafe { *errno = 77 };
        ask(address_here());
        assert!(!is_readable(0));
        // SAFETY: the thread's own.
        assert_eq!(unsafe { *errno }, 77);
    }

    #[test]
    fn another_thread_than_the_main_one_knows_that_it_is() {
        thread::spawn(|| assert!(!is_main_thread() && other_thread().is_some())).join().unwrap();
        assert_eq!(Bounds { low: 0, high: 0, grows: false }, super::UNASKED);
    }
}
