//! Cold: looks for something in a body, but not in the bodies nested in it, which control flow of
//! their own ends; called by `awaits` and `exits`.

use proc_macro::{Delimiter, TokenTree};

use crate::error::Error;
use crate::tokens::{as_group, is_ident, is_punct, listed, opened, position};

/// The error at the first place of `body`, at any depth, where `error_at` finds one. One is enough:
/// they all have the same remedy. `skipped` says how many tokens from a place on not to look at.
pub(crate) fn first_error(
    body: &[TokenTree],
    skipped: &dyn Fn(&[TokenTree], usize) -> usize,
    error_at: &dyn Fn(&[TokenTree], usize) -> Option<Error>,
) -> Option<Error> {
    let tokens = opened(body);
    let mut at = 0;
    while at < tokens.len() {
        let length = skipped(&tokens, at);
        if length == 0 {
            let within = || match &tokens[at] {
                TokenTree::Group(group) => first_error(&listed(group.stream()), skipped, error_at),
                _ => None,
            };
            if let Some(error) = error_at(&tokens, at).or_else(within) {
                return Some(error);
            }
        }
        at += length.max(1);
    }
    None
}

/// How many tokens belong to a nested `async` block, closure or function at the start of `tokens`.
pub(crate) fn future(tokens: &[TokenTree]) -> usize {
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

/// How many tokens there are up to the first braces, these included.
fn through_braces(tokens: &[TokenTree]) -> usize {
    let braces = |token: &TokenTree| as_group(Some(token), Delimiter::Brace).is_some();
    position(tokens, &braces).map_or(tokens.len(), |at| at + 1)
}

/// How many tokens `|params| body` has at the start of `tokens`. The body may be any expression: it
/// ends where its statement or its argument does.
pub(crate) fn closure(tokens: &[TokenTree]) -> usize {
    let bar = |token: &TokenTree| is_punct(Some(token), '|');
    let end = |token: &TokenTree| is_punct(Some(token), ',') || is_punct(Some(token), ';');
    let body = position(&tokens[1..], &bar).map_or(tokens.len(), |at| at + 2);
    body + position(&tokens[body..], &end).unwrap_or(tokens.len() - body)
}
