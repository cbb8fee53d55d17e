//! Cold: finds an `.await` that would run inside a block macro's scope; called by `block`.
//!
//! While such a block waits, other tasks run on its thread, and their allocations would be charged
//! to it. An `.await` in a nested `async` block, closure or function belongs to another future, and
//! is allowed.

use proc_macro::TokenTree;

use crate::error::Error;
use crate::nested;
use crate::tokens::{is_ident, is_punct};

pub(crate) fn check(body: &[TokenTree]) -> Option<Error> {
    nested::first_error(body, &|tokens, at| nested::future(&tokens[at..]), &error_at)
}

fn error_at(tokens: &[TokenTree], at: usize) -> Option<Error> {
    if !is_punct(tokens.get(at), '.') || !is_ident(tokens.get(at + 1), "await") {
        return None;
    }
    let message = "this `.await` would count what other tasks of this thread allocate meanwhile";
    Some(Error::over(&tokens[at..at + 2], message).help(
        "measure the future: `Budget::new().max(10).check_future(future).await`, or \
         `enforce_future`, counts only while it is polled",
    ))
}
