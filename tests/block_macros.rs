//! `assert_allocs!` and `assert_no_alloc!`: their blocks stay what they were, and are held to a
//! budget.
#![forbid(unsafe_code)]
#![deny(warnings)]
#![warn(clippy::pedantic, clippy::nursery, future_incompatible)]
// These lints are about the code below, which is here to be measured.
#![allow(
    clippy::borrow_as_ptr,
    clippy::items_after_statements,
    clippy::let_and_return,
    clippy::needless_return,
    clippy::never_loop,
    clippy::no_effect_underscore_binding,
    clippy::semicolon_if_nothing_returned,
    clippy::single_match_else,
    clippy::unnecessary_wraps,
    clippy::unused_self
)]

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::hint::black_box;
use std::num::ParseIntError;
use std::panic::{catch_unwind, AssertUnwindSafe, Location};
use std::sync::Mutex;

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, ModAlloc};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/macro_tests.rs"]
mod macro_tests;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/panics.rs"]
mod panics;

use macro_tests::{
    allocate, assert_breaks, assert_limit, line_of_panic_in, panic_of, reports_are_plain, Noisy,
};
use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

// ---------------------------------------------------------------- forms

#[test]
fn a_block_is_held_to_its_budget() {
    assert_limit(1, |extra| assert_allocs!(max = 1, { allocate(1 + extra) }));
    assert_limit(0, |extra| assert_no_alloc!({ allocate(extra) }));
}

#[test]
fn an_expression_is_held_to_its_budget() {
    assert_eq!(assert_no_alloc!(1 + 2), 3);
    assert_eq!(assert_allocs!(max = 1, 1 + 2), 3);
    assert_limit(1, |extra| assert_allocs!(max = 1, allocate(1 + extra)));
    assert_limit(0, |extra| assert_no_alloc!(allocate(extra)));
    assert_limit(0, |extra| {
        assert_no_alloc!(if extra > 0 {
            allocate(extra)
        })
    });
    assert_limit(0, |extra| {
        assert_no_alloc!(match extra {
            0 => "none",
            _ => {
                allocate(extra);
                "some"
            }
        }
        .len())
    });
}

#[test]
fn statements_are_held_to_their_budget() {
    let sum = assert_no_alloc! {
        let one = 1;
        let two = 2;
        one + two
    };
    assert_eq!(sum, 3);
    assert_limit(0, |extra| {
        assert_no_alloc! {
            let events = extra;
            allocate(events);
        }
    });
    assert_limit(0, |extra| {
        assert_no_alloc! { for _ in 0..extra { allocate(1) } assert!(extra < 2) }
    });
}

#[test]
fn an_assignment_is_no_limit() {
    let total;
    assert_no_alloc!(total = 3);
    let mut last = 0;
    assert_limit(1, |extra| {
        assert_allocs!(
            max = 1,
            last = {
                allocate(1 + extra);
                total
            }
        );
    });
    assert_eq!(last, total);
}

#[test]
#[rustfmt::skip] // It would take away the commas at the end.
fn a_comma_may_end_each_form() {
    assert_eq!(assert_no_alloc!(3,), 3);
    assert_eq!(assert_no_alloc!({ 3 },), 3);
    assert_eq!(assert_no_alloc!(3, "message",), 3);
    assert_eq!(assert_no_alloc!(3, "message {}", 1,), 3);
    assert_eq!(assert_allocs!(max = 0, 3,), 3);
    assert_eq!(assert_allocs!(max = 0, { 3 }, "message {}", 1,), 3);
    assert_limit(0, |extra| assert_no_alloc!(allocate(extra),));
    assert_limit(0, |extra| assert_allocs!(max = 0, { allocate(extra) },));
    assert_breaks(" message 1 ", || assert_allocs!(max = 0, { allocate(1) }, "message {}", 1,));
}

#[test]
fn commas_of_closures_and_generics_begin_no_message() {
    let (add,) = assert_no_alloc!((|a: u8, b: u8| a + b,));
    assert_eq!(add(1, 2), 3);
    assert_limit(0, |extra| {
        let map = assert_no_alloc!(HashMap::<u8, u64>::new());
        assert_no_alloc! {
            let sum: HashMap<u8, u64> = map;
            allocate(extra + sum.len() as u64);
        }
    });
}

