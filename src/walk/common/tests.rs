//! Hot: the tests of the walker, which compare it with a plain one and with the unwinder of the C++
//! runtime.
//!
//! Relies on: the C++ ABI for Itanium, whose unwinder is asked here; the functions in assembly keep
//! the System V ABI.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::fmt;
use std::hint::black_box;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread;

use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};
use crate::walk::stop::{Stop, MAX_FRAMES};
use crate::walk::target::arch::registers::{return_address, Registers};
use crate::walk::target::arch::test_functions::{on_another_stack, realigned, REALIGNED};
use crate::walk::target::bounds;
use crate::walk::target::common::{caller_at, rule_table, Walker};
use crate::walk::target::prepare;
use crate::walk::walked::Walked;

extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn qsort(
        base: *mut c_void,
        count: usize,
        size: usize,
        compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
    );
}

/// The return addresses of the calling function and further out, innermost first, by the unwinder
/// of the C++ runtime.
#[inline(never)]
fn by_the_runtime() -> Vec<usize> {
    extern "C" fn visit(context: *mut c_void, addresses: *mut c_void) -> c_int {
        // SAFETY: the vector below, which nobody else uses now.
        let addresses = unsafe { &mut *addresses.cast::<Vec<usize>>() };
        // SAFETY: the context was given to this function.
        let address = unsafe { _Unwind_GetIP(context) };
        addresses.push(address);
        0
    }
    let mut addresses: Vec<usize> = Vec::with_capacity(1024);
    // SAFETY: `visit` takes what it is given here.
    unsafe { _Unwind_Backtrace(visit, (&mut addresses as *mut Vec<usize>).cast()) };
    // This function and the calling one are not what is asked for.
    addresses.drain(..2);
    addresses.retain(|address| *address != 0);
    addresses
}

/// The walk as it is described, and nothing else: outermost first.
#[inline(never)]
fn plainly(from: Registers) -> (Vec<usize>, Stop) {
    let Registers { mut pc, mut sp, mut fp, .. } = from;
    let stack = bounds::readable(sp).unwrap();
    let mut addresses = Vec::new();
    let stop = loop {
        let (cfa, saved, call) = match caller_at(pc) {
            Caller::Frame { cfa, fp, return_address } => (cfa, fp, return_address),
            Caller::Outermost => break Stop::Complete,
            Caller::Unknown => break Stop::UnknownCode,
        };
        let read = |address: usize| {
            let is_in_stack = address >= from.sp && address < stack.end;
            assert!(address % 8 == 0 && (is_in_stack || !stack.is_own));
            // SAFETY: in the stack of this thread, or in one from which rules lead to that.
            unsafe { *(address as *const usize) }
        };
        let cfa = match cfa {
            Cfa::Sp(offset) => sp + offset,
            Cfa::Fp(offset) => fp + offset,
            Cfa::AtFp(offset) => read((fp as isize + offset) as usize),
        };
        assert!(cfa > sp || !stack.is_own);
        pc = match call {
            ReturnAddress::BelowCfa(offset) | ReturnAddress::SignedBelowCfa(offset) => {
                return_address(read(cfa - offset))
            }
            ReturnAddress::InRegister => from.link().unwrap(),
        };
        fp = match saved {
            SavedFp::Same => fp,
            SavedFp::BelowCfa(offset) => read(cfa - offset),
            SavedFp::AtFp => read(fp),
        };
        sp = cfa;
        if pc == 0 {
            break Stop::Complete;
        }
        addresses.push(pc);
    };
    addresses.reverse();
    if addresses.len() <= MAX_FRAMES {
        return (addresses, stop);
    }
    assert_eq!(stop, Stop::Complete);
    addresses.drain(MAX_FRAMES / 2..addresses.len() - MAX_FRAMES / 2);
    (addresses, Stop::MiddleLeftOut)
}

/// In a debug build the walker passes over the stack on its way.
#[inline(never)]
fn new_walker() -> Box<Walker> {
    Box::new(Walker::NEW)
}

/// Two walkers: one remembers, the other is made to forget.
struct Walkers {
    remembering: Box<Walker>,
    forgetful: Box<Walker>,
    walks: usize,
    same: usize,
    previous: Option<(Vec<usize>, Stop, u64)>,
    outer: Option<(Vec<usize>, usize)>,
}

/// The addresses before the innermost ones that have the same upper half. The others are asked for
/// in the way that they are given.
fn outer(walked: &Walked<'_>) -> Vec<usize> {
    let addresses = walked.return_addresses;
    let (outer, inner) = addresses.split_at(addresses.len() - walked.low_halves.len());
    for (address, low_half) in inner.iter().zip(walked.low_halves) {
        assert_eq!(*address, (walked.upper_half as usize) << 32 | *low_half as usize);
    }
    assert_ne!(outer.last().map(|last| last >> 32), Some(walked.upper_half as usize));
    outer.to_vec()
}

