//! `#[alloc_budget]` on functions that are not `async`: they stay what they were, and are held to a
//! budget.
#![deny(warnings)]
#![warn(clippy::pedantic, clippy::nursery, future_incompatible)]
// These lints are about the functions below, which are here to be measured.
#![allow(
    clippy::boxed_local,
    clippy::items_after_statements,
    clippy::missing_const_for_fn,
    clippy::needless_lifetimes,
    clippy::needless_pass_by_value,
    clippy::redundant_closure,
    clippy::redundant_closure_call,
    clippy::redundant_closure_for_method_calls,
    clippy::redundant_pub_crate,
    clippy::unnecessary_box_returns,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::used_underscore_binding
)]

extern crate mod_alloc as renamed;

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::hint::black_box;
use std::mem;
use std::num::ParseIntError;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Mutex;

use mod_alloc::{alloc_budget, measure, AllocScope, ModAlloc};

#[path = "common/macro_tests.rs"]
mod macro_tests;
#[path = "common/panics.rs"]
mod panics;
#[path = "common/ready.rs"]
mod ready;
#[path = "common/waker.rs"]
mod waker;

use macro_tests::{
    allocate, assert_breaks, assert_limit, line_of_panic_in, panic_of, reports_are_plain, Noisy,
};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

// ---------------------------------------------------------------- on tests

#[test]
#[alloc_budget(max = 1)]
fn a_budget_below_test_holds() {
    allocate(1);
}

#[test]
#[should_panic(expected = "allocation budget exceeded: a_budget_below_test_is_broken")]
#[alloc_budget(max = 1)]
fn a_budget_below_test_is_broken() {
    allocate(2);
}

#[alloc_budget(max = 1)]
#[test]
fn a_budget_above_test_holds() {
    allocate(1);
}

#[alloc_budget(max = 1)]
#[test]
#[should_panic(expected = "allocation budget exceeded: a_budget_above_test_is_broken")]
fn a_budget_above_test_is_broken() {
    allocate(2);
}

#[test]
#[alloc_budget(max = 1)]
#[should_panic(expected = "allocation budget exceeded: a_budget_above_should_panic_is_broken")]
fn a_budget_above_should_panic_is_broken() {
    allocate(2);
}

#[test]
#[alloc_budget(max = 0)]
#[should_panic(expected = "the test's own")]
fn a_test_that_should_panic_may_have_a_budget() {
    allocate(1);
    panic!("the test's own");
}

#[test]
#[alloc_budget(max = 0)]
fn a_test_with_a_budget_may_return_a_result() -> Result<(), ParseIntError> {
    let three: u32 = "3".parse()?;
    assert_eq!(three, 3);
    Ok(())
}

// ---------------------------------------------------------------- ways out of the body

#[test]
fn the_budget_is_checked_at_the_end() {
    #[alloc_budget(max = 0)]
    fn value(extra: u64) -> u64 {
        allocate(extra);
        5
    }
    #[alloc_budget(max = 0)]
    fn unit(extra: u64) {
        allocate(extra);
    }
    assert_eq!(value(0), 5);
    assert_limit(0, value);
    assert_limit(0, unit);
}

#[test]
fn the_budget_is_checked_where_a_question_mark_leaves() {
    #[alloc_budget(max = 0)]
    fn parse(text: &str, extra: u64) -> Result<u32, ParseIntError> {
        allocate(extra);
        let number: u32 = text.parse()?;
        Ok(number)
    }
    assert_eq!(parse("3", 0), Ok(3));
    assert!(parse("three", 0).is_err());
    assert_limit(0, |extra| parse("3", extra));
    assert_limit(0, |extra| parse("three", extra));
}

#[test]
fn a_question_mark_converts_to_the_declared_error() {
    #[alloc_budget(max = 0)]
    fn parse(text: &str) -> Result<u32, Box<dyn std::error::Error>> {
        Ok(text.parse::<u32>()?)
    }
    assert_eq!(parse("3").expect("a number"), 3);
    assert_breaks("allocations 0 1 +1", || parse("three"));
}

#[test]
fn the_budget_is_checked_where_return_leaves() {
    #[alloc_budget(max = 0)]
    fn early(number: Option<u32>, extra: u64) -> &'static str {
        allocate(extra);
        let Some(number) = number else {
            return "none";
        };
        if number > 3 {
            return "many";
        }
        "few"
    }
    for (number, name) in [(None, "none"), (Some(4), "many"), (Some(3), "few")] {
        assert_eq!(early(number, 0), name);
        assert_limit(0, |extra| early(number, extra));
    }
}

#[test]
fn loops_and_labels_work_as_ever() {
    #[alloc_budget(max = 0)]
    fn first_above(number: u8, extra: u64) -> Option<u8> {
        allocate(extra);
        let found = 'search: loop {
            for candidate in 0.. {
                if candidate <= number {
                    continue;
                }
                break 'search candidate;
            }
        };
        Some(found)?.checked_add(1)
    }
    assert_eq!(first_above(3, 0), Some(5));
    assert_limit(0, |extra| first_above(3, extra));
}

#[test]
fn the_panic_of_the_body_wins() {
    #[alloc_budget(max = 0)]
    fn panics() {
        allocate(1);
        panic!("the {} own", "body's");
    }
    assert_eq!(panic_of(panics), "the body's own");
}