#[test]
fn a_block_may_begin_with_a_string() {
    assert_eq!(assert_allocs!(max = 1, "a b".to_string()), "a b");
    assert_eq!(assert_allocs!(max = 1, "a b".to_string(), "message {}", "c".len()), "a b");
    assert_eq!(assert_no_alloc!("a b".len() + 1), 4);
    assert_breaks(" message 1 ", || assert_allocs!(max = 0, "a".to_string(), "message {}", 1));
}

#[test]
fn commas_of_types_separate_nothing() {
    let map = HashMap::<u8, u8>::new();
    let at = assert_no_alloc!(&map as *const HashMap<u8, u8>);
    assert_eq!(at, assert_allocs!(max = 0, &map as *const HashMap<u8, u8>, "message"));
}

#[test]
fn the_macros_stand_where_any_expression_does() {
    let one = black_box(1);
    if assert_no_alloc!(one == 2) {
        unreachable!();
    }
    while assert_no_alloc!({ one == 2 }) {
        unreachable!();
    }
    assert_eq!([assert_no_alloc!(one), assert_allocs!(max = 0, one) + 1], [1, 2]);
    assert_limit(0, |extra| [assert_no_alloc!({ allocate(extra) })]);
}

// ---------------------------------------------------------------- the value

#[test]
fn values_coerce_to_the_type_that_is_expected() {
    type List = Result<Vec<Box<dyn Debug>>, String>;
    let boxed: Box<dyn Debug> = assert_allocs!(exact = 1, { Box::new(3_u8) });
    let with_message: Box<dyn Debug> = assert_allocs!(exact = 1, { Box::new(4_u8) }, "{boxed:?}");
    let repeated: Box<dyn Debug> = assert_allocs!(exact = 1, runs = 2, { Box::new(5_u8) });
    let list: List = assert_allocs!(exact = 2, { Ok(vec![Box::new(6_u8)]) });
    let list_with_message: List = assert_allocs!(exact = 2, { Ok(vec![Box::new(7_u8)]) }, "list");
    assert_eq!(format!("{:?}", (boxed, with_message, repeated)), "(3, 4, 5)");
    assert_eq!(format!("{list:?} {list_with_message:?}"), "Ok([6]) Ok([7])");
    assert_limit(2, |extra| -> List {
        assert_allocs!(max = 2, {
            allocate(extra);
            Ok(vec![Box::new(8_u8)])
        })
    });
}

#[test]
fn closures_know_the_parameters_that_are_expected() {
    type Length = Box<dyn Fn(&str) -> usize>;
    let least = black_box(1);
    let length: Length = assert_allocs!(exact = 1, { Box::new(move |text| text.len().max(least)) });
    let with_message: Length =
        assert_allocs!(exact = 1, { Box::new(move |text| text.len().max(least)) }, "message");
    assert_eq!((length("abc"), with_message("")), (3, 1));
    assert_limit(1, |extra| -> Length {
        assert_allocs!(max = 1, {
            allocate(extra);
            Box::new(move |text| text.len().max(least))
        })
    });
}

#[test]
fn values_may_borrow_from_outside_of_the_block() {
    let mut list = vec![1, 2];
    let first = assert_no_alloc!({ &mut list[0] }, "first of {}", 2);
    *first = 3;
    let first = assert_no_alloc!(list.first_mut());
    *first.expect("two items") += 1;
    assert_eq!(list, [4, 2]);
    assert_limit(0, |extra| {
        *assert_no_alloc!({
            allocate(extra);
            &mut list[1]
        }) += 1;
    });
}

#[test]
fn types_are_inferred_from_what_values_are_used_for() {
    fn of_any_type<T>(value: T) -> T {
        assert_no_alloc!({ value })
    }
    let numbers: Vec<u8> = assert_allocs!(exact = 1, (1..3).collect());
    let mut empty = assert_no_alloc!(Vec::new());
    empty.extend(numbers);
    let (number, default) = (assert_no_alloc!(7), assert_no_alloc!(Default::default()));
    assert_eq!(u8::min(number, default), 0);
    let none = assert_no_alloc!({ None }, "message");
    let some = of_any_type(Some(empty));
    assert_eq!(none.or(some), Some(vec![1, 2]));
}

