//! Cold: the names of functions, as std prints them, made fit for people and for comparison. Pure:
//! text in, text out; never panics, whatever the text.
//!
//! One function has many names, by compiler, mangling and kind of debug information:
//!
//! ```text
//! app::parse::hdb133ee911432cea             the symbol, of Rust until 1.96
//! app[7272149bd8684777]::parse::<&str>      the symbol, of Rust since
//! parse<&str>                               inlined, with `debug = "line-tables-only"`: no path
//! app::tokens::{{closure}}                  a closure
//! app::tokens::{closure#0}                  the same
//! {closure#0}                               the same, inlined: nothing else is left
//! <app::M as app::Go>::go                   a method of a trait
//! app::imp::<impl app::Go for app::M>::go   the same
//! go<app::M>                                the same
//! ```
//!
//! What all of them share is the last segment of the path, without what stands in brackets.

pub(crate) use super::name_parts::split_at_word;
use super::name_parts::{
    bare, braced, crate_number, find, is_closure_segment, is_identifier, is_in_identifier,
    segments, split_as, without_hash,
};

/// Whether it is a function of the crate or module `path`, or of one within. `None` where the name
/// has lost its path.
///
/// A method belongs to its type, wherever it was written down; for types of std and of the
/// language, it belongs to its trait.
pub(crate) fn is_within(function: &str, path: &str) -> Option<bool> {
    let begins_with = |whole: &str| {
        let segments = segments(whole);
        let mut segments = segments.iter().map(|segment| bare(segment));
        path.split("::").all(|wanted| segments.next() == Some(wanted))
    };
    let first = *segments(function).first()?;
    if first.len() == function.len() {
        return None;
    }
    let Some(qualified) = first.strip_prefix('<') else { return Some(begins_with(function)) };
    let (implementor, of) = split_as(qualified.strip_suffix('>').unwrap_or(qualified));
    let is_std = |krate: &&str| ["alloc", "core", "std"].contains(krate);
    let owner = match (root(implementor).filter(|krate| !is_std(krate)), of) {
        (None, Some(of)) => of,
        _ => implementor,
    };
    Some(begins_with(without_pointer(owner)))
}

/// See [`short_name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShortName<'a> {
    /// Last segment of the path, without generics, hash and crate number. Of a closure, or of the
    /// body of an async function or block: the function in which it is written; empty where that is
    /// lost, as it is for inlined closures with `line-tables-only`.
    pub(crate) name: &'a str,
    pub(crate) is_closure: bool,
    /// The crate, if the name says it: for methods, that of the type, or that of the trait where
    /// the type is a language's own.
    pub(crate) krate: Option<&'a str>,
}

/// The name of a function by its last segment. The whole text, if there is nothing like a path in
/// it.
pub(crate) fn short_name(function: &str) -> ShortName<'_> {
    let mut is_closure = false;
    let mut name = None;
    let segments = segments(without_hash(function));
    for segment in segments.iter().rev() {
        if segment.starts_with('{') {
            is_closure |= is_closure_segment(segment);
            continue;
        }
        let bare = bare(segment);
        if !bare.is_empty() {
            name = Some(bare);
            break;
        }
    }
    let name = name.unwrap_or(if is_closure { "" } else { function });
    ShortName { name, is_closure, krate: krate(&segments) }
}

/// Whose function it is: the type of a method, in short (`Words` of `<app::Words as
/// core::clone::Clone>::clone`), or else the trait. `None` for what is no method, and where the
/// name has lost its path.
pub(crate) fn implementor(function: &str) -> Option<&str> {
    let segments = segments(without_hash(function));
    let is_name = |segment: &&str| !segment.starts_with('{') && !bare(segment).is_empty();
    let name = segments.iter().rposition(is_name)?;
    let before = segments.get(name.checked_sub(1)?)?;
    if let Some(implementation) = before.strip_prefix("<impl ") {
        let whole = implementation.strip_suffix('>')?;
        let of = split_at_word(whole, " for ").map_or(whole, |(_, of)| of);
        return short_type(of);
    }
    if let Some(qualified) = before.strip_prefix('<') {
        let whole = qualified.strip_suffix('>')?;
        let (implementor, of) = split_as(whole);
        // A parameter has no path: `<F as app::Go>::go`.
        let is_parameter =
            implementor.starts_with(char::is_uppercase) && is_identifier(implementor);
        return of
            .filter(|_| is_parameter)
            .and_then(short_type)
            .or_else(|| short_type(implementor));
    }
    let is_type = name > 1 && before.starts_with(char::is_uppercase);
    short_type(before).filter(|_| is_type)
}

