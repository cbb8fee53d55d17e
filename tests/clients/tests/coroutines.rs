//! corosensei: coroutines with stacks of their own. If one is suspended inside `uncounted`, its
//! thread stays uncounted. Whatever was to be measured around that stretch must say so.

use std::hint::black_box;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::thread;

use corosensei::{Coroutine, CoroutineResult};
use mod_alloc::{
    alloc_budget, assert_allocs, measure, uncounted, AllocScope, Budget, Exceeded, ModAlloc,
};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

type Suspended = Coroutine<(), (), ()>;

fn allocate(times: u64) {
    (0..times).for_each(|_| drop(black_box(Box::new(1_u64))));
}

/// A coroutine that is suspended inside `uncounted`, after some allocations that are rightly
/// uncounted.
fn suspended_while_hidden() -> Suspended {
    let mut coroutine = Coroutine::new(|yielder, ()| {
        uncounted(|| {
            allocate(7);
            yielder.suspend(());
            allocate(7);
        });
        allocate(2);
    });
    coroutine.resume(());
    coroutine
}

fn finish(mut coroutine: Suspended) {
    while let CoroutineResult::Yield(()) = coroutine.resume(()) {}
}

fn panics_with<R>(expected: &str, work: impl FnOnce() -> R) {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(work()))).expect_err("it panics");
    let text = panic.downcast_ref::<String>().expect("a formatted text");
    assert!(text.contains(expected), "{text}");
}

const STILL_HIDDEN: &str = "A stretch of `uncounted` that began within it has not ended";
const OUTLIVED: &str = "It has outlived the counters of its thread";

fn assert_not_measured(exceeded: &Exceeded, why: &str) {
    let text = exceeded.to_string().replace("\n ", "");
    assert!(text.starts_with("allocation budget not measured: "), "{exceeded}");
    assert!(text.contains(why), "{exceeded}");
    assert!(!text.contains("call sites"), "{exceeded}");
}

#[test]
fn a_budget_around_a_stretch_that_is_still_hidden_does_not_hold() {
    let mut left = None;
    let around = |budget: Budget, left: &mut Option<Suspended>| {
        budget.check(|| {
            *left = Some(suspended_while_hidden());
            allocate(1_000);
        })
    };
    for budget in [Budget::new().max(3), Budget::new().max_retained(5).call_sites(false)] {
        let exceeded = around(budget, &mut left).expect_err("nobody counted");
        assert_not_measured(&exceeded, STILL_HIDDEN);
        left.take().into_iter().for_each(finish);
    }
    // A budget that is opened in the stretch counts, and so does one that is checked after its end.
    let coroutine = suspended_while_hidden();
    Budget::new().exact(1_000).check(|| allocate(1_000)).expect("it is measured");
    finish(coroutine);
    Budget::new().exact(5).check(|| allocate(5)).expect("likewise");
}

#[test]
fn each_of_several_runs_must_be_measured() {
    let mut left = Vec::new();
    let repeated = Budget::new().max(0).runs(2);
    let exceeded = repeated.check(|| left.push(suspended_while_hidden())).expect_err("nobody");
    assert_not_measured(&exceeded, STILL_HIDDEN);
    left.into_iter().rev().for_each(finish);
}

#[test]
fn a_budget_that_is_ended_while_its_coroutine_runs_in_a_stretch_of_another_does_not_hold() {
    let mut coroutine = Coroutine::new(|yielder, ()| {
        Budget::new().max(3).check(|| {
            yielder.suspend(());
            allocate(1_000);
        })
    });
    coroutine.resume(());
    let CoroutineResult::Return(result) = uncounted(|| coroutine.resume(())) else { panic!() };
    assert_not_measured(&result.expect_err("nobody counted"), STILL_HIDDEN);
}

#[test]
fn a_stretch_that_has_ended_is_passed_over() {
    let budget = Budget::new().exact(2);
    budget.check(|| finish(uncounted(suspended_while_hidden))).expect("all was counted");
}

#[test]
#[should_panic(expected = "allocation budget not measured: the_attribute_fails")]
fn the_attribute_fails() {
    #[alloc_budget(max = 3)]
    fn the_attribute_fails(left: &mut Option<Suspended>) {
        *left = Some(suspended_while_hidden());
        allocate(1_000);
    }
    the_attribute_fails(&mut None);
}

#[test]
#[should_panic(expected = "allocation budget not measured")]
fn the_macro_fails() {
    let mut left = Vec::new();
    assert_allocs!(max = 3, { left.push(suspended_while_hidden()) });
}