#[test]
fn a_future_or_a_closure_is_returned_in_a_tuple() {
    let (make,) = assert_no_alloc!((|| async { 7 },));
    let (future,) = assert_allocs!(max = 0, runs = 2, { (make(),) });
    drop(future);
}

// ---------------------------------------------------------------- ways out of the block

#[test]
fn break_and_continue_leave_the_block_and_it_is_checked() {
    fn loops(extra_at_continue: u64, extra_at_break: u64) -> u32 {
        let mut rounds = 0;
        for round in 0.. {
            rounds = round;
            assert_no_alloc! {
                if round < 3 {
                    allocate(extra_at_continue);
                    continue;
                }
                allocate(extra_at_break);
                break;
            }
        }
        rounds
    }
    assert_eq!(loops(0, 0), 3);
    assert_limit(0, |extra| loops(extra, 0));
    assert_limit(0, |extra| loops(0, extra));
}

#[test]
fn break_to_a_label_with_a_value_leaves_the_block_and_it_is_checked() {
    fn search(extra: u64) -> u32 {
        'search: loop {
            for candidate in 0.. {
                assert_no_alloc!(
                    {
                        if candidate == 3 {
                            allocate(extra);
                            break 'search candidate;
                        }
                    },
                    "at {candidate}"
                );
            }
        }
    }
    assert_eq!(search(0), 3);
    assert_limit(0, search);
}

#[test]
fn return_leaves_the_function_and_the_block_is_checked() {
    fn returns(number: u8, extra: u64) -> u8 {
        assert_allocs!(max = 1, {
            if number == 1 {
                allocate(1 + extra);
                return 10;
            }
        });
        assert_allocs!(
            max = 1,
            {
                if number == 2 {
                    allocate(1 + extra);
                    return 20;
                }
            },
            "number {number}"
        );
        assert_allocs!(max = 1, {
            allocate(1 + extra);
            return number;
        })
    }
    fn returns_with_message(number: u8) -> u8 {
        assert_no_alloc!({ return number }, "number {number}")
    }
    for (number, value) in [(1, 10), (2, 20), (3, 3)] {
        assert_eq!(returns(number, 0), value);
        assert_limit(1, |extra| returns(number, extra));
    }
    assert_eq!(returns_with_message(4), 4);
}

#[test]
fn a_question_mark_leaves_the_function_and_the_block_is_checked() {
    fn parse(text: &str, extra: u64) -> Result<u32, ParseIntError> {
        let number = assert_allocs!(max = 0, {
            allocate(extra);
            let number: u32 = text.parse()?;
            number + 1
        });
        Ok(number)
    }
    fn parse_with_message(text: &str, extra: u64) -> Result<u32, ParseIntError> {
        Ok(assert_no_alloc!(
            {
                allocate(extra);
                text.parse::<u32>()? + 1
            },
            "in {text}"
        ))
    }
    for function in [parse, parse_with_message] {
        assert_eq!(function("3", 0), Ok(4));
        assert!(function("three", 0).is_err());
        assert_limit(0, |extra| function("3", extra));
        assert_limit(0, |extra| function("three", extra));
    }
}

#[test]
fn the_panic_of_the_block_wins() {
    fn not_formatted() -> u8 {
        panic!("formatted")
    }
    let panics = || {
        assert_no_alloc! {
            allocate(1);
            panic!("the {} own", "block's");
        }
    };
    let panics_with_message = || {
        assert_no_alloc!(
            {
                allocate(1);
                panic!("the {} own", "block's");
            },
            "message {}",
            not_formatted()
        );
    };
    assert_eq!(panic_of(panics), "the block's own");
    assert_eq!(panic_of(panics_with_message), "the block's own");
}

// ---------------------------------------------------------------- messages

#[test]
fn a_message_stands_in_the_report() {
    let name = "header";
    assert_breaks("while reading header ", || {
        assert_no_alloc!({ allocate(1) }, "while reading {name}");
    });
    assert_breaks("while reading header and 1 2 ", || {
        assert_no_alloc!(allocate(1), "while reading {name} and {} {second}", 1, second = 1 + 1);
    });
    assert_breaks(r" C:\new ", || assert_allocs!(max = 0, { allocate(1) }, r"C:\new"));
    assert_breaks("in each run", || {
        assert_allocs!(max = 0, runs = 2, { allocate(1) }, "in each {}", "run");
    });
}

