//! Cold: reads the input of `assert_allocs!` and `assert_no_alloc!`; called by `lib`.
//!
//! ```text
//! assert_allocs   := key "=" value ("," key "=" value)* "," BODY ("," MESSAGE)? ","?
//! assert_no_alloc := statements | BODY ("," MESSAGE)? ","?
//! ```
//!
//! BODY is a block or any other expression. MESSAGE is a format string and its arguments. It begins
//! with the first argument, other than the very first, that is a string literal and nothing else. A
//! `;` outside of brackets makes the tokens statements.

use proc_macro::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::args::{Args, Place};
use crate::awaits;
use crate::commas::{self, Argument};
use crate::error::{Error, Errors};
use crate::exits;
use crate::fragments;
use crate::keys;
use crate::literal;
use crate::tokens::{as_group, group, is_punct, listed, only, position};
use crate::unrun;

const ALLOCS_FORM: &str = "\
    the form is `assert_allocs!(max = 10, { .. })`, with a message if need be: \
    `assert_allocs!(max = 10, { .. }, \"n = {}\", n)`";

const NO_ALLOC_FORM: &str = "\
    the form is `assert_no_alloc! { .. }`, with a message if need be: \
    `assert_no_alloc!({ .. }, \"n = {}\", n)`";

/// What one block macro was given.
pub(crate) struct Block {
    /// The path of the runtime crate: `$crate` of the `macro_rules!` shim.
    pub(crate) krate: TokenStream,
    pub(crate) args: Args,
    /// In braces, which are the user's own where there were any. `None` only after an error.
    pub(crate) body: Option<Group>,
    /// The arguments of `format_args!`.
    pub(crate) message: Option<TokenStream>,
}

impl Block {
    pub(crate) fn assert_allocs(input: TokenStream, errors: &mut Errors) -> Self {
        let (krate, tokens) = split_krate(input);
        let (tokens, message) = split_message(&tokens);
        let mut settings = commas::split(tokens);
        let early_message = early_message(tokens, message.as_ref(), ALLOCS_FORM);
        if early_message.is_some() && settings.first().is_some_and(|first| is_string(first.tokens))
        {
            settings.remove(0);
        }
        let body = if has_body(&settings) { settings.pop() } else { None };
        match (&body, early_message) {
            (_, Some(error)) => errors.push(error),
            (Some(body), None) => check_body(body.tokens, errors),
            (None, None) => errors.push(missing_body(&mut settings)),
        }
        let args = Args::parse(settings, Place::AssertAllocs, errors);
        if let (Some(body), Some(repeat)) = (&body, args.repeats.first()) {
            errors.push_any(exits::check(body.tokens, &repeat.key));
        }
        if !args.has_limit() && errors.is_empty() {
            let error = Error::at(Span::call_site(), "`assert_allocs!` needs at least one limit");
            errors.push(error.help(ALLOCS_FORM));
        }
        Self { krate, args, body: body.map(|body| braced(body.tokens)), message }
    }

    pub(crate) fn assert_no_alloc(input: TokenStream, errors: &mut Errors) -> Self {
        let (krate, tokens) = split_krate(input);
        let (body, message) = if has_statements(&tokens) {
            (Some(&tokens[..]), None)
        } else {
            let (tokens, message) = split_message(&tokens);
            match early_message(tokens, message.as_ref(), NO_ALLOC_FORM) {
                Some(error) => {
                    errors.push(error);
                    (None, message)
                }
                None => (single(tokens, errors), message),
            }
        };
        if let Some(body) = body {
            check_run(body, errors);
        }
        Self { krate, args: Args::default(), body: body.map(braced), message }
    }
}

/// The shims put `[$crate]` before the user's tokens.
pub(crate) fn split_krate(input: TokenStream) -> (TokenStream, Vec<TokenTree>) {
    let mut tokens = input.into_iter();
    let krate = match as_group(tokens.next().as_ref(), Delimiter::Bracket) {
        Some(group) => group.stream(),
        None => panic!("call the macros of `mod_alloc`, which name its path"),
    };
    (krate, tokens.collect())
}

/// Cuts the tokens at the comma before the message.
pub(crate) fn split_message(tokens: &[TokenTree]) -> (&[TokenTree], Option<TokenStream>) {
    let commas = commas::positions(tokens);
    for (at, comma) in commas.iter().enumerate() {
        let rest = &tokens[comma + 1..];
        let end = commas.get(at + 1).map_or(rest.len(), |next| next - comma - 1);
        if is_string(&rest[..end]) {
            return (&tokens[..*comma], Some(fragments::kept(rest)));
        }
    }
    (tokens, None)
}