impl Walkers {
    fn new() -> Self {
        let (remembering, forgetful) = (new_walker(), new_walker());
        Self { remembering, forgetful, walks: 0, same: 0, previous: None, outer: None }
    }

    /// Walks by every means, and compares.
    #[inline(never)]
    fn check(&mut self) {
        let from = Registers::here();
        let runtime = by_the_runtime();
        let (plain, plain_stop) = plainly(from);
        self.forgetful.is_reusable = false;
        let forgetful = self.forgetful.walk(from);
        let walked = self.remembering.walk(from);
        assert_eq!(forgetful.return_addresses, plain);
        assert_eq!(walked.return_addresses, plain);
        assert_eq!((forgetful.stop, walked.stop), (plain_stop, plain_stop));
        assert_eq!(forgetful.hash, walked.hash);
        let outer = (outer(&walked), walked.outer_changes);
        assert_eq!(self::outer(&forgetful), outer.0);
        if let Some((previous, changes)) = self.outer.replace(outer.clone()) {
            assert!(previous == outer.0 || changes != outer.1);
        }
        assert_eq!(forgetful.is_same, walked.is_same);
        assert!(walked.stop != Stop::Inconsistent);
        let innermost: Vec<usize> = plain.iter().rev().copied().collect();
        let mut expected = runtime.clone();
        if runtime.len() > MAX_FRAMES {
            expected.drain(MAX_FRAMES / 2..runtime.len() - MAX_FRAMES / 2);
        }
        assert_eq!(innermost, expected);
        assert_eq!(walked.stop == Stop::MiddleLeftOut, runtime.len() > MAX_FRAMES);
        if let Some((addresses, stop, hash)) = &self.previous {
            let is_same = *addresses == plain && *stop == plain_stop;
            assert_eq!(walked.is_same, is_same);
            assert_eq!(walked.hash == *hash, is_same);
        } else {
            assert!(!walked.is_same);
        }
        self.walks += 1;
        self.same += usize::from(walked.is_same);
        self.previous = Some((plain, plain_stop, walked.hash));
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// A random tree of calls, of functions with frames of various sizes, from various places of each.
struct Tree<'a> {
    random: Random,
    walkers: &'a mut Walkers,
    calls: u64,
}

impl Tree<'_> {
    #[inline(never)]
    fn grow(&mut self, depth: u64) {
        if self.calls == 0 {
            return;
        }
        self.calls -= 1;
        if self.random.below(3) == 0 {
            self.walkers.check();
        }
        if depth == 0 {
            return;
        }
        for _ in 0..=self.random.below(3) {
            match self.random.below(9) {
                0 => self.with_frame::<1>(depth - 1),
                1 => self.with_frame::<30>(depth - 1),
                2 => self.with_frame::<700>(depth - 1),
                3 => self.through_trait_object(depth - 1),
                4 => self.through_sort(depth - 1),
                5 => self.through_format(depth - 1),
                6 => self.through_realigned(depth - 1),
                7 => self.grow(depth - 1),
                _ => self.walkers.check(),
            }
        }
        if self.random.below(2) == 0 {
            self.walkers.check();
        }
        black_box(&mut self.calls);
    }

    #[inline(never)]
    fn with_frame<const N: usize>(&mut self, depth: u64) {
        let mut frame = [depth; N];
        black_box(&mut frame);
        self.grow(depth);
        if frame[N - 1] % 2 == 0 {
            self.grow(depth);
        }
        black_box(&mut frame);
    }

    #[inline(never)]
    fn through_trait_object(&mut self, depth: u64) {
        let mut work: Box<dyn FnMut()> = Box::new(|| self.grow(depth));
        black_box(&mut work)();
        black_box(&mut work);
    }

    #[inline(never)]
    fn through_sort(&mut self, depth: u64) {
        let mut numbers: Vec<u64> = (0..25).map(|_| self.random.below(100)).collect();
        let mut compared = 0;
        numbers.sort_by(|a, b| {
            compared += 1;
            if compared % 40 == 0 {
                self.grow(depth.min(2));
            }
            a.cmp(b)
        });
        black_box(&numbers);
    }

