//! Allocations in `async` code, polled by hand and under a budget.

use std::future::Future;
use std::hint::black_box;
use std::pin::{pin, Pin};
use std::task::{Context, Poll};
use std::thread;

use mod_alloc::{uncounted, Budget};

use crate::lines::{assert_same_sum, at, check, done, noted, user_lines};
use crate::needs_call_sites::needs_call_sites;
use crate::waker;

/// A future that is pending once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    let waker = uncounted(waker::idle);
    let polled = at!(future.poll(&mut Context::from_waker(&waker)));
    done(waker);
    polled
}

fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = at!(poll(future.as_mut())) {
            return output;
        }
    }
}

async fn allocates() {
    done(at!(vec![1_u8; black_box(3)]));
}

#[test]
fn polled_by_hand() {
    needs_call_sites!();
    check(|| done(at!(drive(allocates()))));
    check(|| {
        at!(drive(async {
            at!(allocates().await);
        }));
        done(());
    });
    check(|| {
        let block = async {
            let inner = async {
                done(at!(black_box("text").to_owned()));
                2
            };
            done(at!(inner.await));
        };
        at!(drive(block));
        done(());
    });
    check(|| {
        let closure = |size: usize| async move {
            done(at!(vec![1_u8; size]));
        };
        at!(drive(closure(black_box(4))));
        done(());
    });
    check(|| {
        let boxed: Pin<Box<dyn Future<Output = ()>>> = uncounted(|| Box::pin(allocates()) as _);
        at!(drive(boxed));
        done(());
    });
}

#[test]
fn after_it_was_suspended() {
    needs_call_sites!();
    fn once_more<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        let waker = uncounted(waker::idle);
        let mut context = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut context).is_pending());
        let Poll::Ready(output) = at!(future.poll(&mut context)) else { panic!("it is ready") };
        done(waker);
        output
    }
    check(|| {
        let future = async {
            Yield(false).await;
            done(at!(vec![1_u8; black_box(3)]));
        };
        at!(once_more(future));
        done(());
    });
}

#[test]
fn under_a_budget_the_chain_ends_with_the_function_that_polls() {
    needs_call_sites!();
    noted();
    let budget = Budget::new().max(0);
    let future = budget.check_future(async {
        at!(allocates().await);
    });
    let exceeded = drive(future).expect_err("it allocates");
    let mut expected = noted();
    // The outermost is the line of `drive`, which is above the poll.
    assert_eq!(expected.pop().map(|(file, _)| file), Some(file!()));
    let sites = exceeded.call_sites();
    assert_same_sum(&sites, exceeded.stats());
    let [site] = sites.sites() else { panic!("one line allocates: {sites:#}") };
    assert_eq!((user_lines(site), expected.len()), (expected, 3), "{sites:#}");
}

#[test]
fn a_budget_on_a_future_that_changes_its_thread_has_the_sites_of_both() {
    needs_call_sites!();
    let future = Budget::new().max(0).check_future(async {
        done(at!(vec![1_u8; black_box(3)]));
        Yield(false).await;
        let mut grown = Vec::new();
        for n in 0..100 {
            at!(grown.push(n));
        }
        done(grown);
    });
    let mut future = Box::pin(future);
    noted();
    assert!(poll(future.as_mut()).is_pending());
    let here = noted()[0];
    let (exceeded, there) = thread::spawn(move || {
        drop(black_box(vec![1_u8; black_box(99)])); // It is no allocation of the future's.
        let Poll::Ready(result) = poll(future.as_mut()) else { panic!("it is ready") };
        (result.expect_err("it allocates"), noted()[0])
    })
    .join()
    .expect("it ends well");
    let sites = exceeded.call_sites();
    assert_same_sum(&sites, exceeded.stats());
    let mut lines: Vec<_> = sites.sites().iter().map(|site| user_lines(site)[0]).collect();
    lines.dedup(); // A `Vec` that grows may have several stacks: one for the first block, and more.
    assert_eq!(lines, [there, here], "{sites:#}");
    assert_eq!(sites.sites().iter().map(|site| site.realloc_count()).sum::<u64>(), 5);
}