#[test]
fn a_message_is_formatted_on_failure_only() {
    let formatted = Cell::new(0);
    let message = || formatted.replace(formatted.get() + 1);
    for extra in [0, 1] {
        let once = || assert_no_alloc!({ allocate(extra) }, "message {}", message());
        let runs = || assert_allocs!(max = 0, runs = 2, { allocate(extra) }, "{}", message());
        assert_eq!(catch_unwind(AssertUnwindSafe(once)).is_ok(), extra == 0);
        assert_eq!(catch_unwind(AssertUnwindSafe(runs)).is_ok(), extra == 0);
        assert_eq!(formatted.get(), 2 * extra);
    }
}

#[test]
fn a_message_sees_what_the_block_has_done() {
    let mut list = Vec::new();
    assert_breaks("length 1 ", || {
        assert_no_alloc!({ list.push(black_box(7_u8)) }, "length {}", list.len());
    });
}

#[test]
fn what_a_message_allocates_is_not_counted() {
    let long = || "long ".repeat(3);
    assert_breaks("long long long assert_no_alloc! this thread metric budget", || {
        assert_no_alloc!({ allocate(1) }, "{}", long());
    });
    assert_breaks("allocations 0 1 +1", || assert_no_alloc!({ allocate(1) }, "{}", long()));
}

#[test]
fn a_message_is_not_formatted_when_the_block_is_left_early() {
    fn not_formatted() -> u8 {
        panic!("formatted")
    }
    fn question_mark() -> Option<u8> {
        assert_no_alloc!(
            {
                allocate(1);
                None::<u8>?
            },
            "message {}",
            not_formatted()
        );
        Some(1)
    }
    fn returns() {
        assert_no_alloc!(
            {
                allocate(1);
                return;
            },
            "message {}",
            not_formatted()
        )
    }
    fn breaks() {
        loop {
            assert_no_alloc!(
                {
                    allocate(1);
                    break;
                },
                "message {}",
                not_formatted()
            );
        }
    }
    let expected = "assert_no_alloc! this thread metric budget measured allocations 0 1 +1";
    assert_breaks(expected, question_mark);
    assert_breaks(expected, returns);
    assert_breaks(expected, breaks);
}

// ---------------------------------------------------------------- limits

/// Makes three allocations, one of them a reallocation, and two frees. They are of 600 bytes in
/// all, and of 300 at the most at once.
fn work() {
    let mut block = black_box(Vec::<u8>::with_capacity(100));
    block.reserve_exact(200);
    drop(black_box(block));
    drop(black_box(Vec::<u8>::with_capacity(300)));
}

#[test]
fn each_key_holds_at_its_limit_and_fails_beyond_it() {
    assert_allocs!(max = 3, work());
    assert_breaks("allocations 2 3 +1", || assert_allocs!(max = 2, work()));
    assert_allocs!(min = 3, work());
    assert_breaks("allocations at least 4 3 -1", || assert_allocs!(min = 4, work()));
    assert_allocs!(exact = 3, work());
    assert_breaks("allocations exactly 4 3 -1", || assert_allocs!(exact = 4, work()));
    assert_allocs!(max_bytes = 600, work());
    assert_breaks("bytes 599 600 +1", || assert_allocs!(max_bytes = 599, work()));
    assert_allocs!(max_peak_bytes = 300, work());
    assert_breaks("peak bytes 299 300 +1", || assert_allocs!(max_peak_bytes = 299, work()));
    assert_allocs!(max_block_bytes = 300, work());
    assert_breaks("largest block 299 300 +1", || assert_allocs!(max_block_bytes = 299, work()));
    assert_allocs!(max_reallocs = 1, work());
    assert_breaks("reallocations 0 1 +1", || assert_allocs!(max_reallocs = 0, work()));
    assert_allocs!(max_deallocs = 2, work());
    assert_breaks("deallocations 1 2 +1", || assert_allocs!(max_deallocs = 1, work()));
}

