//! Which files name targets in a `cfg`. Those that do stand together, so that a reader sees in one
//! place what a target is made of.
//!
//! Found is what names a target: its processor, system, C library, vendor or family. Of what a
//! target is like, as the width of its pointers, any file may ask. A test that is ignored somewhere
//! says why, and may say where.

use crate::source::{attribute, group_end, Source, Token};
use std::collections::BTreeMap;

/// The files and folders that may name targets, and why.
pub(crate) const MAY_NAME: [(&str, &str); 9] = [
    ("src/walk/targets/", "what walkers are made of"),
    ("src/walk/mod.rs", "which of them is chosen"),
    ("src/symbolize/mod.rs", "which of them is chosen"),
    ("src/sys/", "what the system is asked for"),
    ("src/counters/", "thread-locals, and events in assembly"),
    ("src/files/", "std has modes of files and links on Unix alone; Windows fails in other ways"),
    ("src/budget/colour.rs", "not every console of Windows knows the codes"),
    ("src/threads/thread_exit.rs", "what is told when a thread ends, and how"),
    ("src/scope/later_threads.rs", "Linux's list of threads; std counts links on Unix alone"),
];

const NAMES: [&str; 8] = [
    "target_abi",
    "target_arch",
    "target_env",
    "target_family",
    "target_os",
    "target_vendor",
    "unix",
    "windows",
];

/// The lines of a file in which a `cfg` names a target.
pub(crate) fn named(source: &Source) -> Vec<usize> {
    let tokens = &source.tokens;
    let mut lines = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (condition, end) = match attribute(tokens, at) {
            Some((content, end, _)) => (Some(content).filter(|content| is_condition(content)), end),
            None if tokens[at].is("cfg") && tokens.get(at + 1).is_some_and(|next| next.is("!")) => {
                let end = group_end(tokens, at + 2);
                (Some(&tokens[at..end]), end)
            }
            None => (None, at + 1),
        };
        let is_name = |token: &&Token| NAMES.iter().any(|name| token.is(name));
        lines.extend(condition.and_then(|tokens| tokens.iter().find(is_name)).map(|t| t.line));
        at = end;
    }
    lines
}

fn is_condition(content: &[Token]) -> bool {
    let may_be_ignored = content.iter().any(|token| token.is("ignore"));
    content[0].is("cfg") || content[0].is("cfg_attr") && !may_be_ignored
}

/// Where targets are named that may not be, and which of the exceptions nothing needs.
pub(crate) fn faults(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut needed = [false; MAY_NAME.len()];
    for (file, text) in sources {
        let lines = named(&Source::whole(text));
        match MAY_NAME.iter().position(|(place, _)| file.starts_with(place)) {
            Some(place) => needed[place] |= !lines.is_empty(),
            None => faults.extend(lines.iter().map(|line| format!("{file}:{line}"))),
        }
    }
    let idle = MAY_NAME.iter().zip(needed).filter(|(_, needed)| !needed);
    faults.extend(idle.map(|((place, _), _)| format!("{place} names none")));
    faults
}

/// What stands in the attributes of `mod target;`: which file that is, on which target.
pub(crate) fn choice(source: &Source) -> Vec<String> {
    let tokens = &source.tokens;
    let mut attributes = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some((content, end, _)) = attribute(tokens, at) {
            let words: Vec<&str> = content.iter().map(|token| token.text.as_str()).collect();
            attributes.push(words.join(" "));
            at = end;
            continue;
        }
        if tokens[at].is("mod") && tokens[at + 1].is("target") {
            return attributes;
        }
        // Before the name may stand who sees it.
        if !["pub", "(", "crate", ")"].iter().any(|word| tokens[at].is(word)) {
            attributes.clear();
        }
        at += 1;
    }
    Vec::new()
}
