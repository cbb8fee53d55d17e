//! Cold: finds the parts of the function under `#[alloc_budget]`; called by `lib`.
//!
//! It reads no more of the item than it needs: attributes, generics, parameters and types pass
//! through as they are. Whether the function can have a budget is decided in `misuse`.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::body::Body;
use crate::error::Error;
use crate::tokens::{as_group, find_ident, is_ident, is_punct, listed, position};

pub(crate) struct Function {
    /// Whether it has the attribute `track_caller`.
    pub(crate) is_tracked: bool,
    pub(crate) is_async: bool,
    /// The `const` of a `const fn`.
    pub(crate) constness: Option<Span>,
    /// `extern`, and the string after it: `"C"` if there is none.
    pub(crate) abi: Option<(Span, String)>,
    pub(crate) name: Ident,
    pub(crate) params: Option<Group>,
    /// The type after `->`.
    pub(crate) output: Option<Vec<TokenTree>>,
    pub(crate) body: Body,
}

impl Function {
    pub(crate) fn parse(item: Vec<TokenTree>) -> Result<Self, Error> {
        let mut reader = Reader::new(item);
        let is_tracked = reader.skip_attributes();

        let (mut is_async, mut constness, mut abi) = (false, None, None);
        let fn_span = loop {
            let Some(TokenTree::Ident(word)) = reader.next() else {
                return Err(no_function(abi));
            };
            match word.to_string().as_str() {
                "pub" => reader.skip_group(Delimiter::Parenthesis),
                "async" => is_async = true,
                "const" => constness = Some(word.span()),
                "extern" => abi = Some((word.span(), reader.take_abi())),
                "unsafe" | "safe" | "default" => {}
                "fn" => break word.span(),
                _ => return Err(not_a_function(&word, constness)),
            }
        };
        let Some(TokenTree::Ident(name)) = reader.next() else {
            return Err(Error::at(fn_span, "`#[alloc_budget]` goes on a function"));
        };

        let signature = reader.into_tokens();
        let Some(body) = body_of(&signature) else {
            let message = format!("`#[alloc_budget]` needs a body, `{name}` is only declared");
            return Err(Error::at(name.span(), message).help("put it on the implementation"));
        };
        let body = Body::new(body);
        let (params, output) = params_and_output(&signature[..signature.len() - 1]);
        Ok(Self { is_tracked, is_async, constness, abi, name, params, output, body })
    }
}

/// How many tokens the `#![..]` are that a body begins with.
pub(crate) fn inner_attributes(body: &[TokenTree]) -> usize {
    let mut end = 0;
    while is_punct(body.get(end), '#') && is_punct(body.get(end + 1), '!') {
        end += 3;
    }
    end
}

/// The item with another body.
///
/// Only the body is taken apart: all other tokens, invisible groups included, stay what they were.
pub(crate) fn with_body(mut item: Vec<TokenTree>, body: Group) -> TokenStream {
    let last = item.pop();
    match as_group(last.as_ref(), Delimiter::None) {
        Some(invisible) => item.extend(with_body(listed(invisible.stream()), body)),
        None => item.push(body.into()),
    }
    item.into_iter().collect()
}

/// The braces that end the item, or that end an invisible group which ends the item.
pub(crate) fn body_of(tokens: &[TokenTree]) -> Option<Group> {
    let last = tokens.last();
    match as_group(last, Delimiter::None) {
        Some(invisible) => body_of(&listed(invisible.stream())),
        None => as_group(last, Delimiter::Brace).cloned(),
    }
}

/// `signature` is what stands between the name and the body: `<..>(..) -> Output where ..`.
fn params_and_output(signature: &[TokenTree]) -> (Option<Group>, Option<Vec<TokenTree>>) {
    let (params, rest) = match without_generics(signature) {
        [params, rest @ ..] => (as_group(Some(params), Delimiter::Parenthesis).cloned(), rest),
        [] => (None, signature),
    };
    let output = match rest {
        [minus, arrow, output @ ..] if is_punct(Some(minus), '-') && is_punct(Some(arrow), '>') => {
            let is_where = |token: &TokenTree| is_ident(Some(token), "where");
            let end = position(output, &is_where).unwrap_or(output.len());
            Some(output[..end].to_vec())
        }
        _ => None,
    };
    (params, output)
}