#[test]
fn call_sites_are_in_the_report_unless_they_are_not_wanted() {
    needs_call_sites!();
    #[alloc_budget(max = 0, call_sites = false)]
    fn without() {
        allocate(1);
    }
    let shown = "call sites, most allocations first";
    assert_breaks(shown, || assert_allocs!(max = 0, call_sites = true, allocate(1)));
    for report in [
        panic_of(|| assert_allocs!(max = 0, call_sites = false, allocate(1))),
        panic_of(|| assert_allocs!(max = 0, call_sites = false, runs = 2, allocate(1))),
        panic_of(without),
    ] {
        assert!(!report.contains(shown), "{report}");
    }
}

#[test]
fn what_a_block_without_a_value_retains_is_leaked() {
    assert_breaks("leaked blocks 0 0 ok", || assert_allocs!(min = 1, max_retained = 0, {}));
    assert_breaks("leaked blocks 0 0 ok", || {
        assert_allocs!(min = 1, max_retained = 0, {
            allocate(0);
        });
    });
    assert_breaks("retained blocks 0 1 +1", || {
        assert_allocs!(max_retained = 0, black_box(Box::new(1)))
    });
}

#[test]
fn no_alloc_forbids_reallocations_and_allows_frees() {
    let mut block = vec![1_u8, 2];
    assert_breaks("allocations 0 1 +1", || assert_no_alloc!(block.reserve_exact(100)));
    assert_no_alloc!(drop(block));
    let block = vec![1_u8, 2];
    assert_breaks("allocations 0 0 ok deallocations 0 1 +1", || {
        assert_allocs!(max = 0, max_deallocs = 0, drop(block));
    });
}

#[test]
fn limits_may_be_any_expression() {
    fn three<A, B>(_: A, _: B) -> u64 {
        3
    }
    let items = [1_u8, 2];
    assert_limit(2, |extra| assert_allocs!(max = items.len(), { allocate(2 + extra) }));
    assert_limit(3, |extra| assert_allocs!(max = items.len() + 1, allocate(3 + extra)));
    assert_limit(3, |extra| assert_allocs!(max = three::<u8, u8>(1, 2), allocate(3 + extra)));
    assert_limit(4, |extra| {
        assert_allocs!(max_deallocs = 9, max = if extra < 2 { 1 << 2 } else { 0 }, {
            allocate(4 + extra)
        });
    });
}

#[test]
fn limits_above_32_bits_are_no_overflow() {
    assert_allocs!(max = 1, max_bytes = 5_000_000_000, { allocate(1) });
    assert_breaks("allocations 1 2 +1 bytes 5,000,000,000 16 ok", || {
        assert_allocs!(max = 1, max_bytes = 5_000_000_000, { allocate(2) });
    });
}

#[test]
fn negative_limits_panic_by_their_key() {
    let limit = |max: i32, bytes: i64| assert_allocs!(max = max, max_bytes = bytes, {});
    limit(0, 0);
    assert!(panic_of(|| limit(-1, 0)).starts_with("`max = -1`: a limit is a number from 0 to"));
    assert!(panic_of(|| limit(0, -2)).starts_with("`max_bytes = -2`: a limit is"));
}

#[test]
fn temporaries_of_limits_are_gone_before_the_block() {
    let limit = Mutex::new(1_u64);
    let read = || limit.lock().expect("no panic");
    assert_limit(1, |extra| {
        assert!(assert_allocs!(max = *read(), {
            allocate(*read() + extra);
            limit.try_lock().is_ok()
        }));
    });
    assert!(assert_allocs!(max = *read(), runs = 2, { limit.try_lock().is_ok() }));
}

// ---------------------------------------------------------------- what is counted

#[test]
fn what_the_limits_allocate_is_not_counted() {
    assert_limit(7, |extra| {
        let seven = 7 + extra;
        assert_allocs!(max = Noisy.number(), max_deallocs = seven, { allocate(seven) });
    });
    assert_allocs!(max = String::from("abc").len() - 3, max_deallocs = 0, {});
}

#[test]
fn locals_and_temporaries_of_the_last_expression_are_counted() {
    fn boxed(events: u64) -> u64 {
        allocate(events);
        events
    }
    assert_limit(1, |extra| {
        assert_allocs!(max = 1, {
            let _local = Noisy;
            allocate(extra);
        });
    });
    assert_limit(1, |extra| {
        assert_allocs!(max = 1, {
            allocate(extra);
            Noisy.number()
        })
    });
    assert_limit(1, |extra| assert_allocs!(max = 1, Noisy.number().max(boxed(extra))));
    assert_limit(1, |extra| {
        assert_allocs!(
            max = 1,
            {
                allocate(extra);
                Noisy.number()
            },
            "message"
        )
    });
}

