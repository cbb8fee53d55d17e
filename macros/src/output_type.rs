//! Cold: what the declared return type of a function is, and how it is written where its body is a
//! closure or an `async` block; called by `expand`, and by `misuse` for `!`.

use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::quote::quote;
use crate::tokens::{as_group, find_ident, group, is_ident, is_punct, listed};

/// The type as far as it can be that of a variable.
pub(crate) fn nameable(output: Option<&[TokenTree]>) -> TokenStream {
    output.map_or_else(|| quote("()", &[]), without_impl)
}

/// Whether it is `!`, which can't be the type of a variable.
pub(crate) fn is_never(output: &[TokenTree]) -> bool {
    matches!(output, [never] if is_punct(Some(never), '!'))
}

/// Whether it is `()`.
pub(crate) fn is_unit(output: &[TokenTree]) -> bool {
    let [tuple] = output else { return false };
    as_group(Some(tuple), Delimiter::Parenthesis).is_some_and(|tuple| tuple.stream().is_empty())
}

/// Whether the type may be that of a future without saying so. An `impl Trait` does say what it is.
/// Its value is not handed to a call, where it would lose what the bounds tell of closures.
pub(crate) fn may_be_future(output: &[TokenTree]) -> bool {
    let has_impl = find_ident(output, &|word| word == "impl").is_some();
    !is_unit(output) && !is_never(output) && !has_impl
}

/// The type with `_` for every `impl Trait`, which only a signature may name.
fn without_impl(tokens: &[TokenTree]) -> TokenStream {
    let mut erased = Vec::new();
    let mut rest = tokens;
    while let Some((first, others)) = rest.split_first() {
        let is_impl = is_ident(Some(first), "impl");
        erased.push(match first {
            _ if is_impl => Ident::new("_", Span::mixed_site()).into(),
            TokenTree::Group(inner) => {
                let tokens = listed(inner.stream());
                group(inner.delimiter(), without_impl(&tokens), inner.span()).into()
            }
            token => token.clone(),
        });
        rest = if is_impl { &rest[bounds_length(rest)..] } else { others };
    }
    erased.into_iter().collect()
}

/// How many tokens `impl Bound<..> + ..` has: up to a `,` or a `>` that it did not open.
fn bounds_length(tokens: &[TokenTree]) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Punct(punct) = token else {
            continue;
        };
        match punct.as_char() {
            '<' => depth += 1,
            '>' if i > 0 && is_punct(tokens.get(i - 1), '-') => {}
            '>' | ',' if depth == 0 => return i,
            '>' => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}