#[test]
fn functions_that_never_return_may_have_a_budget() {
    #[alloc_budget(max = limit)]
    fn never(limit: i8) -> ! {
        allocate(1);
        panic!("never returns")
    }
    #[alloc_budget(max = limit)]
    fn counts_down(limit: i8) -> ! {
        let mut left = limit;
        loop {
            left = left.checked_sub(100).expect("cannot go on");
        }
    }
    assert_eq!(panic_of(|| never(0)), "never returns");
    assert_eq!(panic_of(|| counts_down(0)), "cannot go on");
    assert!(panic_of(|| never(-1)).starts_with("`max = -1`"));
    assert!(panic_of(|| counts_down(-1)).starts_with("`max = -1`"));
}

// ---------------------------------------------------------------- methods and traits

#[derive(Clone, Debug)]
struct Store {
    items: Vec<u32>,
    name: &'static str,
}

impl Store {
    fn new() -> Self {
        Self { items: vec![1, 2], name: "numbers" }
    }

    #[alloc_budget(max = 0)]
    fn name(&self, extra: u64) -> &str {
        allocate(extra);
        self.name
    }

    #[alloc_budget(max = 0)]
    fn items_mut(&mut self, extra: u64) -> &mut Vec<u32> {
        allocate(extra);
        &mut self.items
    }

    /// A borrow that one branch returns and the other one does not.
    #[alloc_budget(max = 0)]
    fn find_mut(&mut self, wanted: u32, extra: u64) -> Option<&mut u32> {
        allocate(extra);
        #[allow(clippy::manual_find)]
        for item in &mut self.items {
            if *item == wanted {
                return Some(item);
            }
        }
        None
    }

    #[alloc_budget(max = 0)]
    fn into_items(self, extra: u64) -> Vec<u32> {
        allocate(extra);
        self.items
    }

    #[alloc_budget(max = 1)]
    fn boxed(self: Box<Self>, extra: u64) -> Box<dyn Debug> {
        allocate(extra);
        if self.items.is_empty() {
            Box::new(self.name)
        } else {
            Box::new(1_u8)
        }
    }

    #[alloc_budget(max = 0)]
    fn owners(self: Rc<Self>, extra: u64) -> usize {
        allocate(extra);
        Rc::strong_count(&self)
    }

    #[alloc_budget(exact = 1)]
    fn with_items(items: usize) -> Self {
        Self { items: Vec::with_capacity(items), ..Self { items: Vec::new(), name: "new" } }
    }
}

#[test]
fn methods_that_borrow_may_have_a_budget() {
    let mut store = Store::new();
    assert_eq!(store.name(0), "numbers");
    store.items_mut(0).push(3);
    *store.find_mut(3, 0).expect("it was pushed") += 1;
    assert_eq!(store.find_mut(3, 0), None);
    assert_eq!(store.items, [1, 2, 4]);
    assert_limit(0, |extra| store.name(extra).len());
    assert_limit(0, |extra| store.items_mut(extra).len());
    assert_limit(0, |extra| store.find_mut(1, extra).copied());
    assert_limit(0, |extra| store.find_mut(9, extra).copied());
}

#[test]
fn methods_that_consume_may_have_a_budget() {
    assert_eq!(Store::new().into_items(0), [1, 2]);
    assert_limit(0, |extra| Store::new().into_items(extra));
    assert_eq!(format!("{:?}", Box::new(Store::new()).boxed(0)), "1");
    assert_limit(1, |extra| Box::new(Store::new()).boxed(extra));
    assert_eq!(Rc::new(Store::new()).owners(0), 1);
    assert_limit(0, |extra| Rc::new(Store::new()).owners(extra));
}

#[test]
fn associated_functions_may_have_a_budget() {
    assert_eq!(Store::with_items(1).name, "new");
    assert_breaks("allocations exactly 1 0 -1", || Store::with_items(0));
}

trait Describe {
    #[alloc_budget(max = 1)]
    fn provided(&self, extra: u64) -> String {
        allocate(extra);
        String::from("provided")
    }

    fn required(&self, extra: u64) -> u8;
}

impl Describe for u8 {
    #[alloc_budget(max = 0)]
    fn required(&self, extra: u64) -> u8 {
        allocate(extra);
        *self
    }
}

#[test]
fn methods_of_traits_may_have_a_budget() {
    assert_eq!((7.provided(0).as_str(), 7.required(0)), ("provided", 7));
    assert_limit(1, |extra| 7.provided(extra));
    assert_limit(0, |extra| 7.required(extra));
    let object: &dyn Describe = &7;
    assert_limit(1, |extra| object.provided(extra));
    assert_limit(0, |extra| object.required(extra));
}

// ---------------------------------------------------------------- signatures

#[test]
fn generics_stay() {
    #[alloc_budget(max = 0)]
    fn repeated<T: Copy + Debug, const N: usize>(item: T, extra: u64) -> [T; N]
    where
        [T; N]: Sized,
    {
        allocate(extra);
        [item; N]
    }
    assert_eq!(repeated::<_, 2>('a', 0), ['a', 'a']);
    assert_limit(0, |extra| repeated::<_, 3>('a', extra));
}

#[test]
fn arrows_in_bounds_are_no_return_types() {
    #[alloc_budget(max = 0)]
    fn pass_on<F: Fn(u64) -> Vec<u64>>(make: F, extra: u64) -> impl Fn(u64) -> Vec<u64> {
        allocate(extra);
        make
    }
    let make = |number| vec![number];
    assert_eq!(pass_on(make, 0)(3), [3]);
    assert_limit(0, |extra| pass_on(make, extra));
}

