//! `#[alloc_budget]` on `async` functions: each of their polls is counted, and the budget is
//! checked when they are done.
#![forbid(unsafe_code)]
#![deny(warnings)]
#![warn(clippy::pedantic, clippy::nursery, future_incompatible)]
// These lints are about the functions below, which are here to be measured.
#![allow(
    clippy::future_not_send,
    clippy::elidable_lifetime_names,
    clippy::items_after_statements,
    clippy::missing_const_for_fn,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unused_self,
    clippy::use_self,
    clippy::used_underscore_binding
)]

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::future::{pending, poll_fn, Future};
use std::hint::black_box;
use std::num::ParseIntError;
use std::pin::{pin, Pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use mod_alloc::{
    alloc_budget, assert_allocs, assert_no_alloc, measure, uncounted, Budget, ModAlloc,
};

#[path = "common/drive.rs"]
mod drive;
#[path = "common/macro_tests.rs"]
mod macro_tests;
#[path = "common/panics.rs"]
mod panics;
#[path = "common/waker.rs"]
mod waker;
#[path = "common/yield_now.rs"]
mod yield_now;

use drive::drive;
use macro_tests::{allocate, assert_breaks, line_of_panic_in, panic_of, reports_are_plain, Noisy};
use yield_now::yield_now;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    let waker = uncounted(waker::idle);
    future.poll(&mut Context::from_waker(&waker))
}

fn block_on<F: Future>(future: F) -> F::Output {
    drive(future, || ())
}

/// Checks a limit. The futures of `work` make as many allocations as it allows, and `extra` ones.
#[track_caller]
fn assert_limit<F: Future>(limit: u64, mut work: impl FnMut(u64) -> F) {
    macro_tests::assert_limit(limit, |extra| block_on(work(extra)));
}

// ---------------------------------------------------------------- what is counted

#[alloc_budget(max = 3, max_bytes = 100)]
async fn three_polls(extra: u64) -> u64 {
    allocate(1);
    yield_now().await;
    allocate(1);
    yield_now().await;
    allocate(1 + extra);
    7
}

#[test]
fn all_polls_are_counted() {
    assert_eq!(block_on(three_polls(0)), 7);
    assert_limit(3, three_polls);
}

#[test]
fn other_work_between_the_polls_is_not_counted() {
    assert_eq!(drive(three_polls(0), || allocate(20)), 7);
    assert_breaks("allocations 3 4 +1 bytes 100 32 ok", || drive(three_polls(1), || allocate(20)));
}

#[test]
fn the_peak_reaches_over_the_polls() {
    #[alloc_budget(max_peak_bytes = 150)]
    async fn keeps(bytes: usize) {
        let kept = black_box(Vec::<u8>::with_capacity(bytes));
        yield_now().await;
        drop(black_box(Vec::<u8>::with_capacity(50)));
        drop(kept);
    }
    let between = || drop(black_box(Vec::<u8>::with_capacity(1_000)));
    drive(keeps(100), between);
    assert_breaks("peak bytes 150 151 +1", || drive(keeps(101), between));
}

#[test]
fn the_drop_of_locals_and_temporaries_is_counted() {
    #[alloc_budget(max = 2)]
    async fn drops(extra: u64) -> u64 {
        let _local = Noisy;
        yield_now().await;
        allocate(extra);
        Noisy.number()
    }
    assert_eq!(block_on(drops(0)), 7);
    assert_limit(2, drops);
}

#[test]
fn the_drop_of_arguments_is_not_counted() {
    #[alloc_budget(max = 0)]
    async fn arguments(
        used: Noisy,
        _unused: Noisy,
        _: Noisy,
        (part, _): (Noisy, Noisy),
        extra: u64,
    ) -> u64 {
        yield_now().await;
        allocate(extra);
        let _borrow = &part;
        used.number()
    }
    let future = |extra| arguments(Noisy, Noisy, Noisy, (Noisy, Noisy), extra);
    let (number, stats) = measure(|| block_on(future(0)));
    assert_eq!((number, stats.alloc_count), (7, 5), "they do allocate");
    assert_limit(0, future);
}

