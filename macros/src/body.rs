//! Cold: `Body`, what a function does, as far as its tokens tell; made by `item`, asked by `misuse`
//! and `expand`.
//!
//! To look into a group takes a call of the compiler, longer than all that is done here with what
//! is in it. There may be thousands of tests, so each group is looked into once.

use proc_macro::{Group, Ident, TokenTree};

use crate::exits;
use crate::tokens::{is_punct, listed};

pub(crate) struct Body {
    /// In its braces.
    pub(crate) group: Group,
    /// What stands between them.
    pub(crate) tokens: Vec<TokenTree>,
    /// Whether something in it may leave the function before its end.
    pub(crate) may_leave: bool,
    /// Each word of it, at any depth.
    pub(crate) words: Vec<(String, Ident)>,
}

impl Body {
    pub(crate) fn new(group: Group) -> Self {
        let tokens = listed(group.stream());
        let mut body = Self { group, tokens: Vec::new(), may_leave: false, words: Vec::new() };
        body.look_at(&tokens);
        body.tokens = tokens;
        body
    }

    fn look_at(&mut self, tokens: &[TokenTree]) {
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.look_at(&listed(group.stream())),
                TokenTree::Punct(punct) => self.may_leave |= punct.as_char() == '?',
                TokenTree::Ident(ident) => {
                    let word = ident.to_string();
                    // Not of `word != value`.
                    let is_macro =
                        is_punct(tokens.get(at + 1), '!') && !is_punct(tokens.get(at + 2), '=');
                    self.may_leave |= exits::may_leave(&word, is_macro);
                    self.words.push((word, ident.clone()));
                }
                TokenTree::Literal(_) => {}
            }
        }
    }
}
