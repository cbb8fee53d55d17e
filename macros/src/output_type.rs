//! Cold: the declared return type of a function whose body became a closure or an `async` block,
//! which have none of their own; called by `expand`, and by `misuse` for `!`.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::quote::quote;
use crate::tokens::{find_ident, is_ident, is_punct};

const HINT: &str = "
    #[allow(unknown_lints, unreachable_code)]
    #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
    if false {
        let __output: $output = loop {};
        return __output;
    }
";

/// A `return` that never runs and tells the type checker what the body is to return, as the
/// signature did: `?` finds its error type, a `Box<Concrete>` becomes a `Box<dyn Trait>`, closures
/// know their parameters.
pub(crate) fn hint(output: Option<&[TokenTree]>) -> TokenStream {
    if output.is_some_and(is_never) {
        return TokenStream::new();
    }
    quote(HINT, &[("output", nameable(output))])
}

/// The type as far as a variable can have it.
pub(crate) fn nameable(output: Option<&[TokenTree]>) -> TokenStream {
    output.map_or_else(|| quote("()", &[]), without_impl)
}

/// `!`, which no variable can have, and which needs no hint.
pub(crate) fn is_never(output: &[TokenTree]) -> bool {
    matches!(output, [never] if is_punct(Some(never), '!'))
}

/// `()`.
pub(crate) fn is_unit(output: &[TokenTree]) -> bool {
    match output {
        [TokenTree::Group(group)] => {
            group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
        }
        _ => false,
    }
}

/// Whether the type may be that of a future that does not say so. An `impl Trait` does say what it
/// is, and would lose what its bounds tell of closures, were its value handed to a call.
pub(crate) fn may_be_future(output: &[TokenTree]) -> bool {
    let is_impl = |ident: &Ident| ident.to_string() == "impl";
    let has_impl = find_ident(output.iter().cloned().collect(), &is_impl).is_some();
    !is_unit(output) && !is_never(output) && !has_impl
}

/// `_` for every `impl Trait`, which only a signature may name.
fn without_impl(tokens: &[TokenTree]) -> TokenStream {
    let mut erased = TokenStream::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_ident(tokens.get(at), "impl") {
            at += bounds_length(&tokens[at..]);
            erased.extend([TokenTree::from(Ident::new("_", Span::mixed_site()))]);
            continue;
        }
        erased.extend([match &tokens[at] {
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let mut inner = Group::new(group.delimiter(), without_impl(&inner));
                inner.set_span(group.span());
                TokenTree::from(inner)
            }
            token => token.clone(),
        }]);
        at += 1;
    }
    erased
}

/// How many tokens `impl Bound<..> + ..` takes: up to a `,` or `>` that it did not open.
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