#[test]
fn the_drop_of_arguments_is_not_counted_on_an_early_return() {
    #[alloc_budget(max = 0)]
    async fn early(used: Noisy, extra: u64) -> Option<u64> {
        yield_now().await;
        allocate(extra);
        let number = (used.number() > 7).then_some(1)?;
        pending::<()>().await;
        Some(number)
    }
    assert_eq!(block_on(early(Noisy, 0)), None);
    assert_limit(0, |extra| early(Noisy, extra));
}

#[test]
fn arguments_that_the_body_drops_are_counted() {
    #[alloc_budget(max = 1)]
    async fn drops(noisy: Noisy, extra: u64) {
        yield_now().await;
        drop(noisy);
        allocate(extra);
    }
    assert_limit(1, |extra| drops(Noisy, extra));
}

#[test]
fn a_future_that_is_dropped_before_its_end_is_not_checked() {
    let mut future = Box::pin(three_polls(0));
    assert!(poll_once(future.as_mut()).is_pending());
    drop(future);
    drop(three_polls(0));

    #[alloc_budget(max = 0)]
    async fn breaks() {
        allocate(1);
        yield_now().await;
    }
    let mut future = Box::pin(breaks());
    assert!(poll_once(future.as_mut()).is_pending());
    assert_breaks("exceeded: breaks ", || poll_once(future.as_mut()));
    let mut future = Box::pin(breaks());
    assert!(poll_once(future.as_mut()).is_pending());
    drop(future);
}

// ---------------------------------------------------------------- ways out of the body

#[test]
fn a_question_mark_ends_the_future_and_it_is_checked() {
    #[alloc_budget(max = 0)]
    async fn parse(text: &str, extra: u64) -> Result<u32, ParseIntError> {
        yield_now().await;
        allocate(extra);
        let number: u32 = text.parse()?;
        if number > 3 {
            return Ok(0);
        }
        Ok(number)
    }
    assert_eq!(block_on(parse("3", 0)), Ok(3));
    assert_eq!(block_on(parse("4", 0)), Ok(0));
    assert!(block_on(parse("three", 0)).is_err());
    for text in ["3", "4", "three"] {
        assert_limit(0, |extra| parse(text, extra));
    }
}

#[test]
fn a_question_mark_converts_to_the_declared_error() {
    #[alloc_budget(max = 0)]
    async fn parse(text: &str) -> Result<(), Box<dyn std::error::Error>> {
        let _: u32 = text.parse()?;
        Ok(())
    }
    assert!(block_on(parse("3")).is_ok());
    assert_breaks("allocations 0 1 +1", || block_on(parse("three")));
}

#[test]
fn functions_without_a_value_may_return_early() {
    #[alloc_budget(max = 0)]
    async fn unit(returns: bool, extra: u64) {
        allocate(extra);
        if returns {
            return;
        }
        yield_now().await;
    }
    assert_limit(0, |extra| unit(true, extra));
    assert_limit(0, |extra| unit(false, extra));
}

#[test]
fn endless_loops_may_have_a_budget() {
    #[alloc_budget(max = limit)]
    async fn endless(limit: i8) {
        loop {
            allocate(1);
            yield_now().await;
        }
    }
    let mut future = Box::pin(endless(0));
    assert!(poll_once(future.as_mut()).is_pending());
    assert!(poll_once(future.as_mut()).is_pending());
    assert!(panic_of(|| poll_once(pin!(endless(-1)))).starts_with("`max = -1`"));
}

#[test]
fn functions_that_never_return_may_have_a_budget() {
    #[alloc_budget(max = limit)]
    async fn waits(limit: i8) -> ! {
        pending::<()>().await;
        panic!("not reached")
    }
    #[alloc_budget(max = 0)]
    async fn panics() -> ! {
        allocate(1);
        yield_now().await;
        panic!("never returns")
    }
    assert!(poll_once(pin!(waits(0))).is_pending());
    assert!(panic_of(|| poll_once(pin!(waits(-1)))).starts_with("`max = -1`"));
    assert_eq!(panic_of(|| block_on(panics())), "never returns");
}

#[test]
fn the_panic_of_the_body_wins() {
    #[alloc_budget(max = 0)]
    async fn panics() {
        allocate(1);
        yield_now().await;
        panic!("the {} own", "body's");
    }
    assert_eq!(panic_of(|| block_on(panics())), "the body's own");
}

// ---------------------------------------------------------------- what the compiler infers