#[test]
fn the_value_of_the_block_is_not_dropped_in_it() {
    drop(assert_no_alloc!(Noisy));
    drop(assert_no_alloc!({ Noisy }, "message"));
    assert_breaks("allocations 0 1 +1", || assert_no_alloc!(drop(Noisy)));
    assert_breaks("allocations 0 1 +1", || assert_no_alloc!({ drop(Noisy) }, "message"));
}

#[test]
fn blocks_nest() {
    fn nested(inner: u64, outer: u64) {
        assert_allocs!(max = 3, {
            assert_no_alloc! { let _nothing = 1; }
            assert_allocs!(max = 1, { allocate(inner) });
            assert_allocs!(max = 2, {
                assert_allocs!(exact = 1, { allocate(1) });
                allocate(outer);
            });
        });
    }
    nested(1, 1);
    assert_breaks("assert_allocs!(max = 1) this thread", || nested(2, 0));
    assert_breaks("assert_allocs!(max = 2) this thread", || nested(0, 2));
    assert_limit(3, |extra| {
        assert_allocs!(max = 3, {
            assert_allocs!(max = 2, { allocate(2) });
            allocate(1 + extra);
        });
    });
}

#[test]
fn each_call_of_a_recursive_block_has_a_budget() {
    fn recursive(depth: u64, extra: u64) -> u64 {
        assert_allocs!(max = depth, {
            if depth == 0 {
                allocate(extra);
                0
            } else {
                allocate(1);
                recursive(depth - 1, extra) + 1
            }
        })
    }
    assert_eq!(recursive(3, 0), 3);
    assert_limit(0, |extra| recursive(3, extra));
}

#[test]
fn blocks_stand_in_functions_with_a_budget() {
    #[alloc_budget(max = 2)]
    fn outer(inner: u64, own: u64) {
        assert_allocs!(max = 1, { allocate(inner) });
        allocate(own);
    }
    assert_limit(2, |extra| outer(1, 1 + extra));
    assert_breaks("assert_allocs!(max = 1)", || outer(2, 0));
}

// ---------------------------------------------------------------- several runs

#[test]
fn runs_follow_the_warm_up_and_each_must_hold() {
    let repeated = |events: [u64; 5]| {
        let mut events = events.into_iter();
        assert_allocs!(max = 2, warmup = 2, runs = 3, {
            allocate(events.next().expect("five runs"));
            events.len()
        })
    };
    assert_eq!(repeated([10, 20, 2, 1, 2]), 0, "the value of the last run");
    assert_breaks("allocations 2 3 +1 2..3", || repeated([9, 9, 3, 2, 2]));
    assert_breaks("allocations 2 3 +1 2..3", || repeated([9, 9, 2, 3, 2]));
    assert_breaks("allocations 2 3 +1 1..3", || repeated([9, 9, 1, 2, 3]));
}

#[test]
fn what_ends_a_body_within_may_stand_in_a_repeated_one() {
    macro_rules! not_of_rust {
        ($name:ident?) => {
            $name
        };
    }
    let two = assert_allocs!(max = 0, runs = 2, {
        trait Length {
            fn length(&self) -> Option<usize>;
        }
        impl<T: AsRef<[u8]> + ?Sized> Length for T {
            fn length(&self) -> Option<usize> {
                self.as_ref().first()?;
                return Some(self.as_ref().len());
            }
        }
        let even = |number: usize| -> Option<usize> {
            number.checked_sub(1)?;
            return Some(number % 2);
        };
        let length = [1_u8, 2].length().and_then(|length| Some(length + even(2)?));
        not_of_rust!(length?)
    });
    assert_eq!(two, Some(2));
}

#[test]
fn one_run_follows_a_warm_up() {
    let mut buffer = Vec::new();
    assert_allocs!(max = 0, warmup = 1, {
        buffer.clear();
        buffer.push(black_box(1_u8));
    });
    assert_breaks("allocations 0 1 +1", || {
        assert_allocs!(max = 0, warmup = 1, { buffer.reserve_exact(buffer.capacity() + 1) });
    });
}