    #[inline(never)]
    fn through_format(&mut self, depth: u64) {
        struct Shown<'a, 'b>(std::cell::RefCell<&'a mut Tree<'b>>, u64);
        impl fmt::Display for Shown<'_, '_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.borrow_mut().grow(self.1);
                f.pad("shown")
            }
        }
        let text = format!("{:>10} and {}", Shown(self.into(), depth), 1);
        assert_eq!(text, "     shown and 1");
    }

    #[inline(never)]
    fn through_realigned(&mut self, depth: u64) {
        extern "C" fn call(argument: *mut c_void) {
            // SAFETY: the pair below, which nobody else uses now.
            let (tree, depth) = unsafe { &mut *argument.cast::<(&mut Tree<'_>, u64)>() };
            tree.grow(*depth);
            black_box(depth);
        }
        let mut argument = (&mut *self, depth);
        let argument: *mut (&mut Tree<'_>, u64) = &mut argument;
        // SAFETY: `call` takes the argument.
        unsafe { realigned(call, argument.cast()) };
        black_box(argument);
    }
}

#[test]
fn walks_with_and_without_memory_are_those_of_the_runtime() {
    let mut walkers = Walkers::new();
    for seed in 1..=40 {
        let random = Random(seed * 0x9e37_79b9);
        Tree { random, walkers: &mut walkers, calls: 400 }.grow(4 + seed % 12);
    }
    assert!(walkers.walks > 5_000, "{}", walkers.walks);
    assert!(walkers.same > 50, "{}", walkers.same);
}

#[test]
fn recursion_is_walked_to_the_limit() {
    #[inline(never)]
    fn down(walkers: &mut Walkers, depth: usize) {
        if depth % 7 == 0 || depth > 440 {
            walkers.check();
            walkers.check();
        }
        if depth < 560 {
            down(walkers, depth + 1);
        }
        if depth % 11 == 0 || depth > 440 {
            walkers.check();
        }
        black_box(walkers);
    }
    let deep = thread::Builder::new().stack_size(16 << 20);
    deep.spawn(|| down(&mut Walkers::new(), 0)).unwrap().join().unwrap();
}

#[test]
fn a_walk_past_the_limit_keeps_both_ends() {
    #[inline(never)]
    fn down(depth: usize) -> (usize, Stop) {
        if depth == 0 {
            let mut walker = new_walker();
            let walked = walker.walk(Registers::here());
            return (walked.return_addresses.len(), walked.stop);
        }
        black_box(down(depth - 1))
    }
    let deep = |depth| {
        let thread = thread::Builder::new().stack_size(64 << 20);
        thread.spawn(move || down(depth)).unwrap().join().unwrap()
    };
    assert_eq!(deep(600), (MAX_FRAMES, Stop::MiddleLeftOut));
    assert_eq!(deep(16_000), (MAX_FRAMES, Stop::MiddleLeftOut));
    assert_eq!(deep(17_000), (MAX_FRAMES / 2, Stop::TooDeep));
    assert_eq!(down(3).1, Stop::Complete);
    assert!(down(3).0 < 50);
}

#[test]
fn panics_are_walked_from_the_hook_from_drops_and_after() {
    struct Dropped<'a>(&'a mut Walkers);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.check();
        }
    }
    #[inline(never)]
    fn down(walkers: &mut Walkers, depth: usize) {
        let dropped = Dropped(walkers);
        if depth == 0 {
            std::panic::resume_unwind(Box::new(()));
        }
        down(dropped.0, depth - 1);
    }
    let mut walkers = Walkers::new();
    for depth in [0, 1, 5, 20] {
        assert!(catch_unwind(AssertUnwindSafe(|| down(&mut walkers, depth))).is_err());
        walkers.check();
    }
    assert_eq!(walkers.walks, 4 + 1 + 2 + 6 + 21);
}

#[cfg_attr(target_env = "musl", ignore = "its `qsort` has no unwind tables")]
#[test]
fn callbacks_from_c_are_walked() {
    thread_local! {
        static WALKERS: std::cell::RefCell<Walkers> = Walkers::new().into();
    }
    extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        WALKERS.with(|walkers| walkers.borrow_mut().check());
        let (a, b) = (a.cast::<u32>(), b.cast::<u32>());
        // SAFETY: `qsort` hands out elements of the array.
        let a = unsafe { *a };
        // SAFETY: as above.
        a.cmp(unsafe { &*b }) as c_int
    }
    for _ in 0..2 {
        let mut numbers: Vec<u32> = (0..300).map(|i| i * 7919 % 300).collect();
        // SAFETY: `numbers` has so many elements of that size.
        unsafe { qsort(numbers.as_mut_ptr().cast(), numbers.len(), 4, compare) };
        assert!(numbers.windows(2).all(|pair| pair[0] <= pair[1]));
        // Without frames of the library's.
        WALKERS.with(|walkers| walkers.borrow_mut().check());
    }
    WALKERS.with(|walkers| assert!(walkers.borrow().walks > 1000));
}

#[test]
fn threads_of_any_stack_size_are_walked() {
    for kib in [16, 32, 64, 4096] {
        // Made here, where there is room for it.
        let mut walkers = Walkers::new();
        let small = thread::Builder::new().stack_size(kib << 10);
        small.spawn(move || walkers.check()).unwrap().join().unwrap();
    }
}