#[test]
fn higher_ranked_bounds_stay() {
    #[alloc_budget(max = 0)]
    fn apply<F>(shorten: F) -> usize
    where
        F: for<'a> Fn(&'a str) -> &'a str,
    {
        let text = String::new();
        shorten(&text).len()
    }
    assert_eq!(apply(str::trim), 0);
    assert_limit(0, |extra| {
        apply(|text| {
            allocate(extra);
            text.trim()
        })
    });
}

#[test]
fn lifetimes_stay() {
    #[alloc_budget(max = 0)]
    fn longer<'a>(one: &'a str, other: &'a str, extra: u64) -> &'a str {
        allocate(extra);
        if one.len() > other.len() {
            one
        } else {
            other
        }
    }
    let long = String::from("long");
    let longest = longer(&long, "a", 0);
    assert_eq!(longest, "long");
    assert_limit(0, |extra| longer(&long, "a", extra));
}

#[test]
fn impl_trait_and_patterns_as_parameters_stay() {
    #[alloc_budget(max = 0)]
    fn sum(work: impl FnOnce() -> u64, (a, b): (u64, u64), &[c, ..]: &[u64; 2], mut d: u64) -> u64 {
        d += a + b + c;
        work() + d
    }
    assert_eq!(sum(|| 1, (2, 3), &[4, 9], 5), 15);
    assert_limit(0, |extra| {
        let work = || {
            allocate(extra);
            1
        };
        sum(work, (2, 3), &[4, 9], 5)
    });
}

#[test]
fn impl_trait_as_the_return_type_stays() {
    #[alloc_budget(max = 0)]
    fn copies<'a, T>(items: &'a [T], extra: u64) -> impl Iterator<Item = T> + 'a
    where
        T: Copy + 'a,
    {
        allocate(extra);
        items.iter().copied()
    }
    assert_eq!(copies(&[1, 2], 0).sum::<u32>(), 3);
    assert_limit(0, |extra| copies(&[1, 2], extra).count());
}

#[test]
fn function_pointers_may_be_returned() {
    #[alloc_budget(max = 0)]
    fn doubling(extra: u64) -> fn(u8) -> u8 {
        allocate(extra);
        |number| number * 2
    }
    assert_eq!(doubling(0)(3), 6);
    assert_limit(0, doubling);
}

#[test]
fn calling_conventions_that_unwind_stay() {
    #[alloc_budget(max = 0)]
    extern "C-unwind" fn of_c(extra: u64) {
        allocate(extra);
    }
    #[alloc_budget(max = 0)]
    pub(crate) extern "Rust" fn of_rust(extra: u64) {
        allocate(extra);
    }
    assert_limit(0, |extra| of_c(extra));
    assert_limit(0, |extra| of_rust(extra));
}

