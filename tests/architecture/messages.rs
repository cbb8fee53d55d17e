//! The messages of the library, and whether a page of the guide has them. A message is any string
//! of the code that reads as a sentence, so that a new one is found wherever it is printed.

use crate::source::{attribute, group_end, Kind, Source};
use std::collections::BTreeSet;

/// How many words make a sentence.
const WORDS: usize = 4;

/// The strings of a file that are sentences, without what only tests print. What attributes say,
/// and `expect`, is for the compiler and for those who know the code. The `help` of an error goes
/// with what it explains.
pub(crate) fn sentences(text: &str) -> BTreeSet<String> {
    let tokens = Source::without_tests(text).tokens;
    let mut sentences = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some((_, end, _)) = attribute(&tokens, at) {
            at = end;
            continue;
        }
        if tokens[at].is("help") && tokens.get(at + 1).is_some_and(|token| token.is("(")) {
            at = group_end(&tokens, at + 1);
            continue;
        }
        let is_expectation = at > 1 && tokens[at - 2].is("expect");
        if tokens[at].kind == Kind::Literal && !is_expectation {
            let literal =
                tokens[at].text.trim_start_matches('b').trim_matches('"').replace("\\\"", "\"");
            let words = literal.split_whitespace().filter(|word| is_word(word));
            if words.count() >= WORDS {
                sentences.insert(in_one_line(&literal));
            }
        }
        at += 1;
    }
    sentences
}

/// The environment variables of the library that the code of a file names.
pub(crate) fn variables(text: &str) -> BTreeSet<String> {
    let tokens = Source::without_tests(text).tokens;
    let literals = tokens.iter().filter(|token| token.kind == Kind::Literal);
    let names = literals.map(|token| token.text.trim_matches('"'));
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let names = names.filter(|name| name.starts_with("MOD_ALLOC_") && name.chars().all(is_name));
    names.map(str::to_owned).collect()
}

fn is_word(word: &str) -> bool {
    let word = word.trim_matches([',', '.', ':', ';', '?', '(', ')', '`']);
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '\'')
}

/// A string as it is printed: `\` at the end of a line joins it with the next.
fn in_one_line(literal: &str) -> String {
    let mut joined = String::new();
    for line in literal.lines() {
        match line.strip_suffix('\\') {
            Some(line) => joined += line.trim_start(),
            None => joined = joined + line.trim_start() + " ",
        }
    }
    joined.replace("\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first lines of the errors that the compiler prints in a file of expected errors.
pub(crate) fn errors(stderr: &str) -> BTreeSet<String> {
    let is_error = |line: &&str| line.starts_with("error: ") || line.starts_with("error[");
    stderr.lines().filter(is_error).map(str::to_owned).collect()
}

/// Those of the messages that the page lacks. What varies in a message is not looked for.
pub(crate) fn missing<'a>(
    page: &str,
    messages: impl IntoIterator<Item = &'a String>,
) -> Vec<&'a String> {
    let page = page.replace("```", "");
    let in_one_line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = page.split("\n\n").map(|part| with_code_alike(&in_one_line(part)));
    let page = parts.collect::<Vec<_>>().join("\n");
    let is_missing = |message: &&String| match message.strip_prefix("error[") {
        // The compiler's own words differ between toolchains.
        Some(coded) => !page.contains(coded.split(']').next().unwrap_or_default()),
        None => !page.contains(&beginning(message.strip_prefix("error: ").unwrap_or(message))),
    };
    messages.into_iter().filter(is_missing).collect()
}

/// The first words of a message that are always the same.
fn beginning(message: &str) -> String {
    let alike = with_code_alike(message);
    let mut pieces = alike.split(['{', '}']).step_by(2);
    let words = |piece: &str| piece.split_whitespace().filter(|word| is_word(word)).count();
    let piece = pieces.clone().find(|piece| words(piece) > 2).or_else(|| pieces.next());
    piece.unwrap_or_default().trim_start_matches([':', '.', ',', ' ']).trim_end().to_owned()
}

/// The text with every piece of code as `` `_` ``, since the names in it vary.
fn with_code_alike(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(at, piece)| if at % 2 == 1 { "_" } else { piece });
    pieces.collect::<Vec<_>>().join("`")
}