#[test]
fn returned_values_coerce_to_the_declared_type() {
    #[alloc_budget(max = 1)]
    async fn object(extra: u64) -> Box<dyn Debug> {
        allocate(extra);
        Box::new(1_u8)
    }
    #[alloc_budget(max = 2)]
    async fn list(extra: u64) -> Result<Vec<Box<dyn Debug>>, String> {
        allocate(extra);
        Ok(vec![Box::new(1_u8)])
    }
    assert_eq!(format!("{:?} {:?}", block_on(object(0)), block_on(list(0))), "1 Ok([1])");
    assert_limit(1, object);
    assert_limit(2, list);
}

#[test]
fn returned_closures_know_their_parameters() {
    #[alloc_budget(max = 1)]
    async fn length_above(least: usize, extra: u64) -> Box<dyn Fn(&str) -> usize + Send> {
        allocate(extra);
        Box::new(move |text| text.len().max(least))
    }
    assert_eq!(block_on(length_above(1, 0))("abc"), 3);
    assert_limit(1, |extra| length_above(1, extra));
}

#[test]
fn impl_trait_as_the_return_type_stays() {
    #[alloc_budget(max = 0)]
    async fn numbers(below: u32, extra: u64) -> impl Iterator<Item = u32> + Send {
        allocate(extra);
        0..below
    }
    #[alloc_budget(max = 0)]
    async fn result(below: u32, extra: u64) -> Result<impl Iterator<Item = u32>, String> {
        allocate(extra);
        Ok(0..below)
    }
    #[alloc_budget(max = 0)]
    async fn pair<'a>(
        items: &'a [u32],
        extra: u64,
    ) -> (impl Fn(u32) -> u32 + 'a, Option<impl Iterator<Item = &'a u32> + 'a>) {
        allocate(extra);
        (|number| number + 1, Some(items.iter()))
    }
    assert_eq!(block_on(numbers(3, 0)).count(), 3);
    assert_eq!(block_on(result(3, 0)).map(Iterator::count), Ok(3));
    let (add, items) = block_on(pair(&[7], 0));
    assert_eq!((add(1), items.map(Iterator::count)), (2, Some(1)));
    assert_limit(0, |extra| numbers(3, extra));
    assert_limit(0, |extra| result(3, extra));
    assert_limit(0, |extra| pair(&[7], extra));
}

// ---------------------------------------------------------------- signatures

struct Store {
    items: Vec<u32>,
    name: &'static str,
}

impl Store {
    fn new() -> Self {
        Self { items: vec![1, 2], name: "numbers" }
    }

    #[alloc_budget(max = 0)]
    async fn name(&self, extra: u64) -> &str {
        yield_now().await;
        allocate(extra);
        self.name
    }

    /// A borrow that one branch returns and the other one does not.
    #[alloc_budget(max = 0)]
    async fn find_mut(&mut self, wanted: u32, extra: u64) -> Option<&mut u32> {
        allocate(extra);
        #[allow(clippy::manual_find)]
        for item in &mut self.items {
            if *item == wanted {
                return Some(item);
            }
        }
        None
    }

    #[alloc_budget(max = self.items.len())]
    async fn into_items(self, extra: u64) -> Vec<u32> {
        allocate(2);
        yield_now().await;
        allocate(extra);
        self.items
    }

    #[alloc_budget(max = 0)]
    async fn sum(
        &self,
        mut a: u32,
        text: &str,
        (b, _): (u32, String),
        _: String,
        extra: u64,
    ) -> u32 {
        a += b;
        yield_now().await;
        allocate(extra);
        a + text.parse().unwrap_or(0) + self.items[0]
    }
}

#[test]
fn methods_may_have_a_budget() {
    let mut store = Store::new();
    assert_eq!(block_on(store.name(0)), "numbers");
    *block_on(store.find_mut(2, 0)).expect("a two") += 1;
    assert_eq!(block_on(store.find_mut(2, 0)), None);
    assert_eq!(store.items, [1, 3]);
    assert_limit(0, |extra| store.name(extra));
    for wanted in [1, 9] {
        assert_eq!(block_on(store.find_mut(wanted, 0)).is_some(), wanted == 1);
        assert_breaks("allocations 0 1 +1", || block_on(store.find_mut(wanted, 1)).copied());
    }
    assert_limit(2, |extra| Store::new().into_items(extra));
    assert_eq!(block_on(store.into_items(0)), [1, 3]);
}

