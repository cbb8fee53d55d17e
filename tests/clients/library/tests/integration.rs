//! For this test, Cargo builds the library as its users do.

use library::{longest, words};
use mod_alloc::{alloc_budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

#[alloc_budget(max = 1)]
#[test]
fn users_have_budgets_of_their_own() {
    assert_eq!(longest("to be").as_deref(), Some("be"));
}

#[test]
fn budgets_of_the_librarys_tests_do_not_hold_here() {
    assert_eq!(words("to be or not").len(), 4);
}
