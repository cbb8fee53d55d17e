//! `#[alloc_budget]` on modules: each test function in one is held to the budget.
#![deny(warnings)]

use std::cell::Cell;

use mod_alloc::{alloc_budget, ModAlloc};

#[path = "common/allocate.rs"]
mod allocate;
#[path = "common/panics.rs"]
mod panics;

/// Makes so many allocations, of 8 bytes each.
fn allocate(times: usize) {
    allocate::allocate(times, 8);
}

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

macro_rules! test {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident() $body:block) => {
        $(#[$attribute])* $visibility fn $name() $body
    };
}

/// Modules that arrive through a macro, as a whole and in pieces.
macro_rules! budgeted {
    ($visibility:vis $name:ident { $($item:item)* }) => {
        #[alloc_budget(max = 1)]
        $visibility mod $name { $($item)* }
    };
}

#[alloc_budget(max = 1, max_bytes = super::BYTES)]
mod held {
    #![allow(clippy::missing_const_for_fn)]

    use super::{alloc_budget, allocate, PANICS};

    const BRACES: One = One { value: 1 };

    struct One {
        value: usize,
    }

    #[test]
    fn a_test_that_holds() {
        allocate(BRACES.value);
    }

    #[test]
    #[should_panic(expected = "allocation budget exceeded: held::a_test_that_breaks")]
    fn a_test_that_breaks() {
        allocate(2);
    }

    pub(super) const LINE: u32 = line!() + 4;

    #[test]
    #[should_panic(expected = "allocation budget exceeded: held::is_reported_at_its_own_line")]
    pub(super) fn is_reported_at_its_own_line() {
        allocate(2);
    }

    #[test]
    fn the_result_of_a_test_is_its_own() -> Result<(), String> {
        allocate(1);
        Ok(())
    }

    #[test]
    #[alloc_budget(exact = 3)]
    fn the_own_budget_wins() {
        allocate(3);
    }

    #[alloc_budget(off)]
    #[test]
    fn a_test_that_opts_out() {
        allocate(3);
    }

    #[cfg_attr(test, alloc_budget(off))]
    #[test]
    fn a_test_that_opts_out_in_tests() {
        allocate(3);
    }

    #[cfg_attr(test, test)]
    #[should_panic(expected = "allocation budget exceeded: held::a_test_where_configured")]
    fn a_test_where_configured() {
        allocate(2);
    }

    #[cfg_attr(any(not(test), miri), alloc_budget(max = 3))]
    #[test]
    #[should_panic(expected = "allocation budget exceeded: held::a_budget_of_its_own_elsewhere")]
    fn a_budget_of_its_own_elsewhere() {
        allocate(2);
    }

    #[cfg_attr(not(test), alloc_budget(off))]
    mod with_a_budget_elsewhere {
        #[test]
        #[should_panic(expected = "budget exceeded: held::with_a_budget_elsewhere::breaks")]
        fn breaks() {
            super::allocate(2);
        }
    }

    /// The panic of the budget would pass for the one that is expected.
    #[cfg(test)]
    #[test]
    #[should_panic]
    pub(super) fn panics_somehow() {
        allocate(2);
        PANICS.with(|panics| assert!(!panics.get()));
    }

    /// No test.
    #[cfg(test)]
    pub(super) fn helper() {
        allocate(3);
    }

    pub(super) mod within {
        use super::super::allocate;

        pub(in super::super) const BYTES: u8 = 100;

        #[test]
        #[should_panic(expected = "allocation budget exceeded: held::within::breaks")]
        fn breaks() {
            allocate(2);
        }
    }

    #[super::alloc_budget(exact = 2)]
    mod with_a_budget_of_its_own {
        #[test]
        fn holds_it() {
            super::allocate(2);
        }
    }

    #[alloc_budget(off)]
    mod that_opts_out {
        #[test]
        fn is_not_held() {
            super::allocate(2);
        }
    }

    use self::within::BYTES;
}

const BYTES: u8 = held::within::BYTES;

#[alloc_budget(max = 1)]
mod with_attributes_inside {
    #![allow(clippy::items_after_statements)]
    #![allow(clippy::similar_names)]
    #[test]
    #[should_panic(expected = "allocation budget exceeded: with_attributes_inside::breaks")]
    fn breaks() {
        super::allocate(2);
    }
}

budgeted! {
    pub(crate) through_a_macro {
        #[test]
        #[should_panic(expected = "allocation budget exceeded: through_a_macro::breaks")]
        fn breaks() {
            super::allocate(2);
        }

        #[super::alloc_budget(off)]
        test! {
            #[test]
            fn tests_of_a_macro_may_opt_out() {
                super::allocate(2);
            }
        }
    }
}

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(true) };
}

#[test]
fn a_test_of_any_panic_is_not_held() {
    PANICS.with(|panics| panics.set(false));
    held::panics_somehow();
}

#[test]
fn a_function_that_is_no_test_is_not_held() {
    held::helper();
}

#[test]
fn the_panic_is_on_the_line_of_the_function() {
    let report = panics::panic_of(held::is_reported_at_its_own_line);
    let (head, _) = report.split_once("\n  #[alloc_budget").expect("a head");
    assert!(head.ends_with(&format!(" {}:{}", file!(), held::LINE)), "{head}");
}