#[test]
fn a_repeated_block_may_have_a_message() {
    let mut runs = 0;
    assert_breaks("after 3 runs ", || {
        assert_allocs!(
            max = 0,
            runs = 3,
            {
                runs += 1;
                allocate(1);
            },
            "after {runs} runs"
        );
    });
}

#[test]
fn the_panic_of_a_repeated_block_wins() {
    let panics = || {
        assert_allocs!(max = 0, runs = 2, {
            allocate(1);
            assert!(black_box(false), "the block's own");
        });
    };
    assert_eq!(panic_of(panics), "the block's own");
}

// ---------------------------------------------------------------- in macros of the user

macro_rules! fragments {
    ($limit:expr, $block:block, $message:literal, $variable:ident) => {{
        let __guard = 1;
        let __value = 2;
        assert_allocs!(max = $limit * 3, $block);
        assert_allocs!(max = $limit * 3, $block, $message);
        assert_allocs!(max = $limit * 3, $block, $message,);
        assert_no_alloc!({ $variable += __guard + __value }, $message);
        assert_no_alloc!($variable += 1, "now {}", $variable);
        assert_no_alloc!($block);
        assert_no_alloc! { $block }
        assert_no_alloc! {
            let __budget = 1;
            $variable += __budget;
        }
    }};
}

#[test]
fn blocks_may_be_made_of_fragments() {
    let mut __guard = 0;
    fragments!(1 + 2, { __guard += 1 }, "message", __guard);
    assert_eq!(__guard, 3 + 3 + 1 + 2 + 1);
    let mut events = 9;
    assert_breaks("allocations 9 10 +1", || {
        fragments!(
            1 + 2,
            {
                allocate(events);
                events += 1;
            },
            "message",
            events
        );
    });
}

#[test]
fn a_message_from_fragments_stands_in_the_report() {
    macro_rules! with_message {
        ($block:block, $message:literal $(, $arg:expr)*) => {
            assert_no_alloc!($block, $message $(, $arg * 2)*)
        };
    }
    assert_breaks("numbers 6 ", || with_message!({ allocate(1) }, "numbers {}", 1 + 2));
    with_message!({ allocate(0) }, "no number");
}

#[test]
fn tokens_of_the_user_may_be_handed_on() {
    macro_rules! handed_on {
        ($($tokens:tt)*) => { assert_no_alloc!({ $($tokens)* }) };
    }
    let __value = 3;
    assert_eq!(handed_on!(let three = __value; three), 3);
    assert_limit(0, |extra| handed_on!(allocate(extra);));
}

macro_rules! precedence {
    ($sum:expr, $type:ty) => {
        fn statements() -> $type {
            assert_no_alloc! {
                let product: $type = $sum * 3;
                let cast = product as $type * $sum;
                product + cast
            }
        }

        fn negation() -> i8 {
            assert_no_alloc! {
                let negative = -$sum;
                negative
            }
        }

        fn expression() -> $type {
            assert_no_alloc!($sum * 3)
        }

        fn block() -> $type {
            assert_allocs!(max = 0, { $sum * 3 })
        }

        fn cast() -> u64 {
            assert_no_alloc!($sum as u64 * 3)
        }

        fn paths() -> Option<$type> {
            assert_no_alloc!(<$type>::default().checked_add(<$type as Default>::default()))
        }

        fn limit(events: u64) {
            assert_allocs!(max = 2 * $sum, { allocate(events) });
        }

        fn message() {
            assert_no_alloc!(allocate(1), "product {}", $sum * 3);
        }
    };
}

#[allow(clippy::cast_sign_loss, clippy::let_and_return, clippy::unnecessary_cast)]
mod precedence {
    use super::{allocate, assert_allocs, assert_breaks, assert_limit, assert_no_alloc};

    precedence!(1 + 2, u8);

    #[test]
    fn expressions_from_fragments_stay_in_one_piece() {
        assert_eq!((statements(), negation(), expression(), block()), (36, -3, 9, 9));
        assert_eq!((cast(), paths()), (9, Some(0)));
        assert_limit(6, |extra| limit(6 + extra));
        assert_breaks("product 9 ", message);
    }
}

