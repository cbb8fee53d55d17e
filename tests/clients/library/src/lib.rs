//! A library with budgets on its unit tests and on its own functions, and with a folder `tests/`.
//!
//! For that folder Cargo also builds the library without `cfg(test)` and without its
//! dev-dependencies, where `mod_alloc` is unknown: E0433. Every mention of it is under `cfg(test)`,
//! in one of these ways.

#[cfg(test)]
#[global_allocator]
static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();

/// The longest word of a text.
#[cfg_attr(test, mod_alloc::alloc_budget(max = 1))]
pub fn longest(text: &str) -> Option<String> {
    text.split_whitespace().max_by_key(|word| word.len()).map(str::to_string)
}

/// All words of a text. The list and each word are an allocation, so any word breaks the budget.
#[cfg_attr(test, mod_alloc::alloc_budget(max = 1))]
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_string).collect()
}

#[cfg_attr(test, mod_alloc::alloc_budget(max = 1))]
#[test]
fn outside_of_a_module_for_tests() {
    assert_eq!(longest("to be or not").as_deref(), Some("not"));
}

#[cfg_attr(test, mod_alloc::alloc_budget(max = 1))]
#[test]
#[should_panic(expected = "allocation budget exceeded: words")]
fn outside_of_a_module_a_broken_budget_fails() {
    assert_eq!(words("to be").len(), 2);
}

#[cfg(test)]
mod tests {
    use mod_alloc::{alloc_budget, assert_allocs};

    #[alloc_budget(max = 1)]
    #[test]
    fn in_a_module_for_tests() {
        assert_eq!(
            assert_allocs!(exact = 1, super::longest("to be or not")).as_deref(),
            Some("not")
        );
    }
}