/// The last segment of a type's path, without what is around it. `None` of what is no path: tuples,
/// pointers of functions.
pub(crate) fn short_type(of: &str) -> Option<&str> {
    let mut of = of.trim_start_matches(['&', '*', ' ']);
    for word in ["mut ", "const ", "dyn "] {
        of = of.strip_prefix(word).unwrap_or(of);
    }
    let name = match of.starts_with('[') {
        true => of,
        false => bare(segments(of).last()?),
    };
    let is_slice_of_path = name.starts_with('[') && !name.contains([':', '(', '<']);
    (is_slice_of_path || is_identifier(name) && name != "fn" && name != "for").then_some(name)
}

/// The whole path for people: without hash and crate numbers, and with one spelling of closures.
pub(crate) fn readable(function: &str) -> String {
    rewritten(function, |closure| if is_closure_segment(closure) { "{closure}" } else { closure })
}

/// The whole path, without hash and crate numbers, nor the type of a number: `[u8; 3]`, not `[u8;
/// 3usize]`.
#[cfg(feature = "dhat-compat")]
pub(crate) fn without_numbers(function: &str) -> String {
    let typed = rewritten(function, |closure| closure);
    let mut bare = String::new();
    let mut rest = typed.as_str();
    while let Some(at) = find(rest, |byte| byte.is_ascii_digit()) {
        let is_number = !rest[..at].ends_with(is_in_identifier);
        let end =
            find(&rest[at..], |byte| !byte.is_ascii_digit()).map_or(rest.len(), |end| at + end);
        let (number, after) = rest.split_at(end);
        bare.push_str(number);
        rest = if is_number { without_type(after) } else { after };
    }
    bare.push_str(rest);
    bare
}

/// What follows the name of an integer type, if the text begins with that.
#[cfg(feature = "dhat-compat")]
fn without_type(text: &str) -> &str {
    let types =
        ["usize", "isize", "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "u128", "i128"];
    let after = types.iter().find_map(|name| text.strip_prefix(name));
    after.filter(|after| !after.starts_with(is_in_identifier)).unwrap_or(text)
}

fn rewritten(function: &str, braced_segment: impl Fn(&str) -> &str) -> String {
    let mut readable = String::with_capacity(function.len());
    let mut rest = without_hash(function);
    while let Some(at) = find(rest, |byte| matches!(byte, b'[' | b'{' | b'.')) {
        let (before, bracketed) = rest.split_at(at);
        readable.push_str(before);
        let follows_name = before.ends_with(is_in_identifier);
        rest = if let Some(after) = crate_number(bracketed).filter(|_| follows_name) {
            after
        } else if let Some((segment, after)) = braced(bracketed) {
            readable.push_str(braced_segment(segment));
            after
        } else if let Some(after) = bracketed.strip_prefix(".>") {
            readable.push_str("->"); // As older symbols have it.
            after
        } else {
            readable.push_str(&bracketed[..1]);
            &bracketed[1..]
        };
    }
    readable.push_str(rest);
    readable
}

/// The crate that the path begins with, or that of the type or trait in the first `<...>`.
fn krate<'a>(segments: &[&'a str]) -> Option<&'a str> {
    let first = segments.first()?;
    let Some(qualified) = first.strip_prefix('<') else {
        // A name alone may be that of a C function, or all that is left of a path.
        return (segments.len() > 1).then(|| bare(first)).filter(|krate| is_identifier(krate));
    };
    let (implementor, of) = split_as(qualified);
    root(implementor).or_else(|| root(of?))
}

/// From the first path in the text on.
fn without_pointer(text: &str) -> &str {
    let text = text.trim_start_matches(['<', '&', '*', '[', '(', ' ']);
    let words = ["mut ", "const ", "dyn ", "impl "];
    words.into_iter().fold(text, |text, word| text.strip_prefix(word).unwrap_or(text))
}

/// The crate of the first path in the text; `None` if it begins with a type of the language.
fn root(text: &str) -> Option<&str> {
    let text = without_pointer(text);
    let end = text.find(|c| !is_in_identifier(c)).unwrap_or(text.len());
    let (krate, after) = text.split_at(end);
    let after = crate_number(after).unwrap_or(after);
    (is_identifier(krate) && after.starts_with("::")).then_some(krate)
}

#[cfg(test)]
mod tests;
