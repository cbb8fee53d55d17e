//! Cold: what a misused macro says, and how it becomes `compile_error!`; called by every parser of
//! this crate.
//!
//! Parsers push into one [`Errors`] and carry on, so that a user sees all mistakes of a call at
//! once.

use proc_macro::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};

use crate::quote::{quote, quote_at};
use crate::tokens::group;

/// One message and the range of source that it underlines.
pub(crate) struct Error {
    start: Span,
    end: Span,
    message: String,
}

impl Error {
    pub(crate) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { start: span, end: span, message: message.into() }
    }

    /// Underlines all of `tokens`; the whole macro call when there are none.
    pub(crate) fn over(tokens: &[TokenTree], message: impl Into<String>) -> Self {
        let span = |token: Option<&TokenTree>| token.map_or_else(Span::call_site, TokenTree::span);
        Self { start: span(tokens.first()), end: span(tokens.last()), message: message.into() }
    }

    /// Adds the remedy, in a paragraph of its own.
    pub(crate) fn help(mut self, help: &str) -> Self {
        self.message.push_str("\n\nhelp: ");
        self.message.push_str(help);
        self
    }

    /// `::core::compile_error! { "message" }`.
    ///
    /// rustc underlines from the path to the braces, so each of the two has a span. `Span::join`,
    /// which would make one span of two, is not stable.
    fn to_tokens(&self) -> TokenStream {
        let mut message = Literal::string(&self.message);
        message.set_span(self.end);
        let braces = group(Delimiter::Brace, TokenTree::from(message).into(), self.end);
        let mut tokens = quote_at(self.start, "::core::compile_error!", &[]);
        tokens.extend([TokenTree::from(braces)]);
        tokens
    }
}

/// The errors of one macro call, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Errors(Vec<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    pub(crate) fn push_any(&mut self, error: Option<Error>) {
        self.0.extend(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With the untouched item behind them: other code still finds it, and editors go on working.
    pub(crate) fn before(&self, item: TokenStream) -> TokenStream {
        self.to_tokens().into_iter().chain(item).collect()
    }

    /// As items or statements: the braces of each `compile_error! { .. }` need no semicolon.
    fn to_tokens(&self) -> TokenStream {
        self.0.iter().map(Error::to_tokens).collect()
    }

    /// As an expression: a block whose value is that of `body`. So the code around it still
    /// type-checks, and the mistake causes no second, misleading error.
    pub(crate) fn to_expression(&self, body: Option<Group>) -> TokenStream {
        let value = match body {
            Some(body) => {
                quote("match () { () => $body }", &[("body", TokenTree::from(body).into())])
            }
            None => TokenStream::new(),
        };
        quote("{ $errors $value }", &[("errors", self.to_tokens()), ("value", value)])
    }
}
