//! The tests of a package. Each allocates 14 times, or as often as the environment says: `main`
//! runs them beside a copy of this file, which is what they rewrite.

use std::env;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mod_alloc::{alloc_budget, assert_allocs, uncounted, Budget};

fn number(variable: &str, default: usize) -> usize {
    uncounted(|| env::var(variable).map_or(default, |text| text.parse().expect("a number")))
}

#[inline(never)]
fn work() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let more = CALLS.fetch_add(1, Relaxed) * number("MORE", 0);
    for _ in 0..number("ALLOCATIONS", 14) + more {
        drop(black_box(Box::new(black_box(1_u8))));
    }
}

#[test]
#[alloc_budget(exact = 14)]
fn attribute() {
    work();
}

#[cfg_attr(test, alloc_budget(max_bytes = 14, exact = 14))]
#[test]
fn conditional() {
    work();
}

#[test]
#[rustfmt::skip]
fn block() {
    let text = "exact = 14"; /* exact = 14 */ assert_allocs!(exact = 14_u16, { work() }, "{text}");
}

#[test]
#[alloc_budget(exact = 14, runs = 3)]
fn runs() {
    work();
}

#[test]
fn in_a_loop() {
    for _ in 0..3 {
        assert_allocs!(exact = 14, { work() });
    }
}

#[test]
fn at_most_in_a_loop() {
    for _ in 0..3 {
        assert_allocs!(max = 14, { work() });
    }
}

#[test]
#[alloc_budget(max = 14, min = 4)]
fn at_most() {
    work();
}

#[test]
#[alloc_budget(max = 7 * 2)]
fn at_most_an_expression() {
    work();
}

#[test]
#[alloc_budget(max = 90)]
fn prints() {
    work();
    (0..number("LINES", 0)).for_each(|_| println!("{:99}", 1));
}

const FOURTEEN: usize = 14;

#[test]
#[alloc_budget(exact = FOURTEEN)]
fn constant() {
    work();
}

#[test]
fn method() {
    Budget::new().exact(14).enforce(work);
}

macro_rules! tests {
    ($name:ident, $number:literal) => {
        #[test]
        #[alloc_budget(exact = $number)]
        fn $name() {
            work();
        }
    };
}

tests!(of_a_macro, 14);

#[alloc_budget(exact = 14)]
mod module {
    #[test]
    fn of_a_module() {
        super::work();
    }
}

#[rustfmt::skip]
mod many {
    use super::{alloc_budget, work};

    #[test] #[alloc_budget(exact = 14)] fn a() { work() }
    #[test] #[alloc_budget(exact = 14)] fn b() { work() }
    #[test] #[alloc_budget(exact = 14)] fn c() { work() }
    #[test] #[alloc_budget(exact = 14)] fn d() { work() }
    #[test] #[alloc_budget(exact = 14)] fn e() { work() }
    #[test] #[alloc_budget(exact = 14)] fn f() { work() }
    #[test] #[alloc_budget(exact = 14)] fn g() { work() }
    #[test] #[alloc_budget(exact = 14)] fn h() { work() }
}
