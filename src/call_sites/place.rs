//! Cold: a frame in a few words, for the lists of a report.

use super::code::Owner;
use super::frame::Frame;
use super::names;
use super::paths::{package_of, short_path};
use super::source::Sources;
use crate::symbolize::names::{implementor, short_name};

/// Where a frame is that allocates: `src/parser.rs:14:22`.
pub(crate) fn place(frame: &Frame) -> String {
    let line = line(frame);
    match column(frame) {
        Some(column) => format!("{line}:{column}"),
        None => line,
    }
}

/// The column in the user's code, which tells places of one line apart.
pub(crate) fn column(frame: &Frame) -> Option<u32> {
    frame.column().filter(|_| frame.is_user())
}

/// Where a frame is: `src/parser.rs:14`, or `libc.so.6+0x1234` where there is no file.
pub(crate) fn line(frame: &Frame) -> String {
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

/// Where a frame is, and its function: `src/parser.rs:14 tokens`.
pub(crate) fn described(frame: &Frame) -> String {
    let function = function(frame, &mut Sources::default());
    format!("{} {function}", place(frame)).trim_end().to_owned()
}

/// A function of the user's: `tokens`, `Parser::tokens`, `tokens::{closure}`. For the compiler, the
/// body of an `async fn` is a closure; for its author, it is the function. The source tells which
/// one it is. It also tells the type of a method that was inlined, whose name has lost its path.
pub(crate) fn function(frame: &Frame, sources: &mut Sources) -> String {
    let (name, is_closure) = (&frame.parts.name, frame.parts.is_closure);
    let path = frame.function().unwrap_or("");
    let short = short_name(path);
    let is_lost = short.krate.is_none();
    let item = match (&frame.parts.path, frame.line()) {
        (Some(file), Some(line)) if is_closure || is_lost => {
            sources.function_at(file, line, frame.column(), name)
        }
        _ => None,
    };
    let function = match (name.is_empty(), is_closure && !item.is_some_and(|item| item.is_async)) {
        (false, false) => name.clone(),
        (false, true) => format!("{name}::{{closure}}"),
        (true, true) => "{closure}".to_owned(),
        (true, false) => path.to_owned(),
    };
    let of_path = implementor(path).filter(|_| short.name == name);
    match of_path.or_else(|| item.filter(|_| is_lost)?.of) {
        Some(of) => format!("{of}::{function}"),
        None => function,
    }
}

/// A function of another package: `serde_json::from_str`. One of std's collections is known by its
/// type: `HashMap::insert`.
pub(crate) fn dependency(frame: &Frame, sources: &mut Sources) -> String {
    let function = function(frame, sources);
    if frame.parts.owner == Owner::Std {
        let of_file = frame.file().and_then(collection).filter(|_| !function.contains("::"));
        return of_file.map_or_else(|| function.clone(), |of| format!("{of}::{function}"));
    }
    // A method of a type of std's may be of another package: its file tells which.
    let is_of_package = |krate: &&str| !matches!(*krate, "core" | "alloc" | "std");
    let by_name = frame.function().and_then(names::crate_of).filter(is_of_package);
    let package = by_name.map(str::to_owned).or_else(|| frame.file().and_then(package_of));
    match package {
        Some(package) => format!("{package}::{function}"),
        None => function,
    }
}

/// The collection that a file of std's implements, for methods that were inlined.
fn collection(file: &str) -> Option<&'static str> {
    let files = [("/collections/hash/map.rs", "HashMap"), ("/collections/hash/set.rs", "HashSet")];
    files.into_iter().find_map(|(end, name)| file.ends_with(end).then_some(name))
}

/// The calls outside of a frame, innermost first: `src/parser.rs:15 parse`. They have no columns,
/// since sites that differ in these alone are one. A call on the same line as the one before it is
/// left out: it tells nothing new (recursion, a closure that its own line calls).
pub(crate) fn calls(leading: &Frame, callers: &[&Frame], sources: &mut Sources) -> Vec<String> {
    let mut said = line(leading);
    let mut calls = Vec::new();
    for caller in callers {
        let line = line(caller);
        if line != said {
            calls.push(format!("{line} {}", function(caller, sources)).trim_end().to_owned());
            said = line;
        }
    }
    calls
}
