//! Cold: reads the input of `assert_growth!`; called by `lib`.
//!
//! ```text
//! assert_growth := setting ("," setting)* "," CLOSURE ("," MESSAGE)? ","?
//! setting       := key "=" ORDER | "sizes" "=" EXPRESSION
//! ```
//!
//! ORDER is one of five token sequences, `O(1)` and so on. CLOSURE is any expression. MESSAGE is as
//! in `block`.

use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::args::Setting;
use crate::block::{is_string, split_krate, split_message};
use crate::commas::{self, Argument};
use crate::error::{Error, Errors};
use crate::fragments;
use crate::keys;
use crate::tokens::{as_group, is_ident, is_punct, listed, only, opened};

const FORM: &str = "\
    the form is `assert_growth!(max = O(1), |n| { let input = ..; move || code(&input) })`, with a \
    message if need be: `assert_growth!(max = O(1), |n| .., \"n = {}\", n)`";

const ORDERS_HELP: &str = "the orders are `O(1)`, `O(log n)`, `O(n)`, `O(n log n)` and `O(n^2)`";

/// Each but the last is a setter of `Growth` that takes an `Order`.
const KEYS: &[&str] = &[
    "max",
    "max_bytes",
    "max_peak_bytes",
    "max_block_bytes",
    "max_reallocs",
    "max_retained",
    SIZES,
];

const SIZES: &str = "sizes";

/// What stands between the parentheses, without spaces, and the variant of `Order`.
const ORDERS: [(&str, &str); 5] = [
    ("1", "Constant"),
    ("logn", "Logarithmic"),
    ("n", "Linear"),
    ("nlogn", "Linearithmic"),
    ("n^2", "Quadratic"),
];

/// What the macro was given.
pub(crate) struct Growth {
    /// The path of the runtime crate: `$crate` of the `macro_rules!` shim.
    pub(crate) krate: TokenStream,
    /// Each a key, and a variant of `Order` at the place of the order.
    pub(crate) limits: Vec<(Ident, Ident)>,
    pub(crate) sizes: Option<TokenStream>,
    pub(crate) set_up: TokenStream,
    /// The arguments of `format_args!`.
    pub(crate) message: Option<TokenStream>,
}

impl Growth {
    pub(crate) fn parse(input: TokenStream, errors: &mut Errors) -> Self {
        let (krate, tokens) = split_krate(input);
        let (tokens, message) = split_message(&tokens);
        let mut arguments = commas::split(tokens);
        let mut growth =
            Self { krate, limits: Vec::new(), sizes: None, set_up: TokenStream::new(), message };
        match arguments.last() {
            Some(last) if !looks_like_setting(last.tokens) => {
                errors.push_any(check_set_up(last.tokens));
                growth.set_up = fragments::kept(last.tokens);
                arguments.pop();
            }
            _ => errors.push(growth.missing_set_up()),
        }
        for argument in &arguments {
            if let Err(error) = growth.add(argument) {
                errors.push(error);
            }
        }
        if growth.limits.is_empty() && errors.is_empty() {
            let error = Error::at(Span::call_site(), "`assert_growth!` needs at least one order");
            errors.push(error.help(FORM));
        }
        growth
    }

