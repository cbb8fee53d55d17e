//! Cold: functions on which a budget would count the wrong thing, or could not fail; called by
//! `lib`.

use proc_macro::{Ident, Span};

use crate::args::Args;
use crate::error::{Error, Errors};
use crate::exits;
use crate::item::Function;
use crate::output_type::is_never;
use crate::tokens::find_ident;

pub(crate) fn check(function: &Function, args: &Args, errors: &mut Errors) {
    let is_known =
        |word: &str| REWRITING.iter().any(|(known, _)| *known == word) || CASES.contains(&word);
    let mut words = Vec::new();
    for (word, ident) in &function.body.words {
        if is_known(word) {
            words.push((&**word, ident));
        }
    }
    errors.push_any(const_fn(function));
    errors.push_any(foreign_abi(function));
    errors.push_any(rewritten_body(function, &words));
    errors.push_any(run_of_cases(function, &words));
    errors.push_any(returns_future(function));
    errors.push_any(repeated_with_params(function, args));
    errors.push_any(repeated_without_end(function, args));
    errors.push_any(repeated_with_exit(function, args));
}

fn const_fn(function: &Function) -> Option<Error> {
    let message = "`#[alloc_budget]` cannot be used on a `const fn`: counting happens at run time";
    let help = "remove `const`, or measure a caller with `assert_allocs!`";
    function.constness.map(|span| Error::at(span, message).help(help))
}

/// A panic aborts the process where the ABI cannot unwind.
fn foreign_abi(function: &Function) -> Option<Error> {
    let (span, abi) = function.abi.as_ref()?;
    if abi == "\"Rust\"" || abi.ends_with("-unwind\"") {
        return None;
    }
    let message = format!(
        "`#[alloc_budget]` on `extern {abi}`: the failure is a panic, which would abort the process"
    );
    let help = format!("measure a Rust function that calls `{}`", function.name);
    Some(Error::at(*span, message).help(&help))
}

fn returns_future(function: &Function) -> Option<Error> {
    let names_future = |word: &str| matches!(word, "Future" | "BoxFuture" | "LocalBoxFuture");
    if function.is_async {
        return None;
    }
    find_ident(function.output.as_deref()?, &names_future)?;
    let message = format!(
        "`{}` only builds a future: `#[alloc_budget]` would not count what happens when it is \
         polled",
        function.name
    );
    Some(Error::at(function.name.span(), message).help(
        "make it an `async fn`; under `#[async_trait]`, move the body to an inherent `async fn` \
         and put the attribute there",
    ))
}

/// Words that an attribute puts into the body that it makes, and what a budget on that body would
/// count.
const REWRITING: [(&str, &str); 4] = [
    ("async", "the set-up of the runtime"),
    ("serial_test", "the wait for other tests"),
    ("test_log", "the set-up of the log"),
    ("quickcheck", "all cases, and the making of them,"),
];

/// Words that `proptest!` and `quickcheck!` put into the function that they make.
const CASES: [&str; 3] = ["proptest_helper", "$crate", "quickcheck"];

/// An attribute above ours, such as `#[tokio::test]`, has put the body into code of its own. The
/// budget would measure that code.
///
/// A user may well write `block_on(async { .. })`. It is the attribute's code if the attribute has
/// made up this word. It must not have made up the function's name as well: functions that rstest
/// and test_case generate may have a budget.
fn rewritten_body(function: &Function, words: &[(&str, &Ident)]) -> Option<Error> {
    if words.is_empty() || function.is_async || attribute_that_made(&function.name).is_some() {
        return None;
    }
    let (attribute, counted) = REWRITING.iter().find_map(|(word, counted)| {
        let mut same = words.iter().filter(|(other, _)| other == word);
        Some((same.find_map(|(_, ident)| attribute_that_made(ident))?, counted))
    })?;
    let message = format!(
        "`#[alloc_budget]` must stand above `{attribute}`: below it, it would count {counted} too"
    );
    Some(Error::at(Span::call_site(), message).help("swap the two attributes"))
}

/// `proptest!` and `quickcheck!` have made the function out of a property: it runs all cases.
fn run_of_cases(function: &Function, words: &[(&str, &Ident)]) -> Option<Error> {
    let has = |name: &str| words.iter().any(|(word, _)| *word == name);
    let name = if has("proptest_helper") {
        "proptest"
    } else if has("$crate") && has("quickcheck") {
        "quickcheck"
    } else {
        return None;
    };
    let message = format!(
        "`#[alloc_budget]` within `{name}!` would count the whole run: all cases, and the making \
         of them"
    );
    Some(Error::at(function.name.span(), message).help(
        "measure in the body of the property: `Budget::new().max(10).check(|| ..)?` fails the case \
         that allocates more",
    ))
}

/// The attribute that made up a word, if one did. Such a word has the place of the attribute, so
/// the source there is not the word.
fn attribute_that_made(ident: &Ident) -> Option<String> {
    ident.span().source_text().filter(|source| source.starts_with("#["))
}

/// `warmup` and `runs` call the body several times, and the first call would use up the arguments.
fn repeated_with_params(function: &Function, args: &Args) -> Option<Error> {
    let params = function.params.as_ref()?;
    let repeat = args.repeats.first()?;
    if params.stream().is_empty() {
        return None;
    }
    let message = format!(
        "`{}` needs a function without parameters: the body runs several times",
        repeat.key
    );
    Some(Error::at(params.span(), message).help(
        "make the arguments in the body, or call the function in `assert_allocs!`, which has the \
         same keys",
    ))
}

fn repeated_without_end(function: &Function, args: &Args) -> Option<Error> {
    let repeat = args.repeats.first()?;
    function.output.as_deref().filter(|output| is_never(output))?;
    let message = format!("`{}` on a function that never returns from its first run", repeat.key);
    let error = Error::at(repeat.key.span(), message);
    Some(error.help("remove the key, or measure what the function calls"))
}

fn repeated_with_exit(function: &Function, args: &Args) -> Option<Error> {
    exits::check(&function.body.tokens, &args.repeats.first()?.key)
}