#[test]
fn raw_identifiers_stay() {
    #[alloc_budget(max = r#in)]
    fn r#type(r#in: u64, extra: u64) -> u64 {
        allocate(extra);
        r#in
    }
    assert_eq!(r#type(3, 0), 3);
    assert_limit(0, |extra| r#type(0, extra));
}

mod unsafe_functions {
    #![allow(unsafe_code)]

    use super::{alloc_budget, allocate, assert_limit};
    use crate::ready::output_of_first_poll;

    /// # Safety
    /// `number` points to a number.
    #[alloc_budget(max = 0)]
    unsafe fn read(number: *const u8, extra: u64) -> u8 {
        allocate(extra);
        // SAFETY: as the caller has promised.
        unsafe { *number }
    }

    /// # Safety
    /// `number` points to a number.
    #[alloc_budget(max = 0)]
    #[allow(unsafe_op_in_unsafe_fn)]
    unsafe fn read_in_unsafe_body(number: *const u8, extra: u64) -> u8 {
        allocate(extra);
        *number
    }

    /// # Safety
    /// `number` points to a number until the future is dropped.
    #[alloc_budget(max = 0)]
    #[allow(clippy::future_not_send)]
    async unsafe fn read_later(number: *const u8, extra: u64) -> u8 {
        allocate(extra);
        // SAFETY: as the caller has promised.
        unsafe { *number }
    }

    #[test]
    fn unsafe_functions_may_have_a_budget() {
        // SAFETY: the number outlives the calls, here and below.
        let read = |extra| unsafe { read(&7, extra) };
        assert_eq!(read(0), 7);
        assert_limit(0, read);
        // SAFETY: as above.
        let read = |extra| unsafe { read_in_unsafe_body(&7, extra) };
        assert_eq!(read(0), 7);
        assert_limit(0, read);
    }

    #[test]
    fn async_unsafe_functions_may_have_a_budget() {
        // SAFETY: the number is a constant.
        let read = |extra| output_of_first_poll(unsafe { read_later(&7, extra) });
        assert_eq!(read(0), 7);
        assert_limit(0, read);
    }
}

// ---------------------------------------------------------------- what is inferred, and attributes

#[test]
fn returned_values_coerce_to_the_declared_type() {
    #[alloc_budget(max = 2)]
    fn list(extra: u64) -> Result<Vec<Box<dyn Debug>>, String> {
        allocate(extra);
        Ok(vec![Box::new(1_u8)])
    }
    assert_eq!(format!("{:?}", list(0)), "Ok([1])");
    assert_limit(2, list);
}

#[test]
fn returned_closures_know_their_parameters() {
    #[alloc_budget(max = 1)]
    fn length_above(least: usize, extra: u64) -> Box<dyn Fn(&str) -> usize> {
        allocate(extra);
        Box::new(move |text| text.len().max(least))
    }
    assert_eq!(length_above(1, 0)("abc"), 3);
    assert_limit(1, |extra| length_above(1, extra));
}

#[test]
fn the_caller_of_a_tracked_function_stays_the_caller() {
    #[alloc_budget(max = 0)]
    #[track_caller]
    fn line_of_caller(extra: u64) -> u32 {
        allocate(extra);
        Location::caller().line()
    }
    #[track_caller]
    #[alloc_budget(max = 0)]
    fn also_line_of_caller(extra: u64) -> u32 {
        allocate(extra);
        Location::caller().line()
    }
    assert_eq!(line_of_caller(0), line!());
    assert_eq!(also_line_of_caller(0), line!());
    assert_limit(0, line_of_caller);
    assert_limit(0, also_line_of_caller);
}

#[test]
fn inner_attributes_hold_for_the_whole_body() {
    #[alloc_budget(max = 0)]
    fn inner(extra: u64) -> u32 {
        //! An inner comment.
        #![allow(unused_variables)]
        let unused = 3;
        allocate(extra);
        4
    }
    assert_eq!(inner(0), 4);
    assert_limit(0, inner);
}

// ---------------------------------------------------------------- limits

/// Makes three allocations, one of them a reallocation, and two frees. They are of 600 bytes in
/// all, and of 300 at the most at once.
#[allow(clippy::collection_is_never_read)]
fn work() {
    let mut block = black_box(Vec::<u8>::with_capacity(100));
    block.reserve_exact(200);
    drop(black_box(block));
    drop(black_box(Vec::<u8>::with_capacity(300)));
}

#[test]
fn each_key_holds_at_its_limit_and_fails_beyond_it() {
    macro_rules! check {
        ($key:ident: $holds:literal, $broken:literal, $row:literal) => {{
            #[alloc_budget($key = $holds)]
            fn holds() {
                work();
            }
            #[alloc_budget($key = $broken)]
            fn broken() {
                work();
            }
            holds();
            assert_breaks($row, broken);
        }};
    }
    check!(max: 3, 2, "allocations 2 3 +1");
    check!(min: 3, 4, "allocations at least 4 3 -1");
    check!(exact: 3, 4, "allocations exactly 4 3 -1");
    check!(exact: 3, 2, "allocations exactly 2 3 +1");
    check!(max_bytes: 600, 599, "bytes 599 600 +1");
    check!(max_peak_bytes: 300, 299, "peak bytes 299 300 +1");
    check!(max_block_bytes: 300, 299, "largest block 299 300 +1");
    check!(max_reallocs: 1, 0, "reallocations 0 1 +1");
    check!(max_deallocs: 2, 1, "deallocations 1 2 +1");
}

#[test]
fn several_limits_hold_together() {
    #[rustfmt::skip] // It would take away the comma at the end.
    #[alloc_budget(min = 1, max = 2, max_bytes = 8,)]
    fn between(events: u64) {
        allocate(events);
    }
    between(1);
    assert_breaks("allocations 1..2 0 -1", || between(0));
    assert_breaks("allocations 1..2 2 ok bytes 8 16 +8", || between(2));
    assert_breaks("allocations 1..2 3 +1 bytes 8 24 +16", || between(3));
}

#[test]
fn limits_may_use_parameters() {
    #[alloc_budget(max = items.len() * 2 + usize::from(!items.is_empty()))]
    fn allocate_for(items: &[u8], events: u64) {
        allocate(events);
    }
    assert_limit(0, |extra| allocate_for(&[], extra));
    assert_limit(5, |extra| allocate_for(&[1, 2], 5 + extra));
}

#[test]
fn limits_may_use_generics() {
    #[alloc_budget(max = N)]
    fn of_const<const N: usize>(events: u64) {
        allocate(events);
    }
    #[alloc_budget(max = mem::size_of::<T>(), max_deallocs = <u64 as From<u8>>::from(9))]
    fn of_type<T>(events: u64) {
        allocate(events);
    }
    assert_limit(3, |extra| of_const::<3>(3 + extra));
    assert_limit(4, |extra| of_type::<u32>(4 + extra));
}

#[test]
fn limits_may_use_self_and_constants() {
    struct Limits(u64);
    impl Limits {
        const LEAST: u64 = 1;

        #[alloc_budget(max = Self::LEAST + self.0)]
        fn allocate(&self, events: u64) {
            allocate(events);
        }
    }
    assert_limit(3, |extra| Limits(2).allocate(3 + extra));
}

#[test]
fn commas_and_operators_within_a_limit_do_not_end_it() {
    fn three<A, B>(_: A, _: B) -> u64 {
        3
    }
    #[alloc_budget(
        max = three::<u8, Vec<u8>>(1, Vec::new()),
        max_bytes = 1 << 5,
        max_reallocs = 0x0,
    )]
    fn turbofish(events: u64) {
        allocate(events);
    }
    #[alloc_budget(max = if events < 2 && 3 > 2 { 1_u8 } else { 2 }, max_deallocs = [9, 8][1])]
    fn branches(events: u64) {
        allocate(events);
    }
    #[alloc_budget(max = (|a: u64, b: u64| a + b)(1, 1), max_reallocs = 0)]
    fn closure(events: u64) {
        allocate(events);
    }
    assert_limit(3, |extra| turbofish(3 + extra));
    assert_limit(2, |extra| branches(2 + extra));
    assert_limit(2, |extra| closure(2 + extra));
}

