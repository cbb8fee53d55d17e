//! Cold: finds an `.await` that would run inside a block macro's scope; called by `block`.
//!
//! While such a block waits, other tasks run on its thread, and their allocations would be charged
//! to it. An `.await` in a nested `async` block, closure or function belongs to another future and
//! is no concern.

use proc_macro::{Delimiter, TokenTree};

use crate::error::Error;
use crate::tokens::{as_group, is_ident, is_punct, opened};

/// The error at the first `.await` of `body`. One is enough: they all have the same remedy.
pub(crate) fn check(body: impl IntoIterator<Item = TokenTree>) -> Option<Error> {
    let tokens = opened(body);
    let mut at = 0;
    while at < tokens.len() {
        let skipped = nested_future(&tokens[at..]);
        if skipped > 0 {
            at += skipped;
            continue;
        }
        if is_punct(tokens.get(at), '.') && is_ident(tokens.get(at + 1), "await") {
            return Some(error(&tokens[at..at + 2]));
        }
        if let TokenTree::Group(group) = &tokens[at] {
            if let Some(error) = check(group.stream()) {
                return Some(error);
            }
        }
        at += 1;
    }
    None
}

fn error(await_tokens: &[TokenTree]) -> Error {
    let message = "this `.await` would count what other tasks of this thread allocate meanwhile";
    Error::over(await_tokens, message).help(
        "measure the future: `Budget::new().max(10).check_future(future).await`, or \
         `enforce_future`, counts only while it is polled",
    )
}

/// How many tokens belong to a nested `async` block, closure or function at the start of `tokens`.
fn nested_future(tokens: &[TokenTree]) -> usize {
    let [TokenTree::Ident(word), rest @ ..] = tokens else {
        return 0;
    };
    match word.to_string().as_str() {
        // Without a name it is a type: `fn(u8) -> u8`.
        "fn" if matches!(rest.first(), Some(TokenTree::Ident(_))) => 1 + through_braces(rest),
        "async" => {
            let moved = usize::from(is_ident(rest.first(), "move"));
            let rest = &rest[moved..];
            if is_punct(rest.first(), '|') {
                1 + moved + closure(rest)
            } else if as_group(rest.first(), Delimiter::Brace).is_some() {
                1 + moved + 1
            } else {
                0
            }
        }
        _ => 0,
    }
}

/// Up to and with the first braces.
fn through_braces(tokens: &[TokenTree]) -> usize {
    let braces = |token: &TokenTree| as_group(Some(token), Delimiter::Brace).is_some();
    tokens.iter().position(braces).map_or(tokens.len(), |at| at + 1)
}

/// `|params| body`, where the body may be any expression: it ends where its statement or argument
/// does.
fn closure(tokens: &[TokenTree]) -> usize {
    let bar = |token: &TokenTree| is_punct(Some(token), '|');
    let end = |token: &TokenTree| is_punct(Some(token), ',') || is_punct(Some(token), ';');
    let body = tokens[1..].iter().position(bar).map_or(tokens.len(), |at| at + 2);
    body + tokens[body..].iter().position(end).unwrap_or(tokens.len() - body)
}
