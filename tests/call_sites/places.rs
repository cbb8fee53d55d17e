//! Places that allocate: the collections, the usual methods, and each construct of the language
//! that code can hide in.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use mod_alloc::uncounted;

use crate::lines::{at, check, done};
use crate::needs_call_sites::needs_call_sites;

#[test]
fn growth_of_each_collection() {
    needs_call_sites!();
    fn vec_push() {
        let mut vec = Vec::new();
        at!((0..100_u64).for_each(|n| vec.push(n)));
        done(vec);
    }
    fn vec_in_a_loop() {
        let mut vec = Vec::new();
        for n in 0..100_u8 {
            at!(vec.push(n));
        }
        done(vec);
    }
    fn vec_extend() {
        let mut vec = vec![];
        at!(vec.extend(black_box([1, 2, 3])));
        done(vec);
    }
    fn vec_reserve() {
        let mut vec = Vec::<[u8; 3]>::new();
        at!(vec.reserve_exact(black_box(10)));
        done(vec);
    }
    fn vec_macro() {
        done(at!(vec![1_u16; black_box(10)]));
    }
    fn vec_macro_of_a_list() {
        done(at!(vec![black_box(1), 2, 3]));
    }
    fn string() {
        let mut text = String::new();
        at!(text.push_str(black_box("some text")));
        done(text);
    }
    fn string_operator() {
        let mut text = String::new();
        at!(text += black_box("some text"));
        done(text);
    }
    fn boxed() {
        done(at!(Box::new(black_box([0_u8; 100]))));
    }
    fn shared() {
        done(at!((Rc::new(black_box(1)), Arc::new(black_box(2)))));
    }
    fn shared_slice() {
        done(at!(Rc::<str>::from(black_box("text"))));
    }
    fn hash_map() {
        let mut map = uncounted(HashMap::new);
        at!(map.extend((0..100).map(|n| (n, n))));
        done(map);
    }
    fn b_tree_map() {
        let mut map = BTreeMap::new();
        at!(map.extend((0..100).map(|n| (n, n))));
        done(map);
    }
    fn deque() {
        let mut deque = VecDeque::new();
        at!(deque.push_front(black_box(1)));
        done(deque);
    }
    check(vec_push);
    check(vec_in_a_loop);
    check(vec_extend);
    check(vec_reserve);
    check(vec_macro);
    check(vec_macro_of_a_list);
    check(string);
    check(string_operator);
    check(boxed);
    check(shared);
    check(shared_slice);
    check(hash_map);
    check(b_tree_map);
    check(deque);
}

/// It is on one line, for builds differ in whether the derived code has the line of the field or
/// that of the attribute.
#[rustfmt::skip]
#[derive(Clone)] struct Derived { text: String }
const DERIVED: u32 = line!() - 1;

#[test]
fn methods_that_make_a_new_value() {
    needs_call_sites!();
    fn collect() {
        done(at!(black_box(0..10).collect::<Vec<_>>()));
    }
    fn collect_strings() {
        done(at!(black_box(["a", "b"]).iter().map(|s| s.to_string()).collect::<Vec<_>>()));
    }
    fn format() {
        done(at!(format!("{} and {:?}", black_box(1), black_box("two"))));
    }
    fn to_string() {
        done(at!(black_box(5).to_string()));
    }
    fn to_owned() {
        done(at!(black_box("text").to_owned()));
    }
    fn into() {
        let text: Box<str> = at!(black_box("text").into());
        done(text);
    }
    fn join() {
        done(at!(black_box(["a", "b"]).join(", ")));
    }
    fn clone() {
        let vec = uncounted(|| black_box(vec![1, 2]));
        done(at!(vec.clone()));
        done(vec);
    }
    fn derived_clone() {
        fn noted(value: &Derived) -> &Derived {
            crate::lines::note(file!(), DERIVED);
            value
        }
        let value = uncounted(|| Derived { text: black_box("text").to_owned() });
        done(at!(noted(&value).clone()));
        done(value.text);
    }
    fn sort() {
        let mut numbers = uncounted(|| (0..5_000_u64).map(|n| n * 7 % 199).collect::<Vec<_>>());
        at!(numbers.sort_by(|a, b| b.cmp(a)));
        done(numbers);
    }
    check(collect);
    check(collect_strings);
    check(format);
    check(to_string);
    check(to_owned);
    check(into);
    check(join);
    check(clone);
    check(derived_clone);
    check(sort);
}