#[test]
fn limits_may_have_any_integer_type() {
    macro_rules! check {
        ($($int:ty)*) => {$({
            #[alloc_budget(max = limit)]
            fn limited(limit: $int, events: u64) {
                allocate(events);
            }
            assert_limit(2, |extra| limited(2, 2 + extra));
        })*};
    }
    check!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
}

#[test]
fn limits_above_32_bits_are_no_overflow() {
    #[alloc_budget(max = 0, max_bytes = 5_000_000_000)]
    fn at_most(events: u64) {
        allocate(events);
    }
    #[alloc_budget(min = 5_000_000_000)]
    fn at_least() {}
    at_most(0);
    assert_breaks("allocations 0 1 +1 bytes 5,000,000,000 8 ok", || at_most(1));
    assert_breaks("allocations at least 5,000,000,000 0 -5,000,000,000", at_least);
}

#[test]
fn limits_that_are_no_u64_panic_by_their_key() {
    #[alloc_budget(max = most, max_bytes = bytes)]
    fn limited(most: i32, bytes: i128) -> u8 {
        7
    }
    let most = "a limit is a number from 0 to 18446744073709551615";
    assert_eq!(limited(0, 0), 7);
    assert_eq!(panic_of(|| limited(-1, 0)), format!("`max = -1`: {most}"));
    assert_eq!(panic_of(|| limited(0, -2)), format!("`max_bytes = -2`: {most}"));
    let above = i128::from(u64::MAX) + 1;
    assert_eq!(panic_of(|| limited(0, above)), format!("`max_bytes = {above}`: {most}"));
}

#[test]
fn limits_are_evaluated_once_and_before_the_body() {
    #[alloc_budget(max = calls.replace(calls.get() + 1))]
    fn limited(calls: &Cell<u64>) -> u64 {
        calls.get()
    }
    let calls = Cell::new(0);
    assert_eq!((limited(&calls), limited(&calls)), (1, 2));
}

#[test]
fn temporaries_of_limits_are_gone_before_the_body() {
    #[alloc_budget(max = *limit.lock().expect("no panic"))]
    fn limited(limit: &Mutex<u64>, events: u64) -> bool {
        allocate(events);
        limit.try_lock().is_ok()
    }
    assert!(limited(&Mutex::new(0), 0));
    assert_limit(1, |extra| limited(&Mutex::new(1), 1 + extra));
}

// ---------------------------------------------------------------- names and paths

#[test]
fn names_of_the_user_do_not_meet_those_of_the_expansion() {
    #[alloc_budget(max = __guard + __budget)]
    fn named(__guard: u64, __budget: u64, extra: u64) -> u64 {
        let __exceeded = __guard;
        let __value = __budget;
        let __closer = __exceeded + __value;
        allocate(__closer + extra);
        __closer
    }
    assert_eq!(named(1, 2, 0), 3);
    assert_limit(3, |extra| named(1, 2, extra));
}

mod items_that_shadow {
    // That these are not used is what the test shows.
    #![allow(dead_code)]

    use ::mod_alloc::alloc_budget;

    mod core {}
    mod std {}
    mod mod_alloc {}
    mod __private {}
    struct Budget;
    struct Result;
    struct Ok;
    struct Err;
    fn enter() {}
    fn fail() {}
    fn limit() {}

    #[alloc_budget(max = u8::MAX)]
    fn limited(events: u64) {
        super::allocate(events);
    }

    #[alloc_budget(max = 0, runs = 2)]
    fn repeated() {
        super::allocate(1);
    }

    #[test]
    fn items_of_the_user_do_not_meet_those_of_the_expansion() {
        super::assert_limit(255, |extra| limited(255 + extra));
        super::assert_breaks("allocations 0 1 +1", repeated);
    }
}

/// Takes the place of the crate, and shows by a limit that it adds to each budget.
mod stand_in {
    pub(crate) mod __private {
        pub(crate) use mod_alloc::__private::{fail, Exceeded, Setting};

        pub(crate) struct Guard;

        impl Guard {
            #[track_caller]
            pub(crate) fn of_function(
                settings: &[Setting],
                module: &'static str,
                name: &'static str,
                returns_nothing: bool,
                fail: fn(Exceeded),
            ) -> mod_alloc::__private::Guard {
                let settings = [settings, &[Setting::max_bytes(8)]].concat();
                mod_alloc::__private::Guard::of_function(
                    &settings,
                    module,
                    name,
                    returns_nothing,
                    fail,
                )
            }
        }
    }
}

#[test]
fn the_crate_is_found_by_the_path_that_is_given() {
    #[alloc_budget(max = 1, crate = renamed)]
    fn by_name(events: u64) {
        allocate(events);
    }
    #[alloc_budget(crate = ::renamed, max = 1)]
    fn by_absolute_path(events: u64) {
        allocate(events);
    }
    #[alloc_budget(max = 9, crate = crate::stand_in)]
    fn by_reexport(events: u64) {
        allocate(events);
    }
    assert_limit(1, |extra| by_name(1 + extra));
    assert_limit(1, |extra| by_absolute_path(1 + extra));
    by_reexport(1);
    assert_breaks("allocations 9 2 ok bytes 8 16 +8", || by_reexport(2));
}

// ---------------------------------------------------------------- in macros of the user