pub(crate) fn is_string(argument: &[TokenTree]) -> bool {
    match only(argument) {
        Some(TokenTree::Literal(literal)) => literal::is_string(&literal.to_string()),
        _ => false,
    }
}

fn has_statements(tokens: &[TokenTree]) -> bool {
    position(tokens, &|token| is_punct(Some(token), ';')).is_some()
}

/// Whether the last argument of `assert_allocs!` is a key, so that the block is missing, and not
/// the body.
///
/// `total = sum(v)` is a body. `max = 3` is none, nor is `maxx = 3`, which is more likely a typo.
fn looks_like_setting(tokens: &[TokenTree]) -> bool {
    match tokens {
        [] => true,
        [TokenTree::Ident(key)] => keys::is_key(&key.to_string()),
        [TokenTree::Ident(key), equals, ..] if is_punct(Some(equals), '=') => {
            let name = key.to_string();
            keys::is_key(&name) || keys::nearest(&name).is_some()
        }
        _ => false,
    }
}

fn is_block(tokens: &[TokenTree]) -> bool {
    as_group(only(tokens).as_ref(), Delimiter::Brace).is_some()
}

/// The error of a message that stands before the block. It may stand at the very beginning. Or else
/// it was taken for the message after the block, and the block for one of its arguments.
fn early_message(tokens: &[TokenTree], message: Option<&TokenStream>, form: &str) -> Option<Error> {
    let message = message.cloned().map_or_else(Vec::new, listed);
    let (arguments, message) = (commas::split(tokens), commas::split(&message));
    let first = match (&arguments[..], &message[..]) {
        ([first, _, ..], _) if is_string(first.tokens) => first,
        (before, [first, after @ ..]) if !has_body(before) && has_block(after) => first,
        _ => return None,
    };
    Some(Error::over(first.tokens, "the message comes after the block").help(form))
}

fn has_body(arguments: &[Argument<'_>]) -> bool {
    arguments.last().is_some_and(|last| !looks_like_setting(last.tokens))
}

fn has_block(arguments: &[Argument<'_>]) -> bool {
    arguments.iter().any(|argument| is_block(argument.tokens))
}

/// The error of a missing body. A block that is not the last argument is taken out of `settings`.
fn missing_body(settings: &mut Vec<Argument<'_>>) -> Error {
    if let Some(at) = settings.iter().position(|argument| is_block(argument.tokens)) {
        let block = settings.remove(at);
        return Error::over(block.tokens, "the block comes after the limits").help(ALLOCS_FORM);
    }
    let error = Error::at(Span::call_site(), "`assert_allocs!` needs a block to measure");
    match settings.last().and_then(|setting| setting.tokens.split_last()) {
        Some((last, before)) if is_block(std::slice::from_ref(last)) && before.len() > 2 => {
            error.help("put a comma before the block")
        }
        _ => error.help(ALLOCS_FORM),
    }
}

fn check_body(body: &[TokenTree], errors: &mut Errors) {
    if has_statements(body) {
        let error = Error::over(body, "statements must be in braces here");
        errors.push(error.help(ALLOCS_FORM));
    }
    check_run(body, errors);
}

/// Checks that the scope measures what the body does: no other task meanwhile, and nothing that
/// only runs later.
fn check_run(body: &[TokenTree], errors: &mut Errors) {
    errors.push_any(awaits::check(body));
    errors.push_any(unrun::check(body));
}

/// The one expression of `assert_no_alloc!(..)`, without the comma that may follow it.
fn single<'a>(tokens: &'a [TokenTree], errors: &mut Errors) -> Option<&'a [TokenTree]> {
    let arguments = commas::split(tokens);
    let error = match &arguments[..] {
        [body] if !body.tokens.is_empty() => return Some(body.tokens),
        [] | [_] => Error::at(Span::call_site(), "nothing to measure").help(NO_ALLOC_FORM),
        [first, ..] if looks_like_setting(first.tokens) => {
            Error::over(first.tokens, "`assert_no_alloc!` has no keys: it allows no allocation")
                .help("other limits are set by `assert_allocs!(max = 0, max_bytes = 10, { .. })`")
        }
        [_, second, ..] => {
            let error = Error::over(second.tokens, "expected a message, which is a string literal");
            error.help(NO_ALLOC_FORM)
        }
    };
    errors.push(error);
    None
}

/// A block as it stands. Anything else is put in braces, which no message of the compiler points
/// at.
fn braced(tokens: &[TokenTree]) -> Group {
    match only(tokens) {
        Some(TokenTree::Group(block)) if block.delimiter() == Delimiter::Brace => block,
        _ => group(Delimiter::Brace, fragments::kept(tokens), Span::mixed_site()),
    }
}