#[test]
fn every_kind_of_fragment_may_stand_in_a_block() {
    macro_rules! fragments {
        (
            $statement:stmt, $item:item, $pattern:pat, $type:ty, $vis:vis, $path:path,
            $life:lifetime, $expr:expr
        ) => {
            assert_no_alloc! {
                $statement;
                $item
                $vis struct Local;
                $life: loop {
                    if let $pattern = Some(item()) {
                        break $life;
                    }
                }
                let typed: $type = None;
                let _object = &typed as &dyn $path;
                fn bounded(_: impl $path + Send) {}
                bounded(3);
                drop(Local);
                allocate($expr - u64::from(item()));
            }
        };
    }
    #[allow(clippy::never_loop, clippy::drop_non_drop)]
    fn in_block(extra: u64) {
        fragments!(
            let Some(events) = Some(extra) else { return },
            fn item() -> u8 { 3 },
            Some(_),
            Option::<u8>,
            pub(crate),
            fmt::Debug,
            'out,
            events + 3
        );
    }
    assert_limit(0, in_block);
}

#[test]
fn names_of_the_user_do_not_meet_those_of_the_expansion() {
    let (__guard, __budget, __exceeded) = (1, 2, 3);
    assert_eq!(assert_no_alloc!({ __guard + __budget + __exceeded }, "{__guard}"), 6);
    assert_breaks("1 2 3 assert_allocs!(max = 2)", || {
        assert_allocs!(
            max = __budget,
            { allocate(__exceeded) },
            "{} {__budget} {__exceeded}",
            __guard
        );
    });
    fn __first(number: u64) -> u64 {
        number
    }
    fn __here() -> u64 {
        4
    }
    assert_eq!(assert_no_alloc!({ __first(__here()) }, "{}", __here()), 4);
}

// ---------------------------------------------------------------- where the panic is

/// The line of this file in which `work` panics.
#[track_caller]
fn line_of_panic<R>(work: impl FnOnce() -> R) -> u32 {
    line_of_panic_in(file!(), work)
}

#[test]
#[rustfmt::skip] // Each call has to be on the line of its assertion.
fn a_broken_budget_panics_at_the_call_of_the_macro() {
    if !reports_are_plain("a_broken_budget_panics_at_the_call_of_the_macro") {
        return;
    }
    assert_eq!(line_of_panic(|| assert_no_alloc! { allocate(1); }), line!());
    assert_eq!(line_of_panic(|| assert_no_alloc!(allocate(1), "message")), line!());
    assert_eq!(line_of_panic(|| assert_allocs!(max = 0, { allocate(1) })), line!());
    assert_eq!(line_of_panic(|| assert_allocs!(max = 0, { allocate(1) }, "message")), line!());
    assert_eq!(line_of_panic(|| assert_allocs!(max = 0, runs = 3, { allocate(1) })), line!());
    assert_eq!(line_of_panic(|| assert_allocs!(max = 0, runs = 3, allocate(1), "m")), line!());
    assert_eq!(line_of_panic(|| { assert_no_alloc! { allocate(1); return; } }), line!());
}

#[test]
fn a_wrong_limit_panics_at_the_call_of_the_macro() {
    let limit = -1;
    assert_eq!(line_of_panic(|| assert_allocs!(max = limit, {})), line!());
    assert_eq!(line_of_panic(|| assert_allocs!(min = 2, max = 2 + limit, {})), line!());
}

#[test]
fn a_tracked_function_around_the_block_keeps_its_caller() {
    #[track_caller]
    fn line_of_caller<T>(_: T, extra: u64) -> u32 {
        assert_no_alloc!({
            allocate(extra);
            Location::caller().line()
        })
    }
    assert_eq!(line_of_caller(1, 0), line!());
    assert_limit(0, |extra| line_of_caller(1, extra));
}

#[test]
fn the_report_names_the_function_around_the_block() {
    let breaks = || assert_allocs!(min = 1, max = 1 + 1, { allocate(3) });
    let line = line!() - 1;
    let report = panic_of(breaks).replace('\\', "/");
    let name = "the_report_names_the_function_around_the_block";
    let head = format!("allocation budget exceeded: {name} tests/block_macros.rs:{line} ");
    assert!(report.starts_with(&head), "{report}");
    assert!(report.contains("assert_allocs!(min = 1, max = 2) this thread"), "{report}");
}