#[test]
fn closures_report_their_own_lines_and_those_of_their_callers() {
    needs_call_sites!();
    fn called_at_once() {
        let make = || at!(black_box(vec![1; black_box(2)]));
        done(at!(make()));
    }
    fn nested() {
        let outer = |size: usize| {
            let inner = |size: usize| at!(vec![1_u8; size]);
            black_box(at!(inner(size + 1)))
        };
        done(at!(outer(black_box(1))));
    }
    fn taken() {
        at!(takes(|size| {
            done(at!(vec![1_u8; size]));
        }));
        done(());
    }
    fn takes(work: impl Fn(usize)) {
        at!(work(black_box(3)));
        done(());
    }
    fn boxed() {
        let work: Box<dyn FnOnce(usize)> = uncounted(|| -> Box<dyn FnOnce(usize)> {
            Box::new(|size| {
                done(at!(vec![2_u8; size]));
            })
        });
        at!(black_box(work)(3));
        done(());
    }
    fn in_a_static() {
        static MAKE: fn(usize) = |size| {
            done(at!(vec![3_u8; size]));
        };
        at!(black_box(MAKE)(3));
        done(());
    }
    check(called_at_once);
    check(nested);
    check(taken);
    check(boxed);
    check(in_a_static);
}

#[test]
fn generics_and_trait_objects() {
    needs_call_sites!();
    #[inline(never)]
    fn generic<T: Clone>(value: T) {
        let values = at!(vec![value; black_box(3)]);
        done(values);
    }
    #[inline(always)]
    fn inlined<const N: usize>() {
        let values = at!(vec![[0_u8; N]; black_box(3)]);
        done(values);
    }
    trait Make {
        fn make(&self);
        fn twice(&self) {
            at!(self.make());
            done(());
        }
    }
    impl Make for u8 {
        fn make(&self) {
            done(at!(vec![*self; black_box(2)]));
        }
    }
    impl<T: Make> Make for [T; 1] {
        fn make(&self) {
            at!(self[0].make());
            done(());
        }
    }
    check(|| done(at!(generic(1_u8))));
    check(|| done(at!(generic("text"))));
    check(|| done(at!(inlined::<3>())));
    check(|| done(at!(inlined::<50>())));
    check(|| done(at!([4_u8].twice())));
    check(|| {
        let object: &dyn Make = black_box(&[[4_u8]]);
        at!(object.twice());
        done(());
    });
    struct Shown;
    impl fmt::Display for Shown {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            done(at!(black_box("text").to_owned()));
            Ok(())
        }
    }
    check(|| done(at!(format!("{Shown}"))));
}

#[test]
fn each_step_of_a_chain_of_iterators_is_at_its_line() {
    needs_call_sites!();
    check(|| {
        let sum = black_box(0..3)
            .map(|n| at!(vec![1_u8; black_box(n + 1)]).len())
            .filter(|n| n % 2 == 1)
            .fold(at!(0), |sum, n| sum + n); // The adapters do nothing before this call.
        done(sum);
    });
    check(|| {
        let lengths = black_box(1..4)
            .filter(|n| n % 2 == 1)
            .flat_map(|n| (0..n).map(move |m| at!(vec![1_u8; black_box(m + n)]).len()));
        for length in at!(lengths) {
            black_box(length);
        }
    });
    struct Blocks(usize);
    impl Iterator for Blocks {
        type Item = usize;
        fn next(&mut self) -> Option<usize> {
            self.0 = self.0.checked_sub(1)?;
            Some(at!(vec![1_u8; black_box(5)]).len())
        }
    }
    check(|| done(at!(Blocks(2).zip(1..).map(|(a, b)| a * b).max())));
}

#[test]
fn macros_of_std_count_as_the_line_that_calls_them() {
    needs_call_sites!();
    check(|| {
        assert_eq!(at!(vec![black_box(4)]), [4], "{}", 5);
    });
    check(|| done(at!(std::iter::once(format_args!("{}", black_box(1)).to_string()).count())));
}