    fn add(&mut self, argument: &Argument<'_>) -> Result<(), Error> {
        let tokens = argument.tokens;
        let key = match (tokens.first(), argument.comma) {
            (Some(TokenTree::Ident(o)), _) if o.to_string() == "O" => {
                let order: TokenStream = tokens.iter().cloned().collect();
                let error = Error::over(tokens, "expected `key = value`");
                return Err(error.help(&format!("write `max = {order}`")));
            }
            (Some(TokenTree::Ident(key)), _) => key.clone(),
            (Some(_), _) if is_string(tokens) => return Err(early_message(tokens)),
            (Some(_), _) => {
                return Err(Error::over(tokens, "expected `key = value`").help(&keys_help()))
            }
            (None, comma) => {
                let span = comma.unwrap_or_else(Span::call_site);
                return Err(
                    Error::at(span, "empty argument before this comma").help("remove the comma")
                );
            }
        };
        let name = key.to_string();
        if !KEYS.contains(&name.as_str()) {
            let near = keys::nearest_among(&name, KEYS);
            let help = near.map_or_else(keys_help, |near| format!("did you mean `{near}`?"));
            return Err(Error::at(key.span(), format!("unknown key `{name}`")).help(&help));
        }
        let help = if name == SIZES { "write `sizes = [64, 512, 4096]`" } else { ORDERS_HELP };
        let value = Setting::parse_value(&name, tokens, help)?;
        let is_known = |(known, _): &(Ident, Ident)| known.to_string() == name;
        if self.limits.iter().any(is_known) || name == SIZES && self.sizes.is_some() {
            let error = Error::at(key.span(), format!("duplicate key `{name}`"));
            return Err(error.help("keep one of them"));
        }
        if name == SIZES {
            self.sizes = Some(fragments::kept(value));
        } else {
            self.limits.push((key, order(&name, value)?));
        }
        Ok(())
    }

    fn missing_set_up(&self) -> Error {
        let message: Vec<_> = self.message.clone().into_iter().flatten().collect();
        match &commas::split(&message)[..] {
            [first, after @ ..] if after.iter().any(|argument| is_closure(argument.tokens)) => {
                early_message(first.tokens)
            }
            _ => {
                let error = "`assert_growth!` needs a closure that takes the size of the input";
                Error::at(Span::call_site(), error).help(FORM)
            }
        }
    }
}

fn early_message(message: &[TokenTree]) -> Error {
    Error::over(message, "the message comes after the closure").help(FORM)
}

fn keys_help() -> String {
    let limits = KEYS[..KEYS.len() - 1].join("`, `");
    format!("the keys are `{limits}` and `{SIZES}`")
}

/// `max = 3` is one, and so is a bare `max`: the closure is missing then.
fn looks_like_setting(tokens: &[TokenTree]) -> bool {
    match tokens {
        [] => true,
        [TokenTree::Ident(key)] => KEYS.contains(&key.to_string().as_str()),
        [TokenTree::Ident(_), equals, ..] => is_punct(Some(equals), '='),
        _ => is_string(tokens),
    }
}

fn is_closure(tokens: &[TokenTree]) -> bool {
    is_punct(closure(tokens).first(), '|')
}

/// From the first bar on, if this is a closure.
fn closure(tokens: &[TokenTree]) -> &[TokenTree] {
    &tokens[usize::from(is_ident(tokens.first(), "move"))..]
}

/// What cannot be the outer closure, as one sees.
fn check_set_up(tokens: &[TokenTree]) -> Option<Error> {
    let tokens = opened(tokens);
    let bars = closure(&tokens);
    if is_punct(bars.first(), '|') && is_punct(bars.get(1), '|') {
        let error = Error::over(&bars[..2], "this closure takes the size of the input");
        return Some(error.help("write `|n|`"));
    }
    as_group(only(&tokens).as_ref(), Delimiter::Brace)?;
    let error = Error::over(&tokens, "this is a block, and would be run for one size only");
    Some(error.help(FORM))
}

/// The variant of `Order`, at the place of the value.
fn order(key: &str, value: &[TokenTree]) -> Result<Ident, Error> {
    let tokens = opened(value);
    let group = match &tokens[..] {
        [TokenTree::Ident(o), group] if o.to_string() == "O" => {
            as_group(Some(group), Delimiter::Parenthesis).map(|group| group.stream())
        }
        _ => None,
    };
    let Some(function) = group else {
        let error = Error::over(value, format!("the value of `{key}` is an order, as `O(n)`"));
        return Err(error.help(ORDERS_HELP));
    };
    let words: String = opened(&listed(function)).iter().map(TokenTree::to_string).collect();
    match ORDERS.iter().find(|(known, _)| *known == words) {
        Some((_, variant)) => Ok(Ident::new(variant, Span::mixed_site())),
        None => Err(Error::over(value, "unknown order").help(ORDERS_HELP)),
    }
}