macro_rules! function {
    (
        $(#[$attribute:meta])*
        $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty $body:block
    ) => {
        $(#[$attribute])*
        #[alloc_budget(max = 1)]
        $vis fn $name($($arg: $type),*) -> $output $body
    };
}

function! {
    /// A comment is an attribute, too.
    pub(crate) fn from_fragments(events: u64) -> Option<Box<dyn Debug>> {
        let __guard = events;
        allocate(__guard);
        Some(Box::new(()))
    }
}

function! {
    fn generic_type(items: Vec<Vec<u8>>, events: u64) -> Result<usize, Box<dyn std::error::Error>> {
        allocate(events);
        let one: usize = "1".parse()?;
        Ok(items.len() + one)
    }
}

function! {
    #[test]
    fn a_test_from_fragments_has_a_budget() -> Result<(), ParseIntError> {
        allocate(1);
        "3".parse::<u8>().map(drop)
    }
}

function! {
    #[test]
    #[should_panic(expected = "allocation budget exceeded: \
        a_test_from_fragments_breaks_its_budget")]
    fn a_test_from_fragments_breaks_its_budget() -> () {
        allocate(2);
    }
}

#[test]
fn functions_may_be_made_of_fragments() {
    assert_limit(1, |extra| from_fragments(1 + extra).is_some());
    assert_eq!(generic_type(vec![Vec::new()], 0).expect("a number"), 2);
    assert_limit(1, |extra| generic_type(Vec::new(), 1 + extra).is_ok());
}

macro_rules! item {
    ($item:item, $limit:expr) => {
        #[alloc_budget(max = $limit)]
        #[allow(dead_code)]
        $item
    };
}

item! { fn whole_item(extra: u64) -> String { allocate(extra); String::from("item") }, 1 }
item! { pub(in crate) fn with_visibility(events: u64) { allocate(events); }, 1 + 1 }
item! {
    #[test]
    #[should_panic(expected = "exceeded: a_test_as_a_whole_item")]
    fn a_test_as_a_whole_item() {
        allocate(1);
    },
    0
}

#[test]
fn functions_may_be_whole_items() {
    assert_eq!(whole_item(0), "item");
    assert_limit(1, whole_item);
    assert_limit(2, |extra| with_visibility(2 + extra));
}

macro_rules! precedence {
    ($sum:expr, $literal:literal, $path:path, $type:ty) => {
        #[alloc_budget(max = $sum * 3, min = $literal, crate = $path)]
        fn limited(events: u64) -> u64 {
            allocate(events);
            $sum * 3
        }

        #[alloc_budget(max = $sum as u64 * $sum)]
        fn cast(events: u64) -> u64 {
            #![allow(clippy::unnecessary_cast)]
            allocate(events);
            9 - $sum as u64
        }

        #[alloc_budget(max = <$type>::from(1_u8))]
        fn of_type(events: u64, item: &$type) -> Option<$type> {
            allocate(events);
            <$type>::default().checked_add(*item)
        }
    };
}

precedence!(1 + 2, 2, mod_alloc, u64);

#[test]
fn expressions_from_fragments_stay_in_one_piece() {
    assert_eq!((limited(9), cast(0), of_type(0, &4)), (9, 6, Some(4)));
    assert_breaks("allocations 2..9 10 +1", || limited(10));
    assert_breaks("allocations 2..9 1 -1", || limited(1));
    assert_limit(9, |extra| cast(9 + extra));
    assert_limit(1, |extra| of_type(1 + extra, &4));
}

macro_rules! reference_to {
    ($type:ty, $name:ident) => {
        #[alloc_budget(max = 0)]
        fn $name<'a>(item: &'a ($type), events: u64) -> &'a ($type) {
            allocate(events);
            item
        }
    };
}

reference_to!(dyn Debug + Send, same_object);

#[test]
fn types_from_fragments_stay_in_one_piece() {
    assert_eq!(format!("{:?}", same_object(&3, 0)), "3");
    assert_limit(0, |extra| format!("{:?}", same_object(&3, extra)));
}

// ---------------------------------------------------------------- what is counted

#[test]
fn the_drop_of_local_variables_is_counted() {
    #[alloc_budget(max = 2)]
    fn locals(extra: u64) {
        let _first = Noisy;
        let _second = Noisy;
        allocate(extra);
    }
    assert_limit(2, locals);
}

#[test]
fn the_drop_of_local_variables_is_counted_on_an_early_return() {
    #[alloc_budget(max = 1)]
    fn locals(extra: u64) -> u64 {
        let noisy = Noisy;
        allocate(extra);
        if noisy.number() == 7 {
            return 1;
        }
        2
    }
    assert_eq!(locals(0), 1);
    assert_limit(1, locals);
}

#[test]
fn temporaries_of_the_last_expression_are_counted() {
    #[alloc_budget(max = 1)]
    fn tail(extra: u64) -> u64 {
        allocate(extra);
        Noisy.number()
    }
    assert_eq!(tail(0), 7);
    assert_limit(1, tail);
}

#[test]
fn the_drop_of_arguments_is_not_counted() {
    #[alloc_budget(max = 0)]
    fn unused(_first: Noisy, _: Noisy, (_third, _): (Noisy, Noisy), extra: u64) {
        allocate(extra);
    }
    #[alloc_budget(max = 0)]
    fn used(noisy: &Noisy, other: Noisy, extra: u64) -> u64 {
        allocate(extra);
        noisy.number() + other.number()
    }
    let ((), stats) = measure(|| unused(Noisy, Noisy, (Noisy, Noisy), 0));
    assert_eq!(stats.alloc_count, 4, "they do allocate");
    assert_limit(0, |extra| unused(Noisy, Noisy, (Noisy, Noisy), extra));
    assert_limit(0, |extra| used(&Noisy, Noisy, extra));
}

