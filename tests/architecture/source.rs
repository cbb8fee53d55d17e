//! Rust source as a list of tokens: enough to tell code from comments and strings, to cut what only
//! tests compile, and to see which paths it names. It expands no macro and knows no types.

use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// An identifier or a keyword.
    Word,
    /// A string, a character or a number.
    Literal,
    Lifetime,
    /// One character, or one of `::`, `->`, `=>` and `..`.
    Sign,
}

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

/// The code of a file, and the lines of it that a comment above says not to panic.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) tokens: Vec<Token>,
    pub(crate) reasons: BTreeSet<usize>,
}

/// So a comment begins that says why the next line of code does not panic.
const REASON: &str = "// No panic: ";

impl Source {
    /// All code of the file, with what only tests compile.
    pub(crate) fn whole(text: &str) -> Source {
        let mut source = Source { tokens: Vec::new(), reasons: BTreeSet::new() };
        let mut rest = Rest { text, at: 0, line: 1, has_reason: false };
        while rest.at < text.len() {
            rest.scan(&mut source);
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

/// Where a scan of a text is.
struct Rest<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// A reason stands above what comes next.
    has_reason: bool,
}

impl<'a> Rest<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) {
        self.line += self.rest()[..bytes].matches('\n').count();
        self.at += bytes;
    }

    /// Takes one token, comment or space off the text.
    fn scan(&mut self, source: &mut Source) {
        let rest = self.rest();
        let first = rest.chars().next().expect("not at the end");
        if rest.starts_with("//") {
            let is_above = source.tokens.last().map_or(0, |token| token.line) < self.line;
            self.has_reason |= rest.starts_with(REASON) && is_above;
            return self.skip(rest.find('\n').unwrap_or(rest.len()));
        }
        if rest.starts_with("/*") {
            return self.skip(block_comment(rest));
        }
        if first.is_whitespace() {
            return self.skip(first.len_utf8());
        }
        let (kind, length) = if let Some(length) = string(rest) {
            (Kind::Literal, length)
        } else if let Some(length) = character(rest) {
            (Kind::Literal, length)
        } else if first == '\'' {
            (Kind::Lifetime, 1 + word(&rest[1..]))
        } else if first.is_ascii_digit() {
            (Kind::Literal, number(rest))
        } else if let Some(raw) = rest.strip_prefix("r#") {
            self.skip(2);
            (Kind::Word, word(raw))
        } else if first.is_alphabetic() || first == '_' {
            (Kind::Word, word(rest))
        } else if ["::", "->", "=>", ".."].iter().any(|sign| rest.starts_with(sign)) {
            (Kind::Sign, 2)
        } else {
            (Kind::Sign, first.len_utf8())
        };
        let text = self.rest()[..length].to_owned();
        if std::mem::take(&mut self.has_reason) {
            source.reasons.insert(self.line);
        }
        source.tokens.push(Token { kind, text, line: self.line });
        self.skip(length);
    }
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// A number, which may have a fraction; a range or a method of a number is none of it.
fn number(text: &str) -> usize {
    let whole = word(text);
    let fraction = text[whole..].strip_prefix('.').map_or(0, word);
    let is_fraction = text[whole..].chars().nth(1).is_some_and(|c| c.is_ascii_digit());
    if fraction > 0 && is_fraction {
        whole + 1 + fraction
    } else {
        whole
    }
}

/// The length of a comment that begins here; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a string of any kind that begins here.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix).map(|rest| rest.trim_start_matches('#'));
        after.is_some_and(|rest| rest.starts_with('"'))
    })?;
    let opening = &text[prefix.len()..];
    let hashes = opening.len() - opening.trim_start_matches('#').len();
    let body = prefix.len() + hashes + 1;
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()));
    }
    if hashes > 0 {
        return None;
    }
    let mut escaped = false;
    let end = text[body..].find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some(end.map_or(text.len(), |at| body + at + 1))
}

/// The length of a character literal that begins here. A lifetime is none.
fn character(text: &str) -> Option<usize> {
    let prefix = usize::from(text.starts_with("b'"));
    let body = text[prefix..].strip_prefix('\'')?;
    let mut characters = body.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        // What is escaped may be a quote itself.
        characters.next()?;
        return characters.find(|&(_, c)| c == '\'').map(|(at, _)| prefix + 1 + at + 1);
    }
    characters.next().filter(|&(_, c)| c == '\'').map(|(at, _)| prefix + 1 + at + 1)
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

/// Where an attribute ends that lets only tests compile what follows, and whether it is an inner
/// one: `cfg(test)`, or `cfg(all(..))` with `test` among the conditions.
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

/// The index past the item, statement, field or match arm that begins at `at`. Where it is not
/// plain, rather too little than too much.
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