#[test]
fn methods_may_take_patterns_and_borrows() {
    let store = Store::new();
    let sum = |extra| store.sum(1, "2", (3, "text".into()), "text".into(), extra);
    assert_eq!(block_on(sum(0)), 7);
    assert_limit(0, sum);
}

trait Describe {
    async fn provided(&self, extra: u64) -> u8;
    async fn required(&self, extra: u64) -> u8;
}

impl Describe for u8 {
    #[alloc_budget(max = 0)]
    async fn provided(&self, extra: u64) -> u8 {
        allocate(extra);
        1
    }

    #[alloc_budget(max = *self)]
    async fn required(&self, extra: u64) -> u8 {
        yield_now().await;
        allocate(extra);
        *self
    }
}

#[test]
fn methods_of_traits_may_have_a_budget() {
    assert_eq!((block_on(7.provided(0)), block_on(7.required(0))), (1, 7));
    assert_limit(0, |extra| 7.provided(extra));
    assert_limit(0, |extra| 0.required(extra));
}

#[test]
fn generics_stay() {
    #[alloc_budget(max = N)]
    async fn repeated<T: Copy + Debug, const N: usize>(item: T, events: u64) -> [T; N]
    where
        [T; N]: Sized,
    {
        yield_now().await;
        allocate(events);
        [item; N]
    }
    assert_eq!(block_on(repeated::<_, 2>('a', 0)), ['a', 'a']);
    assert_limit(2, |extra| repeated::<_, 2>('a', 2 + extra));
}

#[test]
fn impl_trait_and_higher_ranked_bounds_as_parameters_stay() {
    #[alloc_budget(max = 0)]
    async fn call<F>(work: impl Fn() -> u64 + Send + Sync, shorten: F) -> u64
    where
        F: for<'a> Fn(&'a str) -> &'a str,
    {
        yield_now().await;
        work() + shorten(" a ").len() as u64
    }
    assert_eq!(block_on(call(|| 2, str::trim)), 3);
    assert_limit(0, |extra| {
        let work = move || {
            allocate(extra);
            2
        };
        call(work, str::trim)
    });
}

#[test]
fn inner_attributes_hold_for_the_whole_body() {
    #[alloc_budget(max = 0)]
    async fn inner(extra: u64) -> u32 {
        #![allow(unused_variables)]
        let unused = 3;
        allocate(extra);
        4
    }
    assert_eq!(block_on(inner(0)), 4);
    assert_limit(0, inner);
}

#[test]
fn names_of_the_user_do_not_meet_those_of_the_expansion() {
    #[alloc_budget(max = __closer + __budget)]
    async fn named(__closer: u64, __budget: u64, extra: u64) -> u64 {
        let __output = __closer;
        let __value = __budget;
        yield_now().await;
        let __exceeded = __output + __value;
        allocate(__exceeded + extra);
        __closer + __budget
    }
    assert_eq!(block_on(named(1, 2, 0)), 3);
    assert_limit(3, |extra| named(1, 2, extra));
}

macro_rules! function {
    (
        $vis:vis async fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty $body:block,
        $limit:expr
    ) => {
        #[alloc_budget(max = $limit * 3)]
        $vis async fn $name($($arg: $type),*) -> $output $body
    };
}

function! {
    pub(crate) async fn from_fragments(events: u64, __value: u8) -> Option<Box<dyn Debug + Send>> {
        let __budget = events;
        yield_now().await;
        allocate(__budget);
        Some(Box::new(__value))
    },
    1 + 1
}

#[test]
fn functions_may_be_made_of_fragments() {
    assert_eq!(format!("{:?}", block_on(from_fragments(5, 7))), "Some(7)");
    assert_limit(6, |extra| from_fragments(5 + extra, 7));
}

// ---------------------------------------------------------------- limits

#[test]
fn what_the_limits_allocate_is_not_counted() {
    #[alloc_budget(max = Noisy.number() - 7, max_deallocs = String::from("abc").len() - 3)]
    async fn limited(extra: u64) {
        yield_now().await;
        allocate(extra);
    }
    assert_limit(0, limited);
}

