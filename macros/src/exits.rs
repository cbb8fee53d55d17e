//! Cold: finds a `return` or `?` that would end one of several runs, for `block` and `misuse`; and
//! says which words may leave a function before its end, for `body`.
//!
//! A body that runs several times is a closure. Such an exit would leave the closure, and not the
//! function. (`break` and `continue` cannot leave a closure; rustc says so.) Exits in a nested
//! closure, `async` block or function are allowed. What the tokens of a macro mean, only that macro
//! knows; macros of std that take expressions are looked into. An exit that is not found here meets
//! the type `RunsSeveralTimes` of the runtime crate.

use proc_macro::{Ident, TokenTree};

use crate::commas;
use crate::error::Error;
use crate::nested;
use crate::tokens::{is_ident, is_punct};

const TRANSPARENT: [&str; 16] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "matches",
    "print",
    "println",
    "vec",
    "write",
    "writeln",
];

/// Macros of std beside these that do not leave the function around them, but by a panic.
const HARMLESS: [&str; 8] =
    ["panic", "todo", "unimplemented", "unreachable", "concat", "env", "include_str", "stringify"];

/// Whether a word may leave the function before its end: `return`, or a macro that is not known.
pub(crate) fn may_leave(word: &str, is_macro: bool) -> bool {
    let is_known = || TRANSPARENT.contains(&word) || HARMLESS.contains(&word);
    word == "return" || is_macro && !is_known()
}

/// The error at the first exit of `body`, which `key` makes run several times.
pub(crate) fn check(body: &[TokenTree], key: &Ident) -> Option<Error> {
    let skipped = |tokens: &[_], at| nested(tokens, at).max(opaque_macro(&tokens[at..]));
    let error_at = |tokens: &[_], at| {
        let is_exit = is_ident(tokens.get(at), "return") || is_question_mark(tokens, at);
        is_exit.then(|| error(&tokens[at], key))
    };
    nested::first_error(body, &skipped, &error_at)
}

fn error(exit: &TokenTree, key: &Ident) -> Error {
    let message = format!(
        "`{exit}` would end one of several runs, not the function: with `{key}` the body is a \
         closure"
    );
    let help = "move the body into a function of its own, and call that one here";
    Error::over(std::slice::from_ref(exit), message).help(help)
}

/// How many tokens belong to a nested body that begins at `at`.
fn nested(tokens: &[TokenTree], at: usize) -> usize {
    if is_punct(tokens.get(at), '|') && commas::value_may_begin(&tokens[..at]) {
        return nested::closure(&tokens[at..]);
    }
    nested::future(&tokens[at..])
}

/// How many tokens belong to a macro call, or to `macro_rules! name { .. }`, that is not looked
/// into.
fn opaque_macro(tokens: &[TokenTree]) -> usize {
    match tokens {
        [TokenTree::Ident(name), bang, TokenTree::Group(_), ..] if is_punct(Some(bang), '!') => {
            if TRANSPARENT.contains(&name.to_string().as_str()) {
                0
            } else {
                3
            }
        }
        [TokenTree::Ident(_), bang, TokenTree::Ident(_), TokenTree::Group(_), ..]
            if is_punct(Some(bang), '!') =>
        {
            4
        }
        _ => 0,
    }
}

/// Whether a `?` is behind a value. That of `T: ?Sized` is not.
fn is_question_mark(tokens: &[TokenTree], at: usize) -> bool {
    let is_value = match tokens[..at].last() {
        Some(TokenTree::Ident(word)) => !["impl", "dyn"].contains(&word.to_string().as_str()),
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '>' | '?'),
        Some(_) => true,
        None => false,
    };
    is_value && is_punct(tokens.get(at), '?')
}
