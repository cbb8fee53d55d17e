//! Cold: fills templates of Rust source with tokens; called by `expand` and `error`.
//!
//! A template is a text in which `$name` is a hole. The template's own tokens get one span. Tokens
//! that are put into the holes keep theirs, so that rustc's messages about a user's code point at
//! that code.

use proc_macro::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::tokens;

/// What stands for each `$name` of a template.
pub(crate) type Holes<'a> = [(&'a str, TokenStream)];

/// Fills `template`. Its local variables can neither see the user's nor be seen by them (mixed
/// site).
pub(crate) fn quote(template: &str, holes: &Holes<'_>) -> TokenStream {
    quote_at(Span::mixed_site(), template, holes)
}

/// `start::a::b`, or `::a::b`.
pub(crate) fn path<const N: usize>(start: Option<&TokenStream>, words: [Ident; N]) -> TokenStream {
    let [first, second] = [Spacing::Joint, Spacing::Alone].map(|spacing| punct(':', spacing));
    let steps = words.into_iter().flat_map(|word| [first.clone(), second.clone(), word.into()]);
    start.cloned().into_iter().flatten().chain(steps).collect()
}

/// An identifier as `quote` makes them.
pub(crate) fn word(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The same of punctuation.
pub(crate) fn punct(character: char, spacing: Spacing) -> TokenTree {
    let mut punct = Punct::new(character, spacing);
    punct.set_span(Span::mixed_site());
    punct.into()
}

/// Fills `template`, its own tokens standing at `span`.
pub(crate) fn quote_at(span: Span, template: &str, holes: &Holes<'_>) -> TokenStream {
    let template = template.parse().expect("this is a bug in mod-alloc: a template does not lex");
    fill(span, template, holes)
}

/// Tokens go into a vector first: each call of a stream is one to the compiler.
fn fill(span: Span, template: TokenStream, holes: &Holes<'_>) -> TokenStream {
    let mut filled = Vec::new();
    let mut rest = template.into_iter();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {
                filled.extend(hole(rest.next(), holes));
            }
            TokenTree::Group(group) => {
                let inner = fill(span, group.stream(), holes);
                filled.push(tokens::group(group.delimiter(), inner, span).into());
            }
            mut token => {
                token.set_span(span);
                filled.push(token);
            }
        }
    }
    filled.into_iter().collect()
}

fn hole(name: Option<TokenTree>, holes: &Holes<'_>) -> TokenStream {
    let name = name.map_or_else(String::new, |name| name.to_string());
    match holes.iter().find(|(hole, _)| *hole == name) {
        Some((_, tokens)) => tokens.clone(),
        None => panic!("this is a bug in mod-alloc: nothing fills `${name}` of a template"),
    }
}