#[test]
fn arguments_that_the_body_drops_are_counted() {
    #[alloc_budget(max = 1)]
    fn drops(noisy: Noisy, extra: u64) {
        drop(noisy);
        allocate(extra);
    }
    #[alloc_budget(max = 1)]
    fn moves(noisy: Noisy, extra: u64) {
        let _moved = noisy;
        allocate(extra);
    }
    assert_limit(1, |extra| drops(Noisy, extra));
    assert_limit(1, |extra| moves(Noisy, extra));
}

#[test]
fn what_the_limits_allocate_is_not_counted() {
    #[alloc_budget(max = Noisy.number() - 7, max_deallocs = String::from("abc").len() - 3)]
    fn limited(extra: u64) {
        allocate(extra);
    }
    let ((), stats) = measure(|| limited(0));
    assert_eq!(stats.alloc_count, 2, "they do allocate");
    assert_limit(0, limited);
}

#[test]
fn budgets_nest() {
    #[alloc_budget(max = 1)]
    fn inner(events: u64) {
        allocate(events);
    }
    #[alloc_budget(max = 3)]
    fn outer(of_inner: u64, own: u64) {
        inner(of_inner);
        inner(1);
        allocate(own);
    }
    assert_limit(3, |extra| outer(1, 1 + extra));
    assert_breaks("exceeded: inner ", || outer(2, 0));
    assert_breaks("exceeded: outer ", || outer(0, 3));
}

#[test]
fn each_call_of_a_recursive_function_has_a_budget() {
    #[alloc_budget(max = limit)]
    fn recursive(depth: u64, limit: u64, extra: u64) {
        if let Some(depth) = depth.checked_sub(1) {
            allocate(1);
            recursive(depth, limit - 1, extra);
        } else {
            allocate(extra);
        }
    }
    assert_limit(0, |extra| recursive(3, 3, extra));
    assert_breaks("allocations 1 3 +2", || recursive(3, 4, 3));
}

// ---------------------------------------------------------------- several runs

