//! Cold: keeps what `macro_rules!` captured in one piece; called by `expand` and `block`.
//!
//! `$n` in `$n * 3` arrives as `1 + 2` in a group without delimiters. When a procedural macro hands
//! it back, rustc's parser skips such a group: the result is 7 where the user's macro says 9. Only
//! tokens that were looked at one by one are affected. A group that is passed on unopened keeps
//! what is in it.

use proc_macro::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

use crate::tokens::{as_group, group, is_ident, is_path, is_punct, listed};

/// The tokens, with parentheses around each fragment that is beside an operator.
pub(crate) fn kept(tokens: &[TokenTree]) -> TokenStream {
    let token = |at: usize| match as_group(tokens.get(at), Delimiter::None) {
        // The span makes the parentheses generated ones, which no lint calls superfluous.
        Some(fragment) if beside_operator(tokens, at) && !is_one_piece(fragment) => {
            group(Delimiter::Parenthesis, fragment.stream(), Span::mixed_site()).into()
        }
        _ => tokens[at].clone(),
    };
    (0..tokens.len()).map(token).collect()
}

fn beside_operator(tokens: &[TokenTree], at: usize) -> bool {
    at > 0 && is_operator(tokens, at - 1)
        || is_operator(tokens, at + 1)
        || is_ident(tokens.get(at + 1), "as")
}

fn is_operator(tokens: &[TokenTree], at: usize) -> bool {
    let Some(TokenTree::Punct(punct)) = tokens.get(at) else {
        return false;
    };
    match punct.as_char() {
        ',' | ';' | ':' | '#' | '$' | '\'' => false,
        // As a part of `==`, `<=` and the like. Alone it is an assignment, and nothing binds less
        // than that.
        '=' => {
            punct.spacing() == Spacing::Joint && is_punct(tokens.get(at + 1), '=')
                || at > 0 && is_joint(&tokens[at - 1])
        }
        _ => true,
    }
}

fn is_joint(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint)
}

/// A path or a single token is in one piece anyway, and not every path may be in parentheses.
fn is_one_piece(fragment: &Group) -> bool {
    let tokens = listed(fragment.stream());
    tokens.len() == 1 || is_path(&tokens)
}
