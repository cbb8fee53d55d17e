//! Cold: finds an `.await` that would run inside a block macro's scope; called by `block`.
//!
//! While such a block waits, other tasks run on its thread, and their allocations would be charged
//! to it. An `.await` in a nested `async` block, closure or function belongs to another future and
//! is no concern.

use proc_macro::TokenTree;

use crate::error::Error;
use crate::nested;
use crate::tokens::{is_ident, is_punct, opened};

/// The error at the first `.await` of `body`. One is enough: they all have the same remedy.
pub(crate) fn check(body: impl IntoIterator<Item = TokenTree>) -> Option<Error> {
    let tokens = opened(body);
    let mut at = 0;
    while at < tokens.len() {
        let skipped = nested::future(&tokens[at..]);
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