/// Skips `<..>`. The `->` of a bound such as `Fn() -> u8` closes nothing.
fn without_generics(tokens: &[TokenTree]) -> &[TokenTree] {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        let in_arrow = i > 0 && is_punct(tokens.get(i - 1), '-');
        if is_punct(Some(token), '<') {
            depth += 1;
        } else if is_punct(Some(token), '>') && !in_arrow {
            depth -= 1;
        } else if depth == 0 {
            return &tokens[i..];
        }
    }
    &[]
}

/// `word` is where `fn` should be.
fn not_a_function(word: &Ident, constness: Option<Span>) -> Error {
    let (kind, span) = match (word.to_string(), constness) {
        // `const NAME: Type = ..`
        (kind, Some(span)) if !is_item_keyword(&kind) => (String::from("const"), span),
        (kind, _) => (kind, word.span()),
    };
    let error = Error::at(span, format!("`#[alloc_budget]` goes on a function, not on `{kind}`"));
    match kind.as_str() {
        "impl" | "trait" => error.help("put it on each function inside"),
        _ => error.help("put it on a function or method, or on a module of tests"),
    }
}

fn is_item_keyword(word: &str) -> bool {
    matches!(
        word,
        "enum" | "impl" | "mod" | "static" | "struct" | "trait" | "type" | "union" | "use"
    )
}

/// There is no word where `fn` should be: `extern "C" { .. }`.
fn no_function(abi: Option<(Span, String)>) -> Error {
    let span = abi.map_or_else(Span::call_site, |(span, _)| span);
    let error = Error::at(span, "`#[alloc_budget]` goes on a function with a body");
    error.help("put it on a Rust function that calls these")
}

/// The tokens of an item, from the left. An invisible group is opened when it is reached and not
/// before, so that a type which came as one `$output:ty` remains one token.
struct Reader {
    /// In reverse order: the next one is the last.
    tokens: Vec<TokenTree>,
}

impl Reader {
    fn new(mut item: Vec<TokenTree>) -> Self {
        item.reverse();
        Self { tokens: item }
    }

    fn put_back(&mut self, stream: TokenStream) {
        let mut tokens = listed(stream);
        tokens.reverse();
        self.tokens.append(&mut tokens);
    }

    fn peek(&mut self) -> Option<&TokenTree> {
        while let Some(group) = as_group(self.tokens.last(), Delimiter::None).cloned() {
            self.tokens.pop();
            self.put_back(group.stream());
        }
        self.tokens.last()
    }

    fn next(&mut self) -> Option<TokenTree> {
        self.peek();
        self.tokens.pop()
    }

    /// Says whether one of them is `track_caller`.
    fn skip_attributes(&mut self) -> bool {
        let mut is_tracked = false;
        while is_punct(self.peek(), '#') {
            self.next();
            if let Some(TokenTree::Group(attribute)) = self.next() {
                let attribute = listed(attribute.stream());
                is_tracked |= find_ident(&attribute, &|word| word == "track_caller").is_some();
            }
        }
        is_tracked
    }

    fn skip_group(&mut self, delimiter: Delimiter) {
        if as_group(self.peek(), delimiter).is_some() {
            self.next();
        }
    }

    /// The string after `extern`; without one it means `"C"`.
    fn take_abi(&mut self) -> String {
        match self.peek() {
            Some(TokenTree::Literal(abi)) => {
                let abi = abi.to_string();
                self.next();
                abi
            }
            _ => String::from("\"C\""),
        }
    }

    fn into_tokens(mut self) -> Vec<TokenTree> {
        self.tokens.reverse();
        self.tokens
    }
}