#[test]
fn wrong_limits_panic_by_their_key_at_the_first_poll() {
    #[alloc_budget(max_bytes = limit)]
    async fn limited(limit: i64) -> u8 {
        7
    }
    assert_eq!(block_on(limited(0)), 7);
    let future = limited(-1);
    assert!(panic_of(|| block_on(future)).starts_with("`max_bytes = -1`: a limit is a number"));
}

// ---------------------------------------------------------------- threads

fn assert_send<T: Send>(_: &T) {}

fn assert_static<T: 'static>(_: &T) {}

#[alloc_budget(exact = 10)]
async fn ten_polls(events: Cell<u64>) {
    for _ in 0..10 {
        let kept = black_box(Box::new(1_u8));
        allocate(events.replace(0));
        yield_now().await;
        drop(kept);
    }
}

#[test]
fn futures_are_send_and_static_as_without_the_budget() {
    #[alloc_budget(max = *limit.lock().expect("no panic"))]
    async fn limited_by_lock(limit: Arc<Mutex<u64>>, events: u64) {
        yield_now().await;
        allocate(events);
    }
    #[alloc_budget(max = 9, warmup = 1, runs = 2)]
    async fn repeated() -> Result<Vec<Box<dyn Debug + Send>>, String> {
        yield_now().await;
        Ok(vec![Box::new(1_u8)])
    }
    let limited = |events| limited_by_lock(Arc::new(Mutex::new(1)), events);
    assert_send(&limited(0));
    assert_static(&limited(0));
    assert_limit(1, |extra| limited(1 + extra));
    assert_send(&repeated());
    assert_static(&repeated());
    assert_send(&ten_polls(Cell::new(0)));
    assert_static(&Store::new().into_items(0));
}

/// Each poll is on a thread of its own.
fn drive_on_threads<F>(future: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let mut future = Box::pin(future);
    loop {
        let poll = thread::spawn(move || {
            let polled = poll_once(future.as_mut());
            (future, polled)
        });
        match poll.join() {
            Ok((_, Poll::Ready(output))) => return output,
            Ok((pending, Poll::Pending)) => future = pending,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

#[test]
fn polls_on_several_threads_are_counted_together() {
    drive_on_threads(ten_polls(Cell::new(0)));
    assert_breaks("allocations exactly 10 11 +1", || drive_on_threads(ten_polls(Cell::new(1))));
    assert_eq!(drive_on_threads(three_polls(0)), 7);
    assert_breaks("allocations 3 4 +1", || drive_on_threads(three_polls(1)));
}

#[test]
fn futures_on_parallel_threads_are_counted_apart() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    drive(three_polls(0), || allocate(1));
                    block_on(ten_polls(Cell::new(0)));
                }
            });
        }
    });
    assert_limit(3, three_polls);
}

// ---------------------------------------------------------------- budgets within budgets

#[test]
fn a_cancelled_inner_future_does_not_end_the_count_of_the_outer() {
    #[alloc_budget(max = 0)]
    async fn never_checked(_argument: Noisy) {
        allocate(1);
        yield_now().await;
    }
    // There are the box of the inner future, one allocation in it, its argument, and one more.
    #[alloc_budget(max = 4)]
    async fn outer(extra: u64) {
        let mut inner = Box::pin(never_checked(Noisy));
        assert!(poll_once(inner.as_mut()).is_pending());
        drop(inner);
        allocate(1);
        yield_now().await;
        allocate(extra);
    }
    assert_limit(4, outer);
}

#[test]
fn an_inner_future_that_is_cancelled_in_a_later_poll_does_not_end_the_count_of_the_outer() {
    #[alloc_budget(max = 0)]
    async fn never_checked(argument: Noisy) -> u64 {
        yield_now().await;
        argument.number()
    }
    // As above, without the allocation in the inner future.
    #[alloc_budget(max = 3)]
    async fn outer(extra: u64) {
        let mut inner = Box::pin(never_checked(Noisy));
        assert!(poll_once(inner.as_mut()).is_pending());
        yield_now().await;
        drop(inner);
        allocate(1 + extra);
    }
    assert_limit(3, outer);
}

