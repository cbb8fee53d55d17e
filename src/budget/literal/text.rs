//! Cold: a source text with another number in the place of a literal. Nothing else of it changes.

use super::refusal::Refusal;
use crate::number::grouped;
use crate::tokens::{next_token, Kind};

/// A number of a budget, and where the budget is written.
#[derive(Clone, Copy)]
pub(super) struct Number {
    /// Where the attribute or the call of the macro begins: both from 1, the column in characters.
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) form: Form,
    pub(super) key: Key,
    pub(super) value: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Exact,
    Max,
}

impl Key {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Max => "max",
        }
    }
}

/// How a budget is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `#[alloc_budget(..)]`, or `alloc_budget(..)` in a `cfg_attr`.
    Attribute,
    /// `assert_allocs!(..)`
    Macro,
}

/// The text in which `number` is `new`. That may be so already.
///
/// # Errors
/// If the number does not stand there as a literal.
pub(super) fn replaced(text: &str, number: &Number, new: u64) -> Result<String, Refusal> {
    let tokens = code(text);
    let start = offset(text, number.line, number.column);
    let first = tokens.iter().position(|token| Some(token.at) == start).ok_or_else(changed)?;
    let arguments = arguments(&tokens[first..], number.form).ok_or(Refusal::LeftAlone(
        "it is not written where its budget begins: a macro has made it, or the attribute of a \
         module",
    ))?;
    let [Token { at, kind: Kind::Literal, text: literal }] = value(arguments, number.key.name())?
    else {
        return Err(Refusal::LeftAlone("its value is no literal"));
    };
    let (digits, suffix) = parts(literal);
    let most = greatest(suffix).ok_or(Refusal::LeftAlone("its value is no decimal number"))?;
    let value = digits.replace('_', "").parse::<u64>();
    match value.map_err(|_| Refusal::LeftAlone("its value is no decimal number"))? {
        value if value == new => return Ok(text.to_owned()),
        value if value == number.value => {}
        _ => return Err(changed()),
    }
    if new > most {
        return Err(Refusal::LeftAlone("what was measured does not fit into its type"));
    }
    let new = if digits.contains('_') { grouped(new).replace(',', "_") } else { new.to_string() };
    let mut text = text.to_owned();
    text.replace_range(*at..at + digits.len(), &new);
    Ok(text)
}

fn changed() -> Refusal {
    Refusal::Error("the source has changed since this was built: build it again".to_owned())
}

struct Token<'a> {
    /// Its offset in the text.
    at: usize,
    kind: Kind,
    text: &'a str,
}

/// All tokens but comments and space.
fn code(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some((kind, token)) = next_token(&text[at..]) {
        if !matches!(kind, Kind::Space | Kind::Comment) {
            tokens.push(Token { at, kind, text: token });
        }
        at += token.len();
    }
    tokens
}

fn offset(text: &str, line: u32, column: u32) -> Option<usize> {
    // The compiler does not count a mark at the start of the file.
    let marked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = marked.split_inclusive('\n');
    let before = lines.by_ref().take(line.checked_sub(1)? as usize).map(str::len).sum::<usize>();
    let (within, _) = lines.next()?.char_indices().nth(column.checked_sub(1)? as usize)?;
    Some(text.len() - marked.len() + before + within)
}

/// What is in the brackets of a budget, if the tokens begin with one.
fn arguments<'a, 'b>(tokens: &'a [Token<'b>], form: Form) -> Option<&'a [Token<'b>]> {
    let skipped = match tokens {
        [hash, bracket, ..] if hash.text == "#" && bracket.text == "[" => 2,
        _ => 0,
    };
    let tokens = &tokens[skipped..];
    let is_of_path = |token: &Token<'_>| token.kind == Kind::Word || token.text == "::";
    let end = tokens.iter().position(|token| !is_of_path(token))?;
    let (path, rest) = tokens.split_at(end);
    if path.windows(2).any(|two| two[0].kind == two[1].kind) {
        return None;
    }
    let rest = match (form, path.last()?.text, rest) {
        (Form::Attribute, "alloc_budget", rest) => rest,
        (Form::Macro, "assert_allocs", [mark, rest @ ..]) if mark.text == "!" => rest,
        _ => return None,
    };
    let (open, within) = rest.split_first().filter(|(open, _)| "([{".contains(open.text))?;
    let mut depth = depth(open);
    let end = within.iter().position(|token| {
        depth += self::depth(token);
        depth == 0
    });
    Some(&within[..end?])
}

/// How much deeper in brackets what follows a token is.
fn depth(token: &Token<'_>) -> i32 {
    match token.text {
        "(" | "[" | "{" => 1,
        ")" | "]" | "}" => -1,
        _ => 0,
    }
}

/// The tokens of a key's value. Keys come first: they end at the block of a macro.
fn value<'a, 'b>(arguments: &'a [Token<'b>], key: &str) -> Result<&'a [Token<'b>], Refusal> {
    let mut depth = 0;
    let arguments = arguments.split(|token| {
        depth += self::depth(token);
        depth == 0 && token.text == ","
    });
    for argument in arguments {
        match argument {
            [name, equals, value @ ..] if name.kind == Kind::Word && equals.text == "=" => {
                if name.text == key {
                    return Ok(value);
                }
            }
            [name] if name.kind == Kind::Word => {} // `recorded`
            _ => break,
        }
    }
    Err(Refusal::Error(format!(
        "its budget has no `{key} = ..` in the source; if that has changed since this was built, \
         build it again"
    )))
}

/// The digits of a number, and what follows after them: `1_000` and `_u64`.
fn parts(literal: &str) -> (&str, &str) {
    let is_digit = |c: char| c.is_ascii_digit() || c == '_';
    let end = literal.find(|c| !is_digit(c)).unwrap_or(literal.len());
    literal.split_at(literal[..end].trim_end_matches('_').len())
}

/// The greatest number of the type that a suffix names, of those that can be measured.
fn greatest(suffix: &str) -> Option<u64> {
    Some(match suffix.trim_start_matches('_') {
        "" | "u64" | "u128" | "i128" | "usize" => u64::MAX,
        "i64" | "isize" => i64::MAX as u64,
        "u32" => u32::MAX.into(),
        "i32" => i32::MAX as u64,
        "u16" => u16::MAX.into(),
        "i16" => i16::MAX as u64,
        "u8" => u8::MAX.into(),
        "i8" => i8::MAX as u64,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
