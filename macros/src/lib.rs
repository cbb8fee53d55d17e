// Cold: the entry points of the macros and their public documentation; no logic.

//! The macros of `mod-alloc`. Depend on that crate, which re-exports them: their expansions name
//! it, and its version is the only one that they fit.
//!
//! A macro call is read by `args`, with `item` (the attribute) or `block` (the others), but that of
//! `assert_growth!` by `growth`; `misuse`, `awaits`, `exits` and `unrun` look for what cannot work;
//! `expand` writes the result. On a module the attribute goes on to its functions (`module`).
//! Nothing but the compiler's own `proc_macro` is used: a test-only dependency should not take
//! seconds to build.

mod args;
mod awaits;
mod block;
mod body;
mod commas;
mod error;
mod exits;
mod expand;
mod fragments;
mod growth;
mod item;
mod keys;
mod literal;
mod misuse;
mod module;
mod nested;
mod output_type;
mod quote;
mod tokens;
mod unrun;

use proc_macro::TokenStream;

use args::Args;
use block::Block;
use error::Errors;
use growth::Growth;
use item::Function;
use tokens::listed;

/// Fails the function, with a report, when it breaks its allocation budget.
///
/// ```ignore
/// use mod_alloc::{alloc_budget, ModAlloc};
/// use parser::parse;
///
/// #[global_allocator]
/// static GLOBAL: ModAlloc = ModAlloc::new();
///
/// const REQUEST: &str = include_str!("request.txt");
///
/// #[alloc_budget(max = 10, max_bytes = 1024)]
/// #[test]
/// fn parses_header() {
///     assert!(parse(REQUEST).is_ok());
/// }
/// ```
///
/// The budget is on what one call of the function allocates on its own thread, from the first
/// statement of the body to the drop of its last local variable, on whichever way the body is left.
/// The allocations of the test harness, of other tests and of other threads are not counted.
///
/// # Keys
///
/// | Key | Unit | The function |
/// |---|---|---|
/// | `max = N` | allocation events | makes at most `N` |
/// | `min = N` | allocation events | makes at least `N` |
/// | `exact = N` | allocation events | makes `N`, no more and no less |
/// | `max_bytes = N` | bytes requested | requests at most `N` in total, whatever it frees |
/// | `max_peak_bytes = N` | bytes | never holds more than `N` above what was live when it began |
/// | `max_block_bytes = N` | bytes | requests no block of more than `N` (for untrusted input) |
/// | `max_reallocs = N` | reallocations | grows or shrinks blocks at most `N` times |
/// | `max_deallocs = N` | deallocations | frees at most `N` blocks |
/// | `max_retained = N` | blocks | leaves at most `N` of its blocks live: what it returns counts |
/// | `max_retained_bytes = N` | bytes | leaves at most `N` bytes in such blocks |
/// | `recorded` | allocation events | makes as many as were recorded last |
/// | `warmup = N` | runs | is run `N` times uncounted first |
/// | `runs = N` | runs | is run `N` times, each of which must hold the budget |
/// | `call_sites = false` | | is not recorded: it runs faster, and the report names no lines |
/// | `allow = ["a", "b::c"]` | | is not charged for what passes through these crates or modules |
/// | `crate = path` | | finds `mod_alloc` at `path`, where it was renamed or re-exported |
///
/// An allocation event is one call of `alloc`, `alloc_zeroed` or `realloc`: a `Vec` that grows
/// twice makes three. The bytes of a `realloc` are those of the new size.
///
/// With `recorded` the number is in a file of the repository, `alloc_budgets/BINARY/TEST.txt`,
/// which `MOD_ALLOC_UPDATE=1 cargo test` writes. `Budget::recorded` in the documentation of
/// `mod_alloc` says more of it.
///
/// Of `exact = 14` and `max = 14` the number can be updated in the source, where it is a decimal
/// literal. `MOD_ALLOC_UPDATE=1` makes an `exact` that is broken what was measured.
/// `MOD_ALLOC_UPDATE=lower` does so if that is lower, and lowers a `max` to what was measured.
/// Where `CI` is set, both are errors.
///
/// At least one limit is needed. A value is any integer expression; it may use the parameters and
/// generics of the function, and is evaluated before anything is counted:
///
/// ```ignore
/// #[alloc_budget(max = lines.len() + 1)]
/// fn owned(lines: &[&str]) -> Vec<String> {
///     lines.iter().map(|line| line.to_string()).collect()
/// }
/// ```
///
/// # What is not charged
///
/// `allow = ["tracing", "once_cell::sync"]` leaves out allocations whose stack passes through a
/// function of that crate or module, and lists them. Stacks are looked at only where the budget
/// would be broken. `Budget::allow` says what holds for it. With `max_peak_bytes`, `max_retained`
/// and `max_retained_bytes` it is a compile error: of what is live nobody knows what it would be
/// without the allowed allocations.
///
/// # Where it goes
///
/// On any `fn` with a body (free or generic, a method, in a trait's implementation, `async`), or on
/// a module of tests. Put it *above* `#[test]`, `#[tokio::test]` and the attributes of rstest,
/// test_case, serial_test, test_log and quickcheck. Below an attribute that starts a runtime, waits
/// for other tests, sets up a log or runs cases, it would count all that, which is a compile error;
/// below one that makes fixtures it would measure another function. Within `proptest!` and
/// `quickcheck!` it would count the whole run, which is an error too: there, call
/// `budget.check(|| ..)?` in the body.
///
/// On unit tests in a library it stands in a module under `#[cfg(test)]`, or as
/// `#[cfg_attr(test, mod_alloc::alloc_budget(max = 1))]`. Elsewhere it is not found (E0433) as soon
/// as the package has integration tests, since for those Cargo builds the library without its
/// dev-dependencies.
///
/// Arguments are not part of the budget: neither making them nor dropping them after the body is
/// counted.
///
/// # Modules
///
/// On a module, it holds each test function in it to the budget, also those in modules within:
///
/// ```ignore
/// #[cfg(test)]
/// #[alloc_budget(max = 50)]
/// mod tests {
///     #[test]
///     fn small() {} // at most 50
///
///     #[alloc_budget(max = 900)] // its own budget wins
///     #[test]
///     fn large() {}
///
///     #[alloc_budget(off)] // not held to any
///     #[test]
///     fn free() {}
/// }
/// ```
///
/// Test functions are those under an attribute whose name has the word `test` (`#[test]`,
/// `#[tokio::test]`, `#[test_case(..)]`), and under `#[rstest]`, `#[gtest]`, `#[proptest]` and
/// `#[quickcheck]`, `#[parameterized]`, `#[case]` and `#[apply]`. One with a plain
/// `#[should_panic]` is not held: the panic of a broken budget would pass for the one that it waits
/// for. The values of the keys are evaluated in each function. The module must be
/// written out: of one in another file, and of the tests that a macro writes, the attribute sees
/// nothing. It refuses both, as far as it can tell that a macro writes tests. It also refuses a
/// module without a test function.
///
/// # Async functions
///
/// An `async fn` is counted while it is polled, on whichever thread that is; what other tasks
/// allocate between its polls is not charged to it. The budget is checked when the future
/// completes: one that is dropped before is never checked. Any other function that returns a
/// future only makes it, and does not compile.
///
/// # Repeated runs
///
/// `warmup` keeps the lazy initialisation of a first call out of the count, `runs` catches a
/// function whose allocations vary. Both run the body several times, so the function must have no
/// parameters, and `return` and `?` in the body are compile errors. The function returns the value
/// of the last run.
///
/// # Library code
///
/// The budget is enforced wherever the function runs. On the code of a library it would panic in
/// programs that depend on the library and have no `ModAlloc`; there, limit it to the library's
/// own tests:
///
/// ```ignore
/// #[cfg_attr(test, alloc_budget(max = 3))]
/// pub fn encode(message: &Message) -> Vec<u8> {
///     // ...
/// }
/// ```
///
/// # Panics
///
/// The function panics at its end if the budget was broken, at the location of the attribute. The
/// message sets each limit against what was measured, and names the lines that allocated:
///
/// ```text
/// allocation budget exceeded: parses_header                                      tests/header.rs:9
///   #[alloc_budget(max = 10, max_bytes = 1024)]                                        this thread
///
///   metric       budget  measured
///   allocations      10        13  +3
///   bytes         1,024       646  ok
///
///   call sites, most allocations first (13 allocations at 4 sites)
///     5 x     36 B  src/lib.rs:15:28  parse
///                   15 | headers.push((name.to_lowercase(), value.to_string()));
///                      |                    ^
///                   called from tests/header.rs:12 parses_header
///     5 x     20 B  src/lib.rs:15:50  parse                                            same caller
///                   15 | headers.push((name.to_lowercase(), value.to_string()));
///                      |                                          ^
///     2 x    576 B  src/lib.rs:15:17  parse              1 allocation, 1 reallocation, same caller
///                   15 | headers.push((name.to_lowercase(), value.to_string()));
///                      |         ^
///                   grew 192 > 384: reserve 384 bytes up front
///     1 x     14 B  src/lib.rs:11:51  parse                                            same caller
///                   11 | let line = lines.next().ok_or("it is empty")?.to_string();
///                      |                                               ^
///
///   allocation 11, the first past the budget: src/lib.rs:15:28
///   full stacks: MOD_ALLOC_BACKTRACE=full cargo test parses_header
/// ```
///
/// Where call sites are available, what they need and what they cost is said in the documentation
/// of `mod_alloc`, under "Call sites".
///
/// If the body panics, that panic wins and the budget is not checked. A body that returns `Err` is
/// held to its budget like any other.
///
/// It also panics at its beginning if `ModAlloc` is not the global allocator, since a budget must
/// not hold because nothing was counted, and if the value of a key is negative.
#[proc_macro_attribute]
pub fn alloc_budget(args: TokenStream, item: TokenStream) -> TokenStream {
    if module::is_only_off(&args) {
        return item;
    }
    let mut errors = Errors::default();
    let (written, tokens) = (args.clone(), listed(item.clone()));
    let args = Args::of_attribute(args, &mut errors);
    if let Some(module) = module::with_budgets(&written, &args, &tokens, &mut errors) {
        return if errors.is_empty() { module } else { errors.before(item) };
    }
    match Function::parse(tokens.clone()) {
        Ok(function) => {
            misuse::check(&function, &args, &mut errors);
            if errors.is_empty() {
                return expand::function(&args, &function, tokens);
            }
        }
        Err(error) => errors.push(error),
    }
    errors.before(item)
}

/// What `mod_alloc::assert_allocs!` hands its tokens to, with `[$crate]` before them.
#[doc(hidden)]
#[proc_macro]
pub fn assert_allocs(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let block = Block::assert_allocs(input, &mut errors);
    if errors.is_empty() {
        expand::assert_allocs(block)
    } else {
        errors.to_expression(block.body)
    }
}

/// What `mod_alloc::assert_no_alloc!` hands its tokens to, with `[$crate]` before them.
#[doc(hidden)]
#[proc_macro]
pub fn assert_no_alloc(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let block = Block::assert_no_alloc(input, &mut errors);
    if errors.is_empty() {
        expand::assert_no_alloc(block)
    } else {
        errors.to_expression(block.body)
    }
}

/// What `mod_alloc::assert_growth!` hands its tokens to, with `[$crate]` before them.
#[doc(hidden)]
#[proc_macro]
pub fn assert_growth(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let growth = Growth::parse(input, &mut errors);
    if errors.is_empty() {
        expand::assert_growth(growth)
    } else {
        errors.to_expression(None)
    }
}