#[test]
fn an_inner_future_that_completes_is_exact_and_so_is_the_outer() {
    // The argument is dropped after the inner count, and within the outer one.
    #[alloc_budget(max = 2)]
    async fn inner(noisy: Noisy, events: u64) -> u64 {
        allocate(1);
        yield_now().await;
        allocate(events);
        noisy.number()
    }
    #[alloc_budget(max = 5)]
    async fn outer(of_inner: u64, own: u64) -> u64 {
        allocate(1);
        let number = inner(Noisy, of_inner).await;
        allocate(own);
        number
    }
    assert_eq!(block_on(outer(1, 1)), 7);
    assert_limit(5, |extra| outer(1, 1 + extra));
    assert_breaks("exceeded: inner ", || block_on(outer(2, 0)));
    assert_breaks("exceeded: outer ", || block_on(outer(0, 3)));
}

#[test]
fn futures_that_take_turns_in_an_outer_one_are_counted_apart() {
    #[alloc_budget(exact = 3)]
    async fn turns(first: u64, second: u64, third: u64) {
        allocate(first);
        yield_now().await;
        allocate(second);
        yield_now().await;
        allocate(third);
    }
    #[alloc_budget(max = 6)]
    async fn outer(extra: u64) {
        let mut one = pin!(turns(1, 1, 1));
        let mut other = pin!(turns(0, 2, 1));
        let mut done = (false, false);
        poll_fn(|cx| {
            done.0 = done.0 || one.as_mut().poll(cx).is_ready();
            done.1 = done.1 || other.as_mut().poll(cx).is_ready();
            if done == (true, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        allocate(extra);
    }
    assert_limit(6, outer);
    assert_breaks("allocations exactly 3 4 +1", || block_on(turns(1, 1, 2)));
}

#[test]
fn each_future_of_a_recursive_function_has_a_budget() {
    // There are a box for each of the futures inside, and one allocation in each.
    #[alloc_budget(max = 2 * depth)]
    async fn recursive(depth: u64, extra: u64) -> u64 {
        yield_now().await;
        if depth == 0 {
            allocate(extra);
            return 0;
        }
        allocate(1);
        let inner: Pin<Box<dyn Future<Output = u64>>> = Box::pin(recursive(depth - 1, extra));
        inner.await + 1
    }
    assert_eq!(block_on(recursive(3, 0)), 3);
    assert_limit(0, |extra| recursive(3, extra));
    #[alloc_budget(max = 6)]
    async fn around(extra: u64) {
        recursive(3, 0).await;
        allocate(extra);
    }
    assert_limit(6, around);
}

#[test]
fn a_future_may_be_driven_within_a_measured_block() {
    let driven = |between| {
        assert_allocs!(max = 3, { drive(three_polls(0), || allocate(between)) });
    };
    driven(0);
    assert_breaks("allocations 3 5 +2", || driven(1));
}

#[test]
fn a_budget_on_the_function_that_drives_a_future_counts_it() {
    #[alloc_budget(max = 1)]
    fn drives(extra: u64) {
        block_on(async { allocate(1 + extra) });
    }
    macro_rules! in_macro {
        ($name:ident, $block:block) => {
            #[alloc_budget(max = 0)]
            fn $name() {
                block_on(async $block);
            }
        };
    }
    in_macro!(holds, { allocate(0) });
    in_macro!(breaks, { allocate(1) });
    drives(0);
    assert_breaks("allocations 1 2 +1", || drives(1));
    holds();
    assert_breaks("allocations 0 1 +1", breaks);
}

#[test]
fn measured_blocks_may_stand_between_awaits() {
    #[alloc_budget(max = 1)]
    async fn outer(in_block: u64, own: u64) {
        yield_now().await;
        assert_no_alloc!({ allocate(in_block) }, "in the block");
        yield_now().await;
        allocate(own);
    }
    assert_limit(1, |extra| outer(0, 1 + extra));
    assert_breaks("in the block assert_no_alloc!", || block_on(outer(1, 0)));
}

#[test]
fn measured_blocks_may_make_futures() {
    let (from_block,) = assert_no_alloc!((async {
        yield_now().await;
        allocate(1);
        7
    },));
    let (from_function,) = assert_no_alloc!({
        async fn inner() -> u8 {
            yield_now().await;
            7
        }
        (inner(),)
    });
    let (moved,) = assert_no_alloc!((async move {
        let add: fn(u8) -> u8 = |number| number + 1;
        yield_now().await;
        add(6)
    },));
    assert_eq!((block_on(from_block), block_on(from_function), block_on(moved)), (7, 7, 7));
    assert_breaks("allocations 0 1 +1", || {
        drop(assert_no_alloc!({
            allocate(1);
            (async { yield_now().await },)
        }));
    });
}

#[test]
fn the_attribute_and_the_method_count_the_same() {
    let plain = |extra| Budget::new().exact(3).enforce_future(three_polls(extra));
    assert_eq!(drive(plain(0), || allocate(9)), 7);
    assert_breaks("exceeded: three_polls ", || block_on(plain(1)));
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
async fn run_as_planned() -> usize {
    yield_now().await;
    allocate(PLAN.with_borrow_mut(Vec::pop).expect("a run that was planned"));
    PLAN.with_borrow(Vec::len)
}

#[test]
fn runs_follow_the_warm_up_and_each_must_hold() {
    #[alloc_budget(max = 2, warmup = 2, runs = 3)]
    async fn repeated() -> usize {
        run_as_planned().await
    }
    plan(&[10, 20, 2, 1, 2]);
    assert_eq!(drive(repeated(), || allocate(9)), 0, "the value of the last run");
    for broken in [[9, 9, 3, 2, 2], [9, 9, 2, 3, 2], [9, 9, 2, 2, 3]] {
        plan(&broken);
        assert_breaks("allocations 2 3 +1 2..3", || block_on(repeated()));
        assert!(PLAN.with_borrow(Vec::is_empty), "all runs are made");
    }
}

#[test]
fn values_of_repeated_functions_coerce_to_the_declared_type() {
    #[alloc_budget(max = 2, runs = 2)]
    async fn list() -> Result<Vec<Box<dyn Debug + Send>>, String> {
        run_as_planned().await;
        Ok(vec![Box::new(1_u8)])
    }
    plan(&[0, 0]);
    assert_eq!(format!("{:?}", block_on(list())), "Ok([1])");
    plan(&[0, 1]);
    assert_breaks("allocations 2 3 +1 2..3", || block_on(list()));
}

#[test]
fn the_panic_of_a_repeated_body_wins() {
    #[alloc_budget(max = 0, runs = 3)]
    async fn panics() {
        assert!(run_as_planned().await > 0, "the body's own");
    }
    plan(&[1, 1]);
    assert_eq!(panic_of(|| block_on(panics())), "the body's own");
}

#[test]
fn the_drop_of_locals_counts_in_its_run() {
    #[alloc_budget(max = 2, runs = 2)]
    async fn repeated() -> u64 {
        let _local = Noisy;
        run_as_planned().await;
        Noisy.number()
    }
    plan(&[0, 0]);
    assert_eq!(block_on(repeated()), 7);
    plan(&[0, 1]);
    assert_breaks("allocations 2 3 +1 2..3", || block_on(repeated()));
}

// ---------------------------------------------------------------- what a failure says, and where

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
    async fn breaks() {
        yield_now().await;
        allocate(1);
    }
    assert_eq!(line_of_panic(|| block_on(breaks())), line);

    let line = line!() + 1;
    #[alloc_budget(max = 0, runs = 2)]
    async fn breaks_in_each_run() {
        allocate(1);
    }
    assert_eq!(line_of_panic(|| block_on(breaks_in_each_run())), line);
}

#[test]
fn a_wrong_limit_panics_at_its_attribute() {
    let line = line!() + 1;
    #[alloc_budget(max = limit)]
    async fn limited(limit: i8) {}
    assert_eq!(line_of_panic(|| block_on(limited(-1))), line);

    let line = line!() + 1;
    #[alloc_budget(min = 2, max = limit)]
    async fn swapped(limit: i8) {}
    assert_eq!(line_of_panic(|| block_on(swapped(1))), line);
}

#[test]
fn the_report_names_the_function_and_the_place() {
    let line = line!() + 1;
    #[alloc_budget(max = 0, max_bytes = 1 + 1)]
    async fn named() {
        yield_now().await;
        allocate(1);
    }
    let report = panic_of(|| block_on(named())).replace('\\', "/");
    let head = format!("allocation budget exceeded: named tests/async_fn.rs:{line} ");
    assert!(report.starts_with(&head), "{report}");
    assert!(report.contains("#[alloc_budget(max = 0, max_bytes = 2)] this future"), "{report}");
}
