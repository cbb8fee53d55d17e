//! Cold: the names of functions, as std prints them, made fit for people and for comparison. Pure:
//! text in, text out; never panics, whatever the text.
//!
//! One function has many names, by compiler, mangling and kind of debug information:
//!
//! ```text
//! app::parse::hdb133ee911432cea                       the symbol, of Rust until 1.96
//! app[7272149bd8684777]::parse::<&str>                the symbol, of Rust since
//! parse<&str>                                         inlined, `debug = "line-tables-only"`: the path is lost
//! app::tokens::{{closure}}   app::tokens::{closure#0}   {closure#0}      a closure; the last is all that is left of an inlined one
//! <app::M as app::Go>::go    app::imp::<impl app::Go for app::M>::go     go<app::M>      a method of a trait
//! ```
//!
//! What all of them share is the last segment of the path, without what stands in brackets.

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
    let mut readable = String::new();
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

/// Without `::h` and 16 hexadecimal digits at the end.
fn without_hash(function: &str) -> &str {
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
fn find(text: &str, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
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
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_in_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows `[HEX]`, if the text begins with that.
fn crate_number(text: &str) -> Option<&str> {
    let (number, after) = text.strip_prefix('[')?.split_once(']')?;
    (!number.is_empty() && is_hexadecimal(number)).then_some(after)
}

/// `{...}` or `{{...}}` at the beginning of the text, and what follows.
fn braced(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('{') {
        return None;
    }
    let end = if text.starts_with("{{") { text.find("}}")? + 2 } else { text.find('}')? + 1 };
    Some(text.split_at(end))
}

/// Closures, and the bodies of what is async or a generator. Not `{impl#0}`, `{{constant}}`,
/// `{shim:vtable#0}` and the like.
fn is_closure_segment(segment: &str) -> bool {
    let word = segment.trim_start_matches('{');
    let kinds = ["closure", "async_", "coroutine", "gen_", "generator"];
    kinds.into_iter().any(|kind| word.starts_with(kind))
}

/// A segment without what is attached to it: `parse<&str>`, `app[7272149bd8684777]`,
/// `call_once{{vtable.shim}}`, `push(int)`, `work.constprop.0`. Empty where all is in brackets:
/// `<&str>`, `<impl app::Go for app::M>`.
fn bare(segment: &str) -> &str {
    let is_bracket = |byte| matches!(byte, b'<' | b'[' | b'{' | b'(' | b'.');
    let end = find(segment, is_bracket).unwrap_or(segment.len());
    segment[..end].trim()
}

/// The parts of a path between its `::`, those within brackets aside.
fn segments(path: &str) -> Vec<&str> {
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

/// `TYPE as TRAIT`, or a type alone.
fn split_as(qualified: &str) -> (&str, Option<&str>) {
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

/// The crate of the first path in the text; `None` if it begins with a type of the language.
fn root(text: &str) -> Option<&str> {
    let mut text = text.trim_start_matches(['<', '&', '*', '[', '(', ' ']);
    for word in ["mut ", "const ", "dyn ", "impl "] {
        text = text.strip_prefix(word).unwrap_or(text);
    }
    let end = text.find(|c| !is_in_identifier(c)).unwrap_or(text.len());
    let (krate, after) = text.split_at(end);
    let after = crate_number(after).unwrap_or(after);
    (is_identifier(krate) && after.starts_with("::")).then_some(krate)
}

fn is_identifier(text: &str) -> bool {
    text.chars().all(is_in_identifier) && text.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{implementor, readable, short_name, ShortName};

    #[track_caller]
    fn check(function: &str, name: &str, krate: &str) {
        let krate = (!krate.is_empty()).then_some(krate);
        let expected = ShortName { name, is_closure: false, krate };
        assert_eq!(short_name(function), expected, "{function}");
    }

    #[track_caller]
    fn check_closure(function: &str, name: &str, krate: &str) {
        let krate = (!krate.is_empty()).then_some(krate);
        let expected = ShortName { name, is_closure: true, krate };
        assert_eq!(short_name(function), expected, "{function}");
    }

    #[test]
    fn a_function_has_the_same_name_in_each_spelling() {
        check("app::deep::parse::hdb133ee911432cea", "parse", "app");
        check("app::deep::parse", "parse", "app");
        check("app[7272149bd8684777]::deep::parse", "parse", "app");
        check("app[7272149bd8684777]::parse::<&str>", "parse", "app");
        check("app[1]::parse::<&alloc[87b0fb19d3271c63]::string::String>", "parse", "app");
        check("app[1]::arrays::<3usize>", "arrays", "app");
        check("parse<&alloc::string::String>", "parse", "");
        check("parse", "parse", "");
        check("app[1]::with_inner::inner", "inner", "app");
    }

    #[test]
    fn a_method_has_the_same_name_in_each_spelling() {
        check("app::M::inh::h12b54a30ddca4c2c", "inh", "app");
        check("<app[7272149bd8684777]::M>::inh::<u8>", "inh", "app");
        check("inh<u8>", "inh", "");
        check("<app::M as app::Go>::go::h5d23de1d34bc3189", "go", "app");
        check("<app[1f]::M as lib[2f]::Go>::go", "go", "app");
        check("app::imp::<impl lib::Go for app::G<app::M>>::go::h5d23de1d34bc3189", "go", "app");
        check("app::Go::provided::h64d1972fe5dd41fe", "provided", "app");
        check("<app[1]::M as app[1]::Go>::provided", "provided", "app");
        check("provided<app::M>", "provided", "");
        check("app::{impl#0}::go", "go", "app");
        check("<app::G<X> as app::Go>::go::h145c6145f432cee8", "go", "app");
    }

    #[test]
    fn a_method_is_its_types_or_else_its_traits() {
        let check = |function: &str, expected: Option<&str>| {
            assert_eq!(implementor(function), expected, "{function}");
        };
        for function in [
            "app::M::inh::h12b54a30ddca4c2c",
            "<app[7272149bd8684777]::M>::inh::<u8>",
            "<app::M as app::Go>::go::h5d23de1d34bc3189",
            "<&mut app[1f]::M<u8> as lib[2f]::Go>::go",
            "app::imp::<impl lib::Go for app::M<app::N>>::go::h5d23de1d34bc3189",
            "app::_::<impl lib::Go for app::M>::go",
            "<app::M as app::Go>::go::{{closure}}",
            "<dyn app::M>::of_the_trait_object",
            "app::M<T>::inh::{closure#0}",
        ] {
            check(function, Some("M"));
        }
        check("app::Go::provided::h64d1972fe5dd41fe", Some("Go"));
        check("<F as app::Go>::go", Some("Go"));
        check("<[u8] as app::Go>::go", Some("[u8]"));
        check("alloc::slice::<impl [T]>::to_vec", Some("[T]"));
        check("<str as alloc::string::ToString>::to_string", Some("str"));
        check("<alloc::vec::Vec<u8> as app::Go>::go", Some("Vec"));
        check("std::collections::hash::map::HashMap<K,V,S,A>::insert", Some("HashMap"));
        for function in [
            "app::deep::parse",
            "app::M::inh::inner",
            "App::parse",
            "<(u8, app::M) as app::Go>::go",
            "<fn(&str) -> usize as app::Go>::go",
            "<[app::M] as app::Go>::go",
            "<app[1]::top::{closure#0} as app[2]::Go>::go",
            "app::tokens::{closure#0}",
            "new",
            "go<app::M>",
            "<",
            "",
        ] {
            check(function, None);
        }
    }

    #[test]
    fn the_crate_of_a_method_is_its_types_or_else_its_traits() {
        check("<[u8] as app::Go>::go::h5d7b602c8ef7dbd8", "go", "app");
        check("<[u8] as app[1]::Go>::go", "go", "app");
        check("<&str as app[1]::Go>::go", "go", "app");
        check("<(X,u8) as app::Go>::go", "go", "app");
        check("<&mut app[1]::M as core[2]::fmt::Display>::fmt", "fmt", "app");
        check("<[app[1]::M] as core[2]::fmt::Debug>::fmt", "fmt", "app");
        check("<dyn app[1]::Go as core[2]::fmt::Debug>::fmt", "fmt", "app");
        check("<[&str]>::sort_by::<app[1]::top::{closure#9}>", "sort_by", "");
        check("<core[1]::option::Option<app[2]::M>>::unwrap", "unwrap", "core");
        check("<alloc[1]::vec::Vec<u8> as app[2]::Go>::go", "go", "alloc");
    }

    #[test]
    fn a_closure_is_named_after_its_function() {
        check_closure("app::tokens::{{closure}}::h326cb3984a9a57c4", "tokens", "app");
        check_closure("app::tokens::{{closure}}", "tokens", "app");
        check_closure("app[7272149bd8684777]::tokens::{closure#0}", "tokens", "app");
        check_closure("app::tokens::{closure_env#0}", "tokens", "app");
        check_closure("app[1]::tokens::{closure#1}::{closure#0}", "tokens", "app");
        check_closure("app::tokens::{{closure}}::{{closure}}::h0a7b9ca9f481144e", "tokens", "app");
        check_closure("app[1]::parse::<&str>::{closure#0}", "parse", "app");
        check_closure("<app[1]::M>::inh::<u8>::{closure#0}", "inh", "app");
        check_closure("<app[1]::M as app[1]::Go>::go::{closure#0}::<u8>", "go", "app");
        check_closure("app::f::{async_block#0}", "f", "app");
        check_closure("app::f::{async_fn_env#0}", "f", "app");
        check_closure("app::f::{async_closure#0}", "f", "app");
        check_closure("app::f::{async_fn#0}::{async_block_env#1}", "f", "app");
        check_closure("app::f::{coroutine_env#0}", "f", "app");
        check_closure("app::TL::{{constant}}::{{closure}}::h18db1ce7e7dfba6c", "TL", "app");
        check_closure("app[1]::TL::{K#0}::{closure#1}", "TL", "app");
    }

    #[test]
    fn an_inlined_closure_may_have_lost_its_function() {
        check_closure("{closure#0}", "", "");
        check_closure("{async_fn#0}", "", "");
        check_closure("{async_block#12}", "", "");
        check_closure("{closure#0}<&str, app::top::{closure_env#9}>", "", "");
        check_closure("{{closure}}", "", "");
    }

    #[test]
    fn what_is_in_brackets_names_nothing() {
        check(
            "core[667c7a611d73a360]::iter::adapters::map::map_fold::<&usize, usize, app[1]::closures::{closure#0}, \
             <usize as core[667c7a611d73a360]::iter::Sum>::sum<app[1]::closures::{closure#0}>>",
            "map_fold",
            "core",
        );
        check("takes<app::top::{closure_env#2}>", "takes", "");
        check("app[1]::arrows::<fn(&str) -> app[1]::M, u8>::within", "within", "app");
        check("<fn(&str) .> usize as app::Go>::go::h145c6145f432cee8", "go", "app");
        check("<for<'a> fn(&'a str) -> usize as app[1]::Go>::go", "go", "app");
        check(
            "<alloc[1]::boxed::Box<dyn for<'a> core[2]::ops::function::Fn<(&'a str,), Output = usize>> as app[3]::Go>::go",
            "go",
            "alloc",
        );
        check(
            "<alloc::boxed::Box<dyn core::ops::function::Fn<(&str,)>+Output = usize> as app::Go>::go::h5d7b602c8ef7dbd8",
            "go",
            "alloc",
        );
        check("app[1]::chars::<'<', '\\'', '\\u{7f}', 'é'>::within", "within", "app");
        check("app[1]::text::<\"::<\">", "text", "app");
    }

    #[test]
    fn shims_are_named_after_what_they_lead_to() {
        check(
            "core::ops::function::FnOnce::call_once{{vtable.shim}}::h11bb5b1f3fbd93f2",
            "call_once",
            "core",
        );
        check(
            "<app[1]::top::{closure#0} as core[2]::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
            "call_once",
            "app",
        );
        check("core::ptr::drop_in_place<app::Holder>::h452ca3402c49d452", "drop_in_place", "core");
        check("core[2]::ptr::drop_glue::<alloc[1]::vec::Vec<app[3]::M>>", "drop_glue", "core");
        check("drop_glue<[app::M]>", "drop_glue", "");
    }

    #[test]
    fn names_of_other_languages_stay() {
        check("qsort_r", "qsort_r", "");
        check("__libc_start_main_impl", "__libc_start_main_impl", "");
        check("work.constprop.0", "work", "");
        check("_ZNSt6vectorIiSaIiEE9push_backERKi", "_ZNSt6vectorIiSaIiEE9push_backERKi", "");
        check("_RNvC3app4main", "_RNvC3app4main", "");
        check("std::vector<int, std::allocator<int> >::push_back(int const&)", "push_back", "std");
        check("h5d7b602c8ef7dbd8", "h5d7b602c8ef7dbd8", "");
    }

    #[test]
    fn what_is_no_path_is_its_own_name() {
        for odd in
            ["", "::", "<", ">", "<>", "{", "}", "{}", "[", "'", "'\\", "<'\\é", "->", ".>", "?"]
        {
            let _ = readable(odd);
            assert_eq!(short_name(odd).name, odd);
        }
        check("<app::M>", "<app::M>", "app");
        check("été::naïve::h5d7b602c8ef7dbd8", "naïve", "été");
    }

    #[test]
    fn any_part_of_a_name_can_be_read() {
        let name = "<app[1f]::G<'<', fn(&'a str) -> [u8; 3]> as lib::Go<{closure#0}>>::gö::{{closure}}::h5d7b602c8ef7dbd8";
        let bounds: Vec<usize> =
            name.char_indices().map(|(at, _)| at).chain([name.len()]).collect();
        for &start in &bounds {
            for &end in bounds.iter().filter(|&&end| end >= start) {
                let part = &name[start..end];
                let _ = (short_name(part), readable(part), implementor(part));
            }
        }
    }

    #[cfg(feature = "dhat-compat")]
    #[test]
    fn numbers_in_a_path_have_no_type() {
        let check = |function, expected| assert_eq!(super::without_numbers(function), expected);
        check("<alloc[1]::boxed::Box<[u8; 48usize]>>::new", "<alloc::boxed::Box<[u8; 48]>>::new");
        check("app[1]::arrays::<3usize, -1i8, 200u8>", "app::arrays::<3, -1, 200>");
        check(
            "app::u8::x3usize::a1u8::_2u8::9u8s::4u80",
            "app::u8::x3usize::a1u8::_2u8::9u8s::4u80",
        );
        check("7u64", "7");
        check("7", "7");
        check("", "");
    }

    #[test]
    fn a_readable_name_is_the_path_without_numbers() {
        for (function, expected) in [
            ("app::parse::hdb133ee911432cea", "app::parse"),
            (
                "app[7272149bd8684777]::parse::<&alloc[8]::string::String>",
                "app::parse::<&alloc::string::String>",
            ),
            ("<app[1]::M as app[1]::Go>::go", "<app::M as app::Go>::go"),
            ("app[1]::tokens::{closure#3}", "app::tokens::{closure}"),
            ("app::tokens::{{closure}}::h326cb3984a9a57c4", "app::tokens::{closure}"),
            ("{async_fn#0}", "{closure}"),
            (
                "<fn(&str) .> usize as app::Go>::go::h145c6145f432cee8",
                "<fn(&str) -> usize as app::Go>::go",
            ),
            ("<[u8; 3] as app::Go>::go", "<[u8; 3] as app::Go>::go"),
            ("<[u8] as app[1]::Go>::go", "<[u8] as app::Go>::go"),
            ("app::{impl#0}::go", "app::{impl#0}::go"),
            ("work.constprop.0", "work.constprop.0"),
            ("{", "{"),
        ] {
            assert_eq!(readable(function), expected);
        }
    }
}
