//! Cold: small questions about tokens, asked by every parser of this crate.
//!
//! What `macro_rules!` captured as a fragment (`$n:expr`, `$body:block`, `$vis:vis`) arrives in a
//! group without delimiters. The functions here look through such groups; what is handed on keeps
//! them, see `fragments`.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

pub(crate) fn is_punct(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == punct)
}

pub(crate) fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident.to_string() == name)
}

/// The group in `token`, if it is delimited by `delimiter`.
pub(crate) fn as_group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<&Group> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// `tokens` with the invisible groups opened, only to look at them. Visible groups stay closed.
pub(crate) fn opened(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut found = Vec::new();
    for token in tokens {
        match as_group(Some(token), Delimiter::None) {
            Some(group) => found.append(&mut opened(&listed(group.stream()))),
            None => found.push(token.clone()),
        }
    }
    found
}

/// Where the first of the tokens is that is so.
pub(crate) fn position(tokens: &[TokenTree], is_so: &dyn Fn(&TokenTree) -> bool) -> Option<usize> {
    tokens.iter().position(is_so)
}

pub(crate) fn listed(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

/// The one token that `tokens` consist of, whether or not it came through `macro_rules!`.
pub(crate) fn only(tokens: &[TokenTree]) -> Option<TokenTree> {
    let [token] = tokens else { return None };
    match as_group(Some(token), Delimiter::None) {
        Some(group) => only(&listed(group.stream())),
        None => Some(token.clone()),
    }
}

/// Whether these may be a path: words and colons.
pub(crate) fn is_path(tokens: &[TokenTree]) -> bool {
    let is_other =
        |token: &TokenTree| !matches!(token, TokenTree::Ident(_)) && !is_punct(Some(token), ':');
    position(tokens, &is_other).is_none()
}

/// A group whose delimiters stand at `span`.
pub(crate) fn group(delimiter: Delimiter, tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(delimiter, tokens);
    group.set_span(span);
    group
}

/// The first identifier of `tokens`, at any depth, that is `wanted`.
pub(crate) fn find_ident(tokens: &[TokenTree], wanted: &dyn Fn(&str) -> bool) -> Option<Ident> {
    for token in tokens {
        let found = match token {
            TokenTree::Ident(ident) if wanted(&ident.to_string()) => Some(ident.clone()),
            TokenTree::Group(group) => find_ident(&listed(group.stream()), wanted),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
