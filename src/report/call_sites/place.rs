//! Cold: a frame in a few words, for lists.

use super::names;
use super::paths::{package_of, short_path};
use super::sites::Frame;

/// `src/parser.rs:14`; where there is no file, `libc.so.6+0x1234`.
pub(super) fn place(frame: &Frame) -> String {
    let Some(file) = frame.file() else {
        return match &frame.parts.module {
            Some(_) => frame.to_string(),
            None => "no debug information".to_owned(),
        };
    };
    let file = if frame.is_user() { file } else { short_path(file) };
    match frame.line() {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}

/// `tokens`, `tokens::{closure}`.
pub(super) fn function(frame: &Frame) -> String {
    let name = &frame.parts.name;
    match (name.is_empty(), frame.parts.is_closure) {
        (false, false) => name.clone(),
        (false, true) => format!("{name}::{{closure}}"),
        (true, true) => "{closure}".to_owned(),
        (true, false) => frame.function().unwrap_or("").to_owned(),
    }
}

/// A function of another package: `serde_json::from_str`.
pub(super) fn dependency(frame: &Frame) -> String {
    let package = frame.file().and_then(package_of);
    let package = package.as_deref().or_else(|| frame.function().and_then(names::crate_of));
    match package {
        Some(package) => format!("{package}::{}", function(frame)),
        None => function(frame),
    }
}

/// The calls outside of a frame, innermost first: `src/parser.rs:15 parse`. One that goes through a line that has just been said
/// (recursion, a closure that its own line calls) says nothing.
pub(super) fn calls(leading: &Frame, callers: &[&Frame]) -> Vec<String> {
    let mut said = place(leading);
    let mut calls = Vec::new();
    for caller in callers {
        let place = place(caller);
        if place != said {
            calls.push(format!("{place} {}", function(caller)).trim_end().to_owned());
            said = place;
        }
    }
    calls
}
