//! Cold: Rust source as tokens: enough to tell code from comments and from what is quoted. It
//! imports nothing, because the test of the architecture reads the library's own sources with it.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Space,
    Comment,
    /// A string, a character or a number.
    Literal,
    Lifetime,
    /// An identifier or a keyword. A raw identifier keeps its `r#`.
    Word,
    /// One character, or one of `::`, `->`, `=>` and `..`.
    Sign,
}

/// The first token of a text. The tokens of a text cover all of it, whatever it is.
pub(crate) fn next_token(text: &str) -> Option<(Kind, &str)> {
    let first = text.chars().next()?;
    let word = word_length(text);
    let after = &text[word..];
    let quoted = match &text[..word] {
        "r" | "br" | "cr" => raw_string_length(after),
        "" | "b" | "c" => string_length(after).or_else(|| character_length(after)),
        _ => None,
    };
    let (kind, length) = if text.starts_with("//") {
        (Kind::Comment, text.find('\n').unwrap_or(text.len()))
    } else if text.starts_with("/*") {
        (Kind::Comment, block_comment_length(text))
    } else if first.is_whitespace() {
        (Kind::Space, text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()))
    } else if let Some(length) = quoted {
        (Kind::Literal, word + length)
    } else if first.is_ascii_digit() {
        (Kind::Literal, number_length(text))
    } else if let Some(raw) = text.strip_prefix("r#") {
        (Kind::Word, 2 + word_length(raw))
    } else if word > 0 {
        (Kind::Word, word)
    } else if first == '\'' {
        (Kind::Lifetime, 1 + word_length(&text[1..]))
    } else if ["::", "->", "=>", ".."].iter().any(|sign| text.starts_with(sign)) {
        (Kind::Sign, 2)
    } else {
        (Kind::Sign, first.len_utf8())
    };
    Some((kind, &text[..length]))
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// A number may have a fraction. The dots of a range and of a method call are no part of it.
fn number_length(text: &str) -> usize {
    let whole = word_length(text);
    match text[whole..].strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            whole + 1 + word_length(fraction)
        }
        _ => whole,
    }
}

/// Comments nest.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(found) = text[at..].find(['/', '*']) {
        at += found;
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// `None` where no quote begins the text. A string without an end goes on to the end of the text,
/// and so do the other literals.
fn string_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = body.find(|c: char| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    Some(end.map_or(text.len(), |end| 1 + end + 1))
}

/// Of what follows the `r`.
fn raw_string_length(text: &str) -> Option<usize> {
    let hashes = text.len() - text.trim_start_matches('#').len();
    let body = text[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", &text[..hashes]);
    Some(body.find(&end).map_or(text.len(), |at| hashes + 1 + at + end.len()))
}

/// `None` where a lifetime begins, or anything else.
fn character_length(text: &str) -> Option<usize> {
    let mut body = text.strip_prefix('\'')?.char_indices();
    if body.next()?.1 == '\\' {
        body.next(); // What is escaped may be a quote itself.
        return Some(body.find(|&(_, c)| c == '\'').map_or(text.len(), |(at, _)| 1 + at + 1));
    }
    body.next().filter(|&(_, c)| c == '\'').map(|(at, _)| 1 + at + 1)
}

#[cfg(test)]
mod tests {
    use super::{next_token, Kind};

    fn tokens(text: &str) -> Vec<(Kind, &str)> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some((kind, token)) = next_token(rest) {
            assert!(!token.is_empty(), "{text}");
            tokens.push((kind, token));
            rest = &rest[token.len()..];
        }
        tokens
    }

    #[test]
    fn tokens_cover_any_text_to_its_end() {
        for text in ["'", "\"", "r#\"", "/*", "/", "'\\", "b'é'", "é'", "r", "r#x", "'\\u{41}' }"]
        {
            let all: String = tokens(text).iter().map(|(_, token)| *token).collect();
            assert_eq!(all, text);
        }
    }

    #[test]
    fn each_token_has_its_kind() {
        let check = |kind, texts: &[&str]| {
            for text in texts {
                let followed = format!("{text}{}", if kind == Kind::Comment { "\n" } else { ";" });
                assert_eq!(tokens(&followed)[0], (kind, *text));
            }
        };
        check(Kind::Space, &[" \n\t"]);
        check(Kind::Comment, &["// \" /* ", "/* /* \" */ ' */"]);
        check(Kind::Literal, &[r#""a\"b\\""#, r##"r#"a"b\"#"##, r#"br"\""#, r#"b"'""#, r#"c"""#]);
        check(Kind::Literal, &["'a'", r"'\''", r"b'\\'", "'\"'", r"'\u{41}'", "1_000u8", "1.5e3"]);
        check(Kind::Lifetime, &["'a", "'static"]);
        check(Kind::Word, &["match", "r#match", "_", "é1"]);
        check(Kind::Sign, &["::", "->", "=>", "..", "="]);
        let texts = |text| tokens(text).iter().map(|(_, token)| *token).collect::<Vec<_>>();
        assert_eq!(texts("1..2.max(3)"), ["1", "..", "2", ".", "max", "(", "3", ")"]);
        assert_eq!(texts("<'a>b'c'"), ["<", "'a", ">", "b'c'"]);
    }
}
