//! Cold: what the name of a function is made of, as std prints it: segments between `::`, brackets
//! of all kinds, hashes and crate numbers. [`names`](super::names) says what is asked of it.

/// Without `::h` and 16 hexadecimal digits at the end.
pub(super) fn without_hash(function: &str) -> &str {
    let end = function.len().wrapping_sub("::h".len() + 16);
    match (function.get(..end), function.get(end..)) {
        (Some(path), Some(hash)) if !path.is_empty() && hash.starts_with("::h") => {
            if is_hexadecimal(&hash["::h".len()..]) {
                path
            } else {
                function
            }
        }
        _ => function,
    }
}

/// The first byte that is one of those wanted. By hand: in debug builds, `str::find` takes fifty
/// times as long.
pub(super) fn find(text: &str, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if is_wanted(bytes[at]) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn is_hexadecimal(text: &str) -> bool {
    find(text, |byte| !byte.is_ascii_hexdigit()).is_none()
}

pub(super) fn is_in_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows `[HEX]`, if the text begins with that.
pub(super) fn crate_number(text: &str) -> Option<&str> {
    let (number, after) = text.strip_prefix('[')?.split_once(']')?;
    (!number.is_empty() && is_hexadecimal(number)).then_some(after)
}

/// `{...}` or `{{...}}` at the beginning of the text, and what follows.
pub(super) fn braced(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('{') {
        return None;
    }
    let first = find(text, |byte| byte == b'}')?;
    let end = match text.starts_with("{{") {
        false => first + 1,
        true if text[first..].starts_with("}}") => first + 2,
        true => text.find("}}")? + 2,
    };
    Some(text.split_at(end))
}

/// Closures, and the bodies of what is async or a generator. Not `{impl#0}`, `{{constant}}`,
/// `{shim:vtable#0}` and the like.
pub(super) fn is_closure_segment(segment: &str) -> bool {
    let word = segment.trim_start_matches('{');
    let kinds = ["closure", "async_", "coroutine", "gen_", "generator"];
    kinds.into_iter().any(|kind| word.starts_with(kind))
}

/// A segment without what is attached to it: `parse<&str>`, `app[7272149bd8684777]`,
/// `call_once{{vtable.shim}}`, `push(int)`, `work.constprop.0`. Empty where all is in brackets:
/// `<&str>`, `<impl app::Go for app::M>`.
pub(super) fn bare(segment: &str) -> &str {
    let is_bracket = |byte| matches!(byte, b'<' | b'[' | b'{' | b'(' | b'.');
    let end = find(segment, is_bracket).unwrap_or(segment.len());
    segment[..end].trim()
}

/// The parts of a path between its `::`, those within brackets aside.
pub(super) fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::with_capacity(8);
    let mut start = 0;
    let mut depth = 0usize;
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            // Not in `->`, nor in `.>`, which is how older symbols have it.
            b'>' if at > 0 && matches!(bytes[at - 1], b'-' | b'.') => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\'' => at = end_of_quoted(path, at),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                segments.push(&path[start..at]);
                at += 1;
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    segments.push(&path[start..]);
    segments
}

/// Where the character that begins at the quote ends (`'<'`, a value of a const generic); the quote
/// itself if it begins a lifetime.
fn end_of_quoted(path: &str, quote: usize) -> usize {
    let mut inside = path[quote + 1..].char_indices();
    let end = match inside.clone().next() {
        Some((_, '\\')) => inside.skip(2).find(|&(_, c)| c == '\''),
        Some(_) => inside.nth(1).filter(|&(_, c)| c == '\''),
        None => None,
    };
    end.map_or(quote, |(length, _)| quote + 1 + length)
}

/// `TYPE as TRAIT`, or a type alone.
pub(super) fn split_as(qualified: &str) -> (&str, Option<&str>) {
    split_at_word(qualified, " as ").map_or((qualified, None), |(of, as_of)| (of, Some(as_of)))
}

/// What is before and after a word, brackets aside.
pub(crate) fn split_at_word<'a>(qualified: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0usize;
    for (at, c) in qualified.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if qualified[..at].ends_with(['-', '.']) => {}
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                if let Some(after) = qualified[at..].strip_prefix(word) {
                    return Some((&qualified[..at], after));
                }
            }
            _ => {}
        }
    }
    None
}

pub(super) fn is_identifier(text: &str) -> bool {
    let is_ascii = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let rest = find(text, |byte| !is_ascii(byte)).map_or("", |at| &text[at..]);
    rest.chars().all(is_in_identifier) && text.starts_with(|c: char| !c.is_ascii_digit())
}
