//! The tests of the package. Each does nothing unless it is run by `Project`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::{env, thread};

use mod_alloc::{alloc_budget, assert_allocs, uncounted, Budget};

use crate::work;

/// What a test does is as the environment says, so that it can change.
fn number(variable: &str) -> usize {
    uncounted(|| env::var(variable).map_or(2, |text| text.parse().expect("a number")))
}

fn parse() {
    work::parse(number("TOKENS"), number("LABELS"), uncounted(|| env::var_os("PAGE").is_some()));
}

fn is_run() -> bool {
    uncounted(|| env::var_os("PROGRAM").is_some())
}

macro_rules! programs {
    ($($name:ident $body:block)*) => {$(
        #[test]
        fn $name() {
            if is_run() $body
        }
    )*};
}

programs! {
    by_name {
        Budget::new().recorded("parses").enforce(parse);
    }
    attribute {
        parsed_under_the_attribute();
    }
    block {
        assert_allocs!(recorded, { parse() });
    }
    with_other_limits {
        assert_allocs!(recorded, max_bytes = 9, { parse() });
    }
    several {
        assert_allocs!(recorded, { parse() });
        assert_allocs!(recorded, max_deallocs = 9, { work::parse(number("TOKENS"), 0, false) });
    }
    in_a_loop {
        for count in [2, number("TOKENS"), 2] {
            assert_allocs!(recorded, { work::parse(count, 0, false) });
        }
    }
    runs {
        let mut first = 7;
        Budget::new().recorded("runs").warmup(1).runs(3).enforce(|| {
            work::parse(first, 0, false);
            first = number("TOKENS");
        });
        assert_allocs!(recorded, runs = 2, { parse() });
    }
    a_future {
        let (parsed,) = Budget::new().max(9).enforce(|| (parsed(),));
        block_on(parsed);
        let checked = Budget::new().recorded("future").check_future(async { parse() });
        block_on(checked).unwrap();
    }
    an_error {
        let budget = Budget::new().recorded("error");
        let exceeded = budget.check(parse).expect_err("it has no record");
        assert_eq!(exceeded.budget(), budget);
        assert_eq!(exceeded.stats().alloc_count, 4);
        assert_eq!(format!("{budget:?}"), "Budget::new().recorded(\"error\")");
    }
    prints {
        assert_allocs!(recorded, {
            (0..number("LINES")).for_each(|line| println!("{line}: a line that is kept"));
            parse();
        });
    }
    panics {
        Budget::new().recorded("panics").enforce(|| {
            parse();
            assert!(!is_run(), "for another reason");
        });
    }
    on_other_threads {
        let run = |name: &str| {
            let name = name.to_owned();
            let work = || assert_allocs!(recorded, { parse() });
            let thread = thread::Builder::new().name(name).spawn(work).expect("a thread");
            thread.join().expect("it holds");
        };
        run("a worker");
        thread::spawn(|| assert_allocs!(recorded, { parse() })).join().expect("it holds");
    }
    two_of_the_same_name {
        Budget::new().recorded("twice").enforce(parse);
        Budget::new().recorded("twice").enforce(parse);
    }
    odd_names {
        const LONG: &str = match std::str::from_utf8(&[b'x'; 300]) {
            Ok(text) => text,
            Err(_) => "",
        };
        for name in ["../../escaped", "/escaped", "con", "nul.txt", "a::b", "A::b", "a\nb", LONG] {
            Budget::new().recorded(name).enforce(parse);
        }
    }
}

#[alloc_budget(recorded)]
fn parsed_under_the_attribute() {
    parse();
}

#[alloc_budget(recorded, runs = 2)]
async fn parsed() {
    parse();
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }
    let waker = Waker::from(Arc::new(Nobody));
    match pin!(future).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// Two hundred tests, each with a number of its own.
mod many {
    macro_rules! tests {
        ($($tens:ident)*) => {$(
            mod $tens {
                tests!(@ a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10);
            }
        )*};
        (@ $($name:ident $count:literal)*) => {$(
            #[test]
            fn $name() {
                if super::super::is_run() {
                    let count = $count * super::super::number("TOKENS");
                    mod_alloc::assert_allocs!(recorded, { crate::work::parse(count, 1, false) });
                }
            }
        )*};
    }
    tests!(a b c d e f g h i j k l m n o p q r s t);
}