thread_local! {
    /// How many allocations the coming runs make. The last number is that of the next run.
    static PLAN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn plan(events: &[u64]) {
    PLAN.set(events.iter().rev().copied().collect());
}

/// Does the next run of the plan, and returns how many are left.
fn run_as_planned() -> usize {
    allocate(PLAN.with_borrow_mut(Vec::pop).expect("a run that was planned"));
    PLAN.with_borrow(Vec::len)
}

#[test]
fn runs_follow_the_warm_up_and_each_must_hold() {
    #[alloc_budget(max = 2, warmup = 2, runs = 3)]
    fn repeated() -> usize {
        run_as_planned()
    }
    plan(&[10, 20, 2, 1, 2]);
    assert_eq!(repeated(), 0, "the value of the last run");
    for broken in [[9, 9, 3, 2, 2], [9, 9, 2, 3, 2], [9, 9, 2, 2, 3]] {
        plan(&broken);
        assert_breaks("allocations 2 3 +1 2..3", repeated);
        assert!(PLAN.with_borrow(Vec::is_empty), "all runs are made");
    }
}

#[test]
fn one_run_follows_a_warm_up() {
    #[alloc_budget(max = 0, warmup = 1 + 1)]
    fn warm() -> usize {
        run_as_planned()
    }
    plan(&[5, 5, 0]);
    assert_eq!(warm(), 0);
    plan(&[5, 5, 1]);
    assert_breaks("allocations 0 1 +1", warm);
}

#[test]
#[alloc_budget(exact = 1, warmup = 1, runs = 3)]
fn a_test_may_be_repeated() {
    allocate(1);
}

#[test]
#[should_panic(expected = "allocation budget exceeded: a_repeated_test_breaks_its_budget")]
#[alloc_budget(max = 0, runs = 2)]
fn a_repeated_test_breaks_its_budget() {
    allocate(1);
}

#[test]
fn values_of_repeated_functions_coerce_to_the_declared_type() {
    #[alloc_budget(max = 2, runs = 2)]
    fn list() -> Result<Vec<Box<dyn Debug>>, String> {
        run_as_planned();
        Ok(vec![Box::new(1_u8)])
    }
    #[alloc_budget(max = 0, runs = 2)]
    fn closure() -> Box<dyn Fn(&str) -> usize> {
        run_as_planned();
        Box::new(|text| text.len())
    }
    #[alloc_budget(max = 0, runs = 2)]
    fn iterator() -> impl Iterator<Item = usize> {
        0..run_as_planned() + 3
    }
    plan(&[0; 6]);
    assert_eq!(format!("{:?}", list()), "Ok([1])");
    assert_eq!(closure()("abc"), 3);
    assert_eq!(iterator().count(), 3);
    plan(&[0, 1, 0, 1, 0, 1]);
    assert_breaks("allocations 2 3 +1", list);
    assert_breaks("allocations 0 1 +1", closure);
    assert_breaks("allocations 0 1 +1", iterator);
}

#[test]
fn the_panic_of_a_repeated_body_wins() {
    #[alloc_budget(max = 0, runs = 3)]
    fn panics() {
        assert!(run_as_planned() > 0, "the body's own");
    }
    plan(&[1, 1]);
    assert_eq!(panic_of(panics), "the body's own");
}

#[test]
fn temporaries_and_locals_of_a_run_count_in_it() {
    #[alloc_budget(max = 2, runs = 2)]
    fn repeated() -> u64 {
        let _local = Noisy;
        run_as_planned();
        Noisy.number()
    }
    plan(&[0, 0]);
    assert_eq!(repeated(), 7);
    plan(&[0, 1]);
    assert_breaks("allocations 2 3 +1 2..3", repeated);
}

// ---------------------------------------------------------------- where the panic is

/// The line of this file in which `work` panics.
#[track_caller]
fn line_of_panic<R>(work: impl FnOnce() -> R) -> u32 {
    line_of_panic_in(file!(), work)
}

#[test]
fn a_broken_budget_panics_at_its_attribute() {
    if !reports_are_plain("a_broken_budget_panics_at_its_attribute") {
        return;
    }
    let line = line!() + 1;
    #[alloc_budget(max = 0)]
    fn breaks() {
        allocate(1);
    }
    assert_eq!(line_of_panic(breaks), line);

    let line = line!() + 1;
    #[alloc_budget(max = 0)]
    #[allow(clippy::needless_return)]
    fn breaks_early() -> u8 {
        allocate(1);
        return 3;
    }
    assert_eq!(line_of_panic(breaks_early), line);

    let line = line!() + 1;
    #[alloc_budget(max = 0)]
    fn breaks_where_it_returns() {
        allocate(1);
        if black_box(true) {
            return;
        }
        unreachable!();
    }
    assert_eq!(line_of_panic(breaks_where_it_returns), line);

    macro_rules! leave {
        () => {
            return
        };
    }
    let line = line!() + 1;
    #[alloc_budget(max = 0)]
    fn breaks_where_a_macro_returns() {
        allocate(1);
        if black_box(true) {
            leave!();
        }
        unreachable!();
    }
    assert_eq!(line_of_panic(breaks_where_a_macro_returns), line);

    let line = line!() + 1;
    #[alloc_budget(max = 0)]
    fn breaks_in_a_macro_of_std() {
        assert!({
            allocate(1);
            true
        });
    }
    assert_eq!(line_of_panic(breaks_in_a_macro_of_std), line);

    let line = line!() + 1;
    #[alloc_budget(max = 0, runs = 2)]
    fn breaks_in_each_run() {
        allocate(1);
    }
    assert_eq!(line_of_panic(breaks_in_each_run), line);

    let line = line!() + 1;
    #[alloc_budget(max = 0)]
    #[track_caller]
    fn breaks_tracked() {
        allocate(1);
    }
    assert_eq!(line_of_panic(|| breaks_tracked()), line);
}

#[test]
fn the_scope_of_a_budget_ends_where_its_code_panics() {
    #[alloc_budget(max = 9)]
    fn panics() {
        panic!("of its own");
    }
    #[alloc_budget(max = 9)]
    #[allow(clippy::needless_return)]
    fn panics_or_returns() {
        assert!(black_box(false), "of its own");
        return;
    }
    assert_eq!(panic_of(panics), "of its own");
    assert_eq!(panic_of(panics_or_returns), "of its own");
    assert!(AllocScope::current().is_none());
}

#[test]
fn a_wrong_limit_panics_at_its_attribute() {
    let line = line!() + 1;
    #[alloc_budget(max = limit)]
    fn limited(limit: i8) {}
    assert_eq!(line_of_panic(|| limited(-1)), line);

    let line = line!() + 1;
    #[alloc_budget(min = 2, max = limit)]
    fn swapped(limit: i8) {}
    assert_eq!(line_of_panic(|| swapped(1)), line);
}

#[test]
fn the_report_names_the_function_and_the_place() {
    let line = line!() + 1;
    #[alloc_budget(max = 0, max_bytes = 1 + 1)]
    fn named() {
        allocate(1);
    }
    let report = panic_of(named).replace('\\', "/");
    let head = format!("allocation budget exceeded: named tests/attribute.rs:{line} ");
    assert!(report.starts_with(&head), "{report}");
    assert!(report.contains("#[alloc_budget(max = 0, max_bytes = 2)] this thread"), "{report}");
}

#[test]
fn each_limit_is_held_where_it_is_the_only_one() {
    macro_rules! assert_held {
        ($($key:ident = $limit:literal: $expected:literal,)*) => {$(
            #[alloc_budget($key = $limit)]
            fn $key() {
                let mut bytes = black_box(Vec::<u8>::with_capacity(64));
                bytes.reserve_exact(black_box(128));
                mem::forget(black_box(bytes));
                drop(black_box(Box::new(7_u8)));
            }
            assert_breaks($expected, $key);
        )*};
    }
    assert_held! {
        max = 2: "allocations 2 3 +1",
        min = 4: "allocations at least 4 3 -1",
        exact = 4: "allocations exactly 4 3 -1",
        max_bytes = 192: "bytes 192 193 +1",
        max_peak_bytes = 128: "peak bytes 128 129 +1",
        max_block_bytes = 127: "largest block 127 128 +1",
        max_reallocs = 0: "reallocations 0 1 +1",
        max_deallocs = 0: "deallocations 0 1 +1",
        max_retained = 0: "leaked blocks 0 1 +1",
        max_retained_bytes = 127: "leaked bytes 127 128 +1",
    }
}

#[test]
fn the_arrow_of_a_bound_is_not_that_of_the_function() {
    #[alloc_budget(max_retained = 0)]
    fn generic<F: Fn() -> u8>(work: F) -> Box<u8> {
        black_box(Box::new(work()))
    }
    #[alloc_budget(max = 1, runs = 2)]
    fn opaque() -> impl Fn() -> Box<dyn Fn() -> u8> {
        || Box::new(|| 7_u8) as Box<dyn Fn() -> u8>
    }
    assert_breaks("retained blocks 0 1 +1", || generic(|| 7));
    assert_eq!(opaque()()(), 7);
}
