//! Rust source as a list of tokens, without comments: enough to cut what only tests compile, and to
//! see which paths it names. It expands no macro and knows no types.

use crate::tokens::next_token;
pub(crate) use crate::tokens::Kind;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Word | Kind::Sign)
    }

    pub(crate) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }
}

/// The code of a file, and those of its lines of which a comment above says why they do not panic.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) tokens: Vec<Token>,
    pub(crate) reasons: BTreeSet<usize>,
}

/// How a comment begins that says why the next line of code does not panic.
const REASON: &str = "// No panic: ";

impl Source {
    /// All code of the file, with what only tests compile.
    pub(crate) fn whole(text: &str) -> Source {
        let mut source = Source { tokens: Vec::new(), reasons: BTreeSet::new() };
        let (mut rest, mut line, mut has_reason) = (text, 1, false);
        while let Some((kind, token)) = next_token(rest) {
            rest = &rest[token.len()..];
            match kind {
                Kind::Space => {}
                Kind::Comment => {
                    let is_above = source.tokens.last().map_or(0, |token| token.line) < line;
                    has_reason |= token.starts_with(REASON) && is_above;
                }
                _ => {
                    if std::mem::take(&mut has_reason) {
                        source.reasons.insert(line);
                    }
                    let text = token.strip_prefix("r#").filter(|_| kind == Kind::Word);
                    let text = text.unwrap_or(token).to_owned();
                    source.tokens.push(Token { kind, text, line });
                }
            }
            line += token.matches('\n').count();
        }
        source
    }

    /// The code of the file that the user's program runs: without the items under `#[cfg(test)]`.
    pub(crate) fn without_tests(text: &str) -> Source {
        let Source { tokens, reasons } = Source::whole(text);
        let mut kept = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            match test_attribute_end(&tokens, at) {
                Some((end, true)) => at = group_around_end(&tokens, end),
                Some((end, false)) => at = item_end(&tokens, end),
                None => {
                    kept.push(tokens[at].clone());
                    at += 1;
                }
            }
        }
        Source { tokens: kept, reasons }
    }
}

/// The index past the bracket that closes the one at `open`.
pub(crate) fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|sign| token.is(sign)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|sign| token.is(sign)) {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

/// The index of the bracket that closes the group that `at` is in, or the end of the file.
fn group_around_end(tokens: &[Token], mut at: usize) -> usize {
    let is_any = |at: usize, signs: [&str; 3]| signs.iter().any(|sign| tokens[at].is(sign));
    while at < tokens.len() && !is_any(at, [")", "]", "}"]) {
        at = if is_any(at, ["(", "[", "{"]) { group_end(tokens, at) } else { at + 1 };
    }
    at
}

/// The tokens of the attribute that begins at `at`, where it ends, and whether it is an inner one.
pub(crate) fn attribute(tokens: &[Token], at: usize) -> Option<(&[Token], usize, bool)> {
    if !tokens[at].is("#") {
        return None;
    }
    let is_inner = tokens.get(at + 1)?.is("!");
    let open = at + 1 + usize::from(is_inner);
    if !tokens.get(open)?.is("[") {
        return None;
    }
    let end = group_end(tokens, open);
    Some((&tokens[open + 1..end - 1], end, is_inner))
}

/// Where an attribute ends that has only tests compile what follows, and whether it is an inner
/// one. It is `cfg(test)`, or `cfg(all(..))` with `test` among the conditions.
fn test_attribute_end(tokens: &[Token], at: usize) -> Option<(usize, bool)> {
    let (content, end, is_inner) = attribute(tokens, at)?;
    let texts: Vec<&str> = content.iter().map(|token| token.text.as_str()).collect();
    let is_for_tests = match &texts[..] {
        ["cfg", "(", "test", ")"] => true,
        ["cfg", "(", "all", "(", conditions @ .., ")", ")"] => {
            let mut depth = 0;
            let mut has_test = false;
            for &text in conditions {
                match text {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    "test" if depth == 0 => has_test = true,
                    _ => {}
                }
            }
            has_test
        }
        _ => false,
    };
    is_for_tests.then_some((end, is_inner))
}

/// The index past the item, statement, field or match arm that begins at `at`. If that is not
/// clear, it is too low rather than too high.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        let Some((_, end, _)) = attribute(tokens, at) else { break };
        at = end;
    }
    let mut first = at;
    if tokens.get(first).is_some_and(|token| token.is("pub")) {
        first += 1;
        if tokens.get(first).is_some_and(|token| token.is("(")) {
            first = group_end(tokens, first);
        }
    }
    let is = |at: usize, words: &[&str]| {
        tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is(word)))
    };
    // Braces end a function, but are only a part of what gives a name a value or a path.
    let is_constant = is(first, &["const"]) && !is(first + 1, &["fn", "unsafe", "extern", "async"]);
    let goes_on = is_constant || is(first, &["use", "static", "type", "let"]);
    const ITEMS: [&str; 10] =
        ["fn", "mod", "struct", "enum", "union", "trait", "impl", "unsafe", "extern", "async"];
    // Commas end a field or an arm, but stand between the parameters of an item.
    let is_item = goes_on || is(first, &["const", "macro_rules"]) || is(first, &ITEMS);
    while at < tokens.len() {
        let token = &tokens[at];
        if token.is(";") || (token.is(",") && !is_item) {
            return at + 1;
        }
        if ["}", ")", "]"].iter().any(|sign| token.is(sign)) {
            return at;
        }
        if token.is("{") {
            at = group_end(tokens, at);
            if !goes_on && !is(at, &["else", ".", "?", ",", ";", "=>"]) {
                return at;
            }
        } else if token.is("(") || token.is("[") {
            at = group_end(tokens, at);
        } else {
            at += 1;
        }
    }
    at
}
