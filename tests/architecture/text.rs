//! What a file must be as a text: its lines are not too long, and where it has `unsafe` code, its
//! first comment says which facts that relies on.

use crate::source::{attribute, Source};

const MAX_COLUMNS: usize = 100;

/// The numbers of the lines that are too long. An address has to stay in one line, and so has a
/// row of a table.
pub(crate) fn long_lines(text: &str) -> Vec<usize> {
    let has_to_be = |line: &str| line.contains("://") || line.starts_with("| ");
    let is_long = |line: &str| line.chars().count() > MAX_COLUMNS && !has_to_be(line);
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| is_long(line)).map(|(index, _)| index + 1).collect()
}

/// Whether a file allows `unsafe` code, and has no paragraph that says what it relies on.
pub(crate) fn lacks_facts(text: &str) -> bool {
    let tokens = Source::whole(text).tokens;
    let allows_unsafe = (0..tokens.len()).any(|at| {
        attribute(&tokens, at).is_some_and(|(content, ..)| {
            content[0].is("allow") && content.iter().any(|token| token.is("unsafe_code"))
        })
    });
    let comment: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let comment = comment.join("\n");
    let paragraph = comment.split("\n//!\n//! Relies on").nth(1).unwrap_or_default();
    let facts = paragraph.split_once(':').map_or("", |(_, facts)| facts);
    allows_unsafe && facts.trim_matches(['/', '!', '\n', ' ']).is_empty()
}
