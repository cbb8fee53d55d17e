//! The test harness keeps what tests print in a buffer, unless it is told not to. What the buffer
//! allocates decides nothing: with it and without it, the same budgets hold and break. The tests
//! are below, and run in a process of their own, whose harness may keep their output or not.
#![cfg(feature = "backtraces")]

use std::fmt;
use std::hint::black_box;
use std::io::Write as _;

use mod_alloc::{alloc_budget, AllocScope, Budget, ModAlloc};

#[path = "common/again.rs"]
mod again;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;

use again::this_binary;
use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// What the tests below print.
fn output_of(more: &[&str], backtrace: Option<&str>) -> String {
    let mut again = this_binary();
    again.args(["run::", "--ignored"]).args(more);
    again.envs(backtrace.map(|mode| ("MOD_ALLOC_BACKTRACE", mode)));
    again::run(&mut again).1
}

/// The names of the tests that failed, from the last list of them in an output.
fn failures(output: &str) -> Vec<&str> {
    let (_, list) = output.rsplit_once("failures:\n").expect("a list");
    let (list, _) = list.split_once("\n\n").expect("its end");
    let mut names: Vec<_> =
        list.lines().map(|line| line.trim().trim_start_matches("run::")).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_verdict_is_the_same_whether_the_harness_keeps_the_output_or_not() {
    needs_call_sites!();
    let kept = output_of(&[], None);
    let expected = ["allocates_as_well", "keeps_a_block", "writes_to_its_own_vector"];
    let expected = expected.map(|name| format!("breaks::{name}"));
    assert_eq!(failures(&kept), expected, "{kept}");
    for more in [&["--nocapture"][..], &["--test-threads=1"], &["--nocapture", "--test-threads=1"]]
    {
        let output = output_of(more, None);
        assert_eq!(failures(&output), expected, "{more:?}: {output}");
    }
}

#[test]
fn a_report_has_only_what_is_the_users_and_says_so() {
    needs_call_sites!();
    for kept in [true, false] {
        let output = output_of(if kept { &[] } else { &["--nocapture"] }, None);
        let has = |text: &str| assert!(output.contains(text), "{text}: {output}");
        has("  allocations       0         1  +1\n  bytes           100       123  +23\n");
        has("call sites, most allocations first (1 allocation at 1 site)\n");
        has("  leaked blocks       0         1  +1\n");
        let note =
            "\n  not counted: 1 allocation of the test harness, which keeps what is printed\n";
        assert_eq!(output.contains(note), kept, "{output}");
    }
}

/// Without stacks, nobody can tell whose an allocation is. The documentation says so.
#[test]
fn without_call_sites_all_counts() {
    needs_call_sites!();
    let output = output_of(&[], Some("off"));
    assert!(output.contains("run::holds::prints ... FAILED"), "{output}");
    assert!(!output.contains("of the test harness"), "{output}");
}

/// Prints more than the buffer may have room for.
fn print_much() {
    for _ in 0..8 {
        println!("{:>90}", black_box('x'));
    }
}

struct Point(i32);

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("at ")?;
        write!(f, "{:>200} and {:?}", self.0, "x")
    }
}

struct Vector;

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut own = Vec::new();
        write!(own, "{}", black_box(7)).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&own).map_err(|_| fmt::Error)?)
    }
}

mod run {
    use super::*;

    mod holds {
        use super::*;

        #[alloc_budget(max = 0, max_bytes = 0, max_retained = 0)]
        #[test]
        #[ignore = "another test runs it, in a process of its own"]
        fn prints() {
            println!("hello");
            eprint!("{} {:?}", black_box(1), black_box("two"));
            print_much();
        }

        #[alloc_budget(max_block_bytes = 10)]
        #[test]
        #[ignore = "as above"]
        fn prints_and_asks_for_little() {
            drop(black_box(vec![0_u8; 10]));
            print_much();
            let budget = Budget::new().max(0).max_block_bytes(9);
            let exceeded = budget.check(|| {
                print_much();
                drop(black_box(vec![0_u8; 10]));
            });
            assert_eq!(exceeded.expect_err("10 bytes").largest_block(), Some(10));
        }

        #[alloc_budget(max_peak_bytes = 3_000)]
        #[test]
        #[ignore = "as above"]
        fn prints_while_much_is_live() {
            let block = black_box(vec![0_u8; 3_000]);
            print_much();
            drop(block);
        }

        /// The buffer is from before, and has more bytes already than are added to it.
        #[test]
        #[ignore = "as above"]
        fn prints_before_and_while_much_is_live() {
            print_much();
            let budget = Budget::new().max_peak_bytes(2_999);
            let exceeded = budget.check(|| {
                let _block = black_box(vec![0_u8; 3_000]);
                print_much();
            });
            let exceeded = exceeded.expect_err("3,000 bytes are live");
            assert_eq!(exceeded.stats().peak_bytes, 3_000);
        }

        #[alloc_budget(exact = 1, max_reallocs = 0)]
        #[test]
        #[ignore = "as above"]
        fn prints_what_it_has_allocated() {
            print_much();
            dbg!(black_box(vec![1, 2, 3]));
        }

        #[test]
        #[ignore = "as above"]
        fn prints_while_call_sites_are_recorded_for_a_snapshot() {
            let scope = AllocScope::with_call_sites();
            print_much();
            drop(black_box(vec![1, 2, 3]));
            let text = scope.call_sites().to_string();
            assert!(text.starts_with("1 allocation at 1 site\n   1  tests/printing.rs "), "{text}");
        }

        #[alloc_budget(max = 0)]
        #[test]
        #[ignore = "as above"]
        fn prints_a_type_of_its_own() {
            println!("{}", black_box(Point(1)));
            eprintln!("{:>9} and {}", Point(2), Point(3));
        }

        #[alloc_budget(max = 0, runs = 3, warmup = 1)]
        #[test]
        #[ignore = "as above"]
        fn prints_in_each_run() {
            print_much();
        }

        #[test]
        #[ignore = "as above"]
        fn prints_in_a_future() {
            use std::future::Future as _;
            use std::task::{Context, Poll};

            let mut printing = std::pin::pin!(Budget::new().max(0).check_future(async {
                print_much();
            }));
            let waker = crate::waker::idle();
            let polled = printing.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(matches!(polled, Poll::Ready(Ok(()))), "{polled:?}");
        }

        /// What a panic allocates counts. But its message goes to the buffer, too, and that grows
        /// now and then.
        #[test]
        #[ignore = "as above"]
        fn panics() {
            let work = || drop(std::panic::catch_unwind(|| panic!("{:>600}", black_box(1))));
            let counted = || {
                let exceeded = Budget::new().max(0).check(work).expect_err("it allocates");
                (exceeded.stats().alloc_count, exceeded.stats().total_bytes)
            };
            counted(); // What the first panic of a process sets up.
            let first = counted();
            assert_eq!([counted(), counted()], [first; 2]);
        }
    }

    mod breaks {
        use super::*;

        #[alloc_budget(max = 0, max_bytes = 100)]
        #[test]
        #[ignore = "as above"]
        fn allocates_as_well() {
            println!("hello");
            drop(black_box(vec![0_u8; 123]));
        }

        #[alloc_budget(max = 0)]
        #[test]
        #[ignore = "as above"]
        fn writes_to_its_own_vector() {
            println!("{}", black_box(Vector));
        }

        #[alloc_budget(max_retained = 0)]
        #[test]
        #[ignore = "as above"]
        fn keeps_a_block() {
            print_much();
            std::mem::forget(black_box(vec![1, 2, 3]));
        }
    }
}