#[test]
#[should_panic(expected = "allocation budget not measured")]
fn a_future_fails() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    let future = Budget::new().max(3).enforce_future(async {
        let left = suspended_while_hidden();
        allocate(1_000);
        left
    });
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(left) = pin!(future).poll(&mut context) {
        finish(left);
    }
}

#[test]
fn a_scope_around_a_stretch_that_is_still_hidden_has_no_numbers() {
    let scope = AllocScope::with_call_sites();
    let coroutine = suspended_while_hidden();
    allocate(1_000);
    panics_with(STILL_HIDDEN, || scope.stats());
    panics_with(STILL_HIDDEN, || scope.call_sites());
    let mut left = None;
    panics_with(STILL_HIDDEN, || measure(|| left = Some(suspended_while_hidden())));
    panics_with(STILL_HIDDEN, || scope.exit());
    left.into_iter().chain([coroutine]).for_each(finish);
}

#[test]
fn a_scope_that_is_read_inside_the_stretch_has_the_numbers_until_it_began() {
    let scope = Rc::new(AllocScope::enter());
    allocate(2); // `Rc::new` is a third one.
    let read = || scope.stats().alloc_count;
    assert_eq!(uncounted(read), 3);
    let deeper = Rc::clone(&scope);
    let of_a_coroutine_in_it = uncounted(|| {
        let mut coroutine = Coroutine::<(), (), u64>::new(move |_, ()| deeper.stats().alloc_count);
        coroutine.resume(()).as_return()
    });
    assert_eq!(of_a_coroutine_in_it, Some(3));
    let inner = Rc::clone(&scope);
    let mut coroutine =
        Coroutine::<(), (), u64>::new(move |_, ()| uncounted(|| inner.stats().alloc_count));
    assert_eq!(coroutine.resume(()).as_return(), Some(3));
    drop(coroutine);
    let scope = Rc::try_unwrap(scope).expect("no other is left");
    assert_eq!(uncounted(|| scope.exit()).alloc_count, 3);
}

#[test]
fn a_thread_that_is_detached_in_such_a_stretch_spoils_the_scope() {
    let check = |is_left: bool, is_inside: bool| {
        Budget::new().max(50).check(|| {
            let scope = AllocScope::current().expect("the budget");
            let work = move || {
                let attached = scope.attach();
                let left = is_left.then(suspended_while_hidden);
                allocate(1_000 * u64::from(is_left));
                match is_inside {
                    true => uncounted(|| drop(attached)),
                    false => drop(attached),
                }
                left.into_iter().for_each(finish);
            };
            uncounted(|| thread::spawn(work).join()).expect("it ends well");
        })
    };
    assert_not_measured(&check(true, false).expect_err("nobody counted"), STILL_HIDDEN);
    check(false, true).expect("it was detached inside of its own accord");
    check(false, false).expect("nothing is hidden");
}

struct Moved<T>(T);
// SAFETY: it is not sound in general. What these coroutines hold is used by one thread at a time,
// and mod-alloc looks at the thread.
unsafe impl<T> Send for Moved<T> {}

impl<T> Moved<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Resumes a coroutine on another thread until it returns.
fn finish_elsewhere<R: 'static>(coroutine: Coroutine<(), (), R>) -> R {
    let coroutine = Moved(coroutine);
    let run = move || {
        let mut coroutine = coroutine.into_inner();
        loop {
            if let CoroutineResult::Return(value) = coroutine.resume(()) {
                return Moved(value);
            }
        }
    };
    thread::spawn(run).join().expect("it ends well").into_inner()
}

#[test]
fn a_coroutine_that_goes_on_on_another_thread_is_not_measured() {
    let mut budget = Coroutine::new(|yielder, ()| {
        Budget::new().max(3).check(|| {
            yielder.suspend(());
            allocate(1_000);
        })
    });
    let mut scope = Coroutine::new(|yielder, ()| {
        let scope = AllocScope::enter();
        yielder.suspend(());
        panics_with(OUTLIVED, || scope.exit());
    });
    budget.resume(());
    scope.resume(());
    assert_not_measured(&finish_elsewhere(budget).expect_err("nobody counted"), OUTLIVED);
    finish_elsewhere(scope);

    // A stretch that went on elsewhere has left this thread uncounted.
    let around = Budget::new().max(3).check(|| {
        uncounted(|| finish_elsewhere(suspended_while_hidden()));
        finish_elsewhere(suspended_while_hidden());
        allocate(1_000);
    });
    assert_not_measured(&around.expect_err("nobody counted"), STILL_HIDDEN);
    Budget::new().exact(1_000).check(|| allocate(1_000)).expect("what begins now is measured");
}