#[test]
fn a_walker_that_moves_to_another_stack_reuses_nothing() {
    let mut walkers = Walkers::new();
    for kib in [16, 64, 16, 4096, 16, 64] {
        walkers.check();
        let other = thread::Builder::new().stack_size(kib << 10);
        walkers = other
            .spawn(move || {
                walkers.check();
                walkers.check();
                walkers
            })
            .unwrap()
            .join()
            .unwrap();
    }
}

#[test]
fn a_flush_changes_nothing() {
    let mut walkers = Walkers::new();
    for i in 0..20 {
        walkers.check();
        if i % 3 == 0 {
            rule_table::flush();
        }
        prepare();
    }
}

#[test]
fn a_stack_pointer_at_nothing_is_at_no_stack() {
    let mut walker = new_walker();
    let here = Registers::here();
    for (sp, is_same) in [(8, false), (8, true), (here.sp + 4, true), (1 << 47, true)] {
        let walked = walker.walk(Registers::of(here.pc, sp, here.fp));
        assert_eq!((walked.return_addresses, walked.stop), (&[] as &[usize], Stop::NoStack));
        assert_eq!(walked.is_same, is_same);
    }
    assert_eq!(walker.walk(here).stop, Stop::Complete);
}

/// Stacks upon stacks, each further frames deep, and walked on the way down and up.
fn nested(walkers: &mut Walkers, depth: usize) {
    extern "C" fn call(argument: *mut c_void) {
        // SAFETY: what `nested` passes.
        let (walkers, depth) = unsafe { &mut *argument.cast::<(&mut Walkers, usize)>() };
        walkers.check();
        if *depth > 0 {
            nested(walkers, *depth - 1);
        }
        walkers.check();
    }

    let mut memory = vec![0_u64; 8 << 10];
    let end = memory.as_mut_ptr_range().end as usize & !15;
    let mut argument = (walkers, depth);
    // SAFETY: `call` takes the argument, and the memory is room enough for it.
    unsafe { on_another_stack((&mut argument as *mut (&mut Walkers, usize)).cast(), call, end) };
    argument.0.check();
}

#[test]
fn stacks_that_lead_to_others_are_walked_to_the_threads_start() {
    let mut walkers = Walkers::new();
    for depth in [0, 1, 0, 5] {
        walkers.check();
        nested(&mut walkers, depth);
        walkers.check();
    }
    // The frame of more than a page and that of more than a mebibyte.
    #[inline(never)]
    fn large<const SIZE: usize>(walkers: &mut Walkers) {
        let array = std::mem::MaybeUninit::<[u8; SIZE]>::uninit();
        black_box(&array);
        walkers.check();
        nested(walkers, 1);
        walkers.check();
        black_box(&array);
    }
    let deep = thread::Builder::new().stack_size(16 << 20);
    let work = || {
        let mut walkers = Walkers::new();
        large::<10_000>(&mut walkers);
        large::<{ 3 << 20 }>(&mut walkers);
    };
    deep.spawn(work).unwrap().join().unwrap();
}

#[test]
fn registers_that_lie_lead_to_a_stop() {
    let mut walker = new_walker();
    let here = Registers::here();
    let (addresses, stop) = plainly(here);
    assert_eq!(stop, Stop::Complete);
    let end = bounds::readable(here.sp).unwrap().end;
    let mut random = Random(7);
    for _ in 0..100_000 {
        let pc = match random.below(4) {
            0 => here.pc,
            1 => random.below(1 << 50) as usize,
            _ => addresses[random.below(addresses.len() as u64) as usize],
        };
        let within = (here.sp + random.below((end - here.sp) as u64) as usize) & !7;
        let fp = match random.below(4) {
            0 => here.fp,
            1 => end - 8 * random.below(8) as usize,
            2 => random.below(u64::MAX) as usize,
            _ => within,
        };
        let sp = if random.below(2) == 0 { here.sp } else { within };
        walker.walk(Registers::of(pc, sp, fp));
    }
}

#[test]
fn a_realigned_frame_has_the_rare_rule() {
    extern "C" fn call(found: *mut c_void) {
        let mut walker = new_walker();
        let walked = walker.walk(Registers::here());
        let caller = walked.return_addresses.last().map(|address| caller_at(*address));
        // SAFETY: the option below.
        unsafe { *found.cast::<Option<Caller>>() = caller };
    }
    let mut found: Option<Caller> = None;
    // SAFETY: `call` takes the argument.
    unsafe { realigned(call, (&mut found as *mut Option<Caller>).cast()) };
    assert_eq!(found, Some(REALIGNED));
}
