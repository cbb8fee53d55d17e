//! mod-alloc under the name `budgets`. No expansion may name `mod_alloc`, or anything that this
//! file has redefined.

use std::hint::black_box;

use budgets::alloc_budget;

#[global_allocator]
static GLOBAL: budgets::ModAlloc = budgets::ModAlloc::new();

fn allocate() {
    drop(black_box(Box::new(black_box(7_u64))));
}

#[test]
#[alloc_budget(max = 1, crate = budgets)]
fn the_attribute_takes_the_new_name() {
    allocate();
}

#[test]
#[budgets::alloc_budget(crate = ::budgets, max = 1)]
#[should_panic(expected = "allocation budget exceeded")]
fn the_attribute_takes_an_absolute_path_and_can_fail() {
    allocate();
    allocate();
}

mod facade {
    //! A crate's own test helpers, which pass mod-alloc on.
    pub(crate) use budgets as limits;
}

#[test]
#[alloc_budget(exact = 1, warmup = 1, crate = crate::facade::limits)]
fn the_attribute_takes_a_path_to_a_reexport() {
    allocate();
}

#[test]
fn the_attribute_takes_the_new_name_on_an_async_fn() {
    #[alloc_budget(exact = 1, crate = budgets)]
    async fn count() {
        allocate();
    }
    let mut future = std::pin::pin!(count());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::future::Future::poll(future.as_mut(), &mut context).is_ready());
}

#[test]
fn the_block_macros_find_their_crate_by_themselves() {
    budgets::assert_no_alloc!(black_box(1));
    budgets::assert_allocs!(exact = 1, { allocate() }, "under the name {}", "budgets");
    budgets::assert_allocs!(exact = 1, runs = 2, { allocate() });
}

#[test]
#[should_panic(expected = "no allocation expected")]
fn a_block_macro_can_fail() {
    budgets::assert_no_alloc!({ allocate() }, "no allocation expected");
}

/// Names that expansions use must not be those of the surroundings.
mod shadows {
    #![allow(dead_code, non_camel_case_types)]

    struct Budget;
    struct Origin;
    struct Result;
    struct Ok;
    struct Err;
    struct mod_alloc;
    mod core {}
    mod std {}

    #[test]
    #[budgets::alloc_budget(exact = 2, crate = budgets)]
    fn names_in_scope_are_not_taken_up() {
        let __guard = 1;
        let __budget = 2;
        super::allocate();
        budgets::assert_allocs!(exact = 1, { super::allocate() }, "with {}", __guard + __budget);
    }
}

/// Calls of the macros inside a user's own `macro_rules!`: expressions, blocks, literals and whole
/// functions are handed through.
mod in_macros {
    use super::{alloc_budget, allocate};

    macro_rules! assert_frugal {
        ($limit:expr, $work:block) => {
            budgets::assert_allocs!(max = $limit, $work)
        };
        ($work:expr) => {
            budgets::assert_no_alloc!($work)
        };
        ($work:expr, $($message:tt)+) => {
            budgets::assert_no_alloc!({ $work }, $($message)+)
        };
    }

    /// Defines a test with a budget.
    macro_rules! frugal_test {
        ($(#[$attribute:meta])* $name:ident($limit:literal) $body:block) => {
            #[test]
            $(#[$attribute])*
            #[alloc_budget(max = $limit, crate = budgets)]
            fn $name() $body
        };
    }

    /// Puts the attribute on a function that it is given whole.
    macro_rules! with_budget {
        ($limit:expr, $function:item) => {
            #[alloc_budget(exact = $limit, crate = budgets)]
            $function
        };
    }

    frugal_test!(a_test_from_a_macro_has_a_budget(1) { allocate(); });

    frugal_test! {
        #[should_panic(expected = "allocation budget exceeded: \
            in_macros::a_test_from_a_macro_can_fail")]
        a_test_from_a_macro_can_fail(0) { allocate(); }
    }

    with_budget!(
        2 - 1,
        #[test]
        fn a_whole_function_may_pass_through_a_macro() {
            allocate();
        }
    );

    #[test]
    fn blocks_and_expressions_may_pass_through_a_macro() {
        let limit = 2;
        let seven = assert_frugal!(limit - 1, {
            allocate();
            7
        });
        assert_eq!(assert_frugal!(seven + 1), 8);
        assert_frugal!(black_box_of(seven), "seven is {}", seven);
    }

    #[test]
    #[should_panic(expected = "seven is 7")]
    fn a_message_may_pass_through_a_macro() {
        let seven = 7;
        assert_frugal!(allocate(), "seven is {}", seven);
    }

    fn black_box_of(number: i32) -> i32 {
        std::hint::black_box(number)
    }
}
