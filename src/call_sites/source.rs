//! Cold: the user's source files, read where they were compiled, for excerpts and for the names of
//! closures.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::built::{built, Built};
use crate::symbolize::names;

/// Larger files are not read.
const MAX_BYTES: u64 = 4 << 20;

/// Files that have been read, by their paths; `None` of those that can't be.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: HashMap<String, Option<String>>,
}

impl Sources {
    fn text(&mut self, path: &str) -> Option<&str> {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), read(path));
        }
        self.files[path].as_deref()
    }

    pub(crate) fn can_be_read(&mut self, path: &str) -> bool {
        self.text(path).is_some()
    }

    /// A line, without the space around it. `None` where there is nothing to show.
    pub(crate) fn line(&mut self, path: &str, line: u32) -> Option<&str> {
        let index = usize::try_from(line.checked_sub(1)?).ok()?;
        let text = self.text(path)?.lines().nth(index)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The innermost `fn` around a place, or the `static` or `const`.
    pub(crate) fn item_at(
        &mut self,
        path: &str,
        line: u32,
        column: Option<u32>,
    ) -> Option<Item<'_>> {
        item_at(self.text(path)?, line, column)
    }

    /// The function of this name around a place, also where a `derive` there makes it.
    pub(crate) fn function_at<'a>(
        &'a mut self,
        path: &str,
        line: u32,
        column: Option<u32>,
        name: &'a str,
    ) -> Option<Item<'a>> {
        let text = self.text(path)?;
        let item = item_at(text, line, column).filter(|item| item.name == name);
        item.or_else(|| {
            let derived = derived_for(text, line)?;
            Some(Item { name, is_async: false, of: Some(derived) })
        })
    }
}

/// The folder that the files of a build are in, if it is not the one that the compiler has written
/// down (`--remap-path-prefix`, `trim-paths`). `location` is one of them, `written` the same as the
/// compiler has it, `folders` those that may be in the workspace.
pub(crate) fn moved_root(location: &str, written: &str, folders: &[String]) -> Option<String> {
    let is_file = |path: &Path| fs::metadata(path).is_ok_and(|file| file.is_file());
    if location.starts_with('/') || written.starts_with('/') && is_file(Path::new(written)) {
        return None;
    }
    // Cargo runs the compiler where the lock file is.
    let is_root =
        |folder: &&Path| is_file(&folder.join("Cargo.lock")) && is_file(&folder.join(location));
    let root = folders.iter().find_map(|folder| Path::new(folder).ancestors().find(is_root));
    Some(root?.to_str()?.to_owned())
}

/// Not for doc tests: their lines are those of a source that rustdoc makes, under the name of the
/// file that they stand in.
fn read(path: &str) -> Option<String> {
    if built() == Built::DocTest {
        return None;
    }
    let attributes = fs::metadata(path).ok()?;
    let is_readable = attributes.is_file() && attributes.len() <= MAX_BYTES;
    is_readable.then(|| fs::read_to_string(path).ok()).flatten()
}

/// A `fn`, `static` or `const`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_async: bool,
    /// The type whose `impl`, or the trait in whose body it stands.
    pub(crate) of: Option<&'a str>,
}

/// The head of an item that is being read, up to its body.
#[derive(Clone, Copy)]
struct Head<'a> {
    item: Item<'a>,
    /// Not so of a `static` or a `const`: its body is its value.
    is_function: bool,
    /// How many parentheses and square brackets are open around it.
    brackets: u32,
}

/// What is between an opening brace and the closing one, or a value.
#[derive(Clone, Copy)]
enum Body<'a> {
    Of(Item<'a>),
    /// Of an `impl` or a `trait`.
    Methods(Option<&'a str>),
    Other,
}

/// Follows the braces of `source`, and remembers at each the `fn` whose body it opens; likewise the
/// values of `static`s and `const`s, which may hold closures too. Without a column, the innermost
/// body that is open anywhere on the line.
fn item_at(source: &str, line: u32, column: Option<u32>) -> Option<Item<'_>> {
    let mut here = (1, 1);
    let is_past = |here: (u32, u32)| here.0 > line || here.0 == line && column == Some(here.1);
    let mut bodies: Vec<Body<'_>> = Vec::new();
    let mut head: Option<Head<'_>> = None;
    // What follows the word `impl` or `trait`, up to the body.
    let mut methods: Option<&str> = None;
    // How many brackets and bodies are open in each value that is being read.
    let mut values: Vec<(u32, usize)> = Vec::new();
    let mut brackets = 0_u32;
    let mut found = None;
    let mut depth_found = 0;
    let mut rest = source;
    let mut keyword = None;
    // Whether the word `async` stands before the next keyword.
    let mut is_async = false;
    // The last token that is neither space nor a comment.
    let mut previous = ";";
    while let Some(token) = next_token(rest) {
        for c in token.chars() {
            if is_past(here) {
                return found;
            }
            here = if c == '\n' { (here.0 + 1, 1) } else { (here.0, here.1 + 1) };
        }
        let at_token = rest;
        rest = &rest[token.len()..];
        let is_space =
            token.trim().is_empty() || token.starts_with("//") || token.starts_with("/*");
        let whole_head = head.filter(|head| head.brackets == brackets);
        match token {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets = brackets.saturating_sub(1),
            "{" => {
                let function = whole_head.filter(|head| head.is_function);
                let of_methods = methods.filter(|_| head.is_none()).map(|start| {
                    methods = None;
                    Body::Methods(type_of_methods(&start[..start.len() - at_token.len()]))
                });
                let of_function = function.map(|head| Body::Of(head.item));
                bodies.push(of_function.or(of_methods).unwrap_or(Body::Other));
                head = head.filter(|_| whole_head.is_none());
            }
            "}" => {
                bodies.pop();
            }
            "=" if whole_head.is_some_and(|head| !head.is_function) => {
                bodies.push(head.take().map_or(Body::Other, |head| Body::Of(head.item)));
                values.push((brackets, bodies.len()));
            }
            ";" if values.last() == Some(&(brackets, bodies.len())) => {
                values.pop();
                bodies.pop();
            }
            ";" if whole_head.is_some() => head = None,
            "impl" | "trait" if brackets == 0 && head.is_none() && is_before_an_item(previous) => {
                methods = Some(rest);
            }
            _ => {}
        }
        keyword = match (keyword, token) {
            _ if is_space => keyword,
            (_, "fn") => Some(token),
            // Not `*const T`, `&'static T` or `<const N: usize>`.
            (_, "static" | "const") if is_before_an_item(previous) => Some(token),
            (Some("static"), "mut") => keyword,
            // The start of a raw name, `r#match`.
            (Some(_), "r") if rest.starts_with('#') => keyword,
            (Some(_), "#") => keyword,
            (Some(keyword), name) if name.starts_with(|c: char| c == '_' || c.is_alphabetic()) => {
                let of = match bodies.last() {
                    Some(Body::Methods(of)) => *of,
                    _ => None,
                };
                let is_function = keyword == "fn";
                let item = Item { name, is_async: is_function && is_async, of };
                head = Some(Head { item, is_function, brackets });
                None
            }
            _ => None,
        };
        // `async unsafe extern "C" fn`
        is_async = match token {
            "async" => true,
            "unsafe" | "extern" | "fn" => is_async,
            _ => is_async && (is_space || token.starts_with('"')),
        };
        previous = if is_space { previous } else { token };
        if here.0 < line || column.is_some() || bodies.len() >= depth_found {
            let items = bodies.iter().rev();
            found = items.copied().find_map(|body| match body {
                Body::Of(item) => Some(item),
                Body::Methods(_) | Body::Other => None,
            });
            depth_found = if here.0 < line { 0 } else { bodies.len() };
        }
    }
    found.filter(|_| is_past(here))
}

/// The type whose definition follows, where an attribute is on the line: in it, nothing but
/// attributes and words comes before.
fn derived_for(source: &str, line: u32) -> Option<&str> {
    let line = usize::try_from(line.checked_sub(1)?).ok()?;
    let mut rest = source;
    for _ in 0..line {
        rest = rest.split_once('\n')?.1;
    }
    while let Some(token) = next_token(rest) {
        rest = &rest[token.len()..];
        match token {
            "struct" | "enum" | "union" => {
                let rest = rest.trim_start();
                return next_token(rest);
            }
            "{" | "}" | ";" | "fn" | "impl" | "trait" | "mod" => return None,
            _ => {}
        }
    }
    None
}

/// The type or the trait in what stands between `impl` or `trait` and the body:
/// `<T: Clone> Go for app::M<T> where ..`.
fn type_of_methods(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let text = match text.starts_with('<') {
        true => {
            let (_, after) = names::split_at_word(text, " ")?;
            after
        }
        false => text,
    };
    let text = names::split_at_word(text, " where ").map_or(text, |(before, _)| before);
    let of = names::split_at_word(text, " for ").map_or(text, |(_, of)| of);
    names::short_type(of.split(':').next().filter(|_| !of.contains("::")).unwrap_or(of).trim())
}

/// The end of an item, an attribute or a visibility, or the start of a body.
fn is_before_an_item(token: &str) -> bool {
    matches!(token, ";" | "{" | "}" | ")" | "]" | "pub" | "default" | "unsafe")
}

/// A comment, a literal, a word, white space or one other character.
fn next_token(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let after = &text[word..];
    let length = match first {
        '/' if text.starts_with("//") => text.find('\n').unwrap_or(text.len()),
        '/' if text.starts_with("/*") => comment(text),
        '"' => 1 + string(&text[1..]),
        '\'' => character(text),
        _ if matches!(&text[..word], "r" | "br" | "cr") && raw_string(after) > 0 => {
            word + raw_string(after)
        }
        _ if word > 0 => word,
        _ if first.is_whitespace() => text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()),
        _ => first.len_utf8(),
    };
    Some(&text[..length])
}

/// The length of a comment that may hold others.
fn comment(text: &str) -> usize {
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

/// The length of a string literal after its first quote.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw string after its `r`, or 0.
fn raw_string(text: &str) -> usize {
    let hashes = text.len() - text.trim_start_matches('#').len();
    if !text[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", &text[..hashes]);
    let body = hashes + 1;
    text[body..].find(&end).map_or(text.len(), |at| body + at + end.len())
}

/// The length of a character literal, or of the quote of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, c))) => {
            let from = escaped + c.len_utf8();
            text[from..].find('\'').map_or(text.len(), |at| from + at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{derived_for, item_at, moved_root, next_token, Item, Sources};

    #[test]
    fn the_innermost_function_around_a_place_is_found() {
        let source = r##"
fn a<'x>(text: &'x str, f: fn(u8) -> [u8; 4]) -> usize {
    let quote = ('"', '\'', '{', "}\"{", r#"}"{"#, b'{'); // fn comment() {
    /* fn outer() { /* nested */ */ text.map(|t| {
        t.to_string()
    })
}
trait T { fn only_declared(&self); }
impl T for u8 {
    fn only_declared(&self) {
        fn inner() { x.map(|t| t) }
        (|| 5)()
    }
}
static LATER: fn() = || 5;
fn p() { a(|| 1) } fn q() { b(|| 2) }
fn r#match() -> [u8; { 4 }] { || 3 }
impl<const N: usize> S<N> {
    pub const ONE: fn(*const u8, &'static str) -> [u8; 2] = |a| { let b; || 1 }; fn f<const M: u8>(a: *const u8) { || M }
}
#[link_section = ".x"]
static mut TWO: [fn(u8); 2] = [|_| (), |_| ()];
const fn g() { const { || 1 } const I: u8; static J: fn() = || { fn h() { || 2 } || 3 }; || 4 }
"##;
        let check = |line, column, expected| {
            let name = item_at(source, line, column).map(|item| item.name);
            assert_eq!(name, expected, "{line}:{column:?}");
        };
        check(3, Some(5), Some("a"));
        check(5, Some(9), Some("a"));
        check(5, None, Some("a"));
        check(11, None, Some("inner"));
        check(11, Some(28), Some("inner"));
        check(12, Some(10), Some("only_declared"));
        check(15, Some(25), Some("LATER"));
        check(15, None, Some("LATER"));
        check(16, Some(15), Some("p"));
        check(16, Some(32), Some("q"));
        check(17, Some(33), Some("match"));
        check(19, Some(68), Some("ONE"));
        check(19, Some(73), Some("ONE"));
        check(19, Some(117), Some("f"));
        check(22, Some(35), Some("TWO"));
        check(22, Some(43), Some("TWO"));
        check(23, Some(24), Some("g"));
        check(23, Some(75), Some("h"));
        check(23, Some(82), Some("J"));
        check(23, Some(90), Some("g"));
        check(24, None, None);
        check(99, None, None);
    }

    #[test]
    fn a_function_has_its_type_and_may_be_async() {
        let source = "
impl Words { pub(crate) async fn get(&self) { || 1 } fn new() -> impl Fn() { || 2 } }
impl<'a, T: Clone + Into<[u8; 4]>> lib::Go<T> for &'a mut app::G<T> where T: Copy {
    const LIMIT: usize = 3;
    async unsafe extern \"C\" fn go<F>(f: F) where F: Fn() -> u8 { fn inner() { || 3 } || 4 }
}
unsafe impl Send for [u8] { fn send() {} }
trait Draw: Sized { fn draw(&self) { || 5 } }
fn free() { let block = async { || 6 }; let f = |x: impl Fn()| { impl Words { fn late() {} } }; }
async fn body() { struct S; }
mod impls { pub fn f(x: impl Fn()) {} }
";
        let check = |line: usize, token: &str, expected: Item<'_>| {
            let text = source.lines().nth(line - 1).expect("a line");
            let column = text.find(token).expect("the token") + 1;
            let column = u32::try_from(column).expect("a short line");
            let line = u32::try_from(line).expect("few lines");
            assert_eq!(item_at(source, line, Some(column)), Some(expected), "{line}:{column}");
        };
        let item = |name, of| Item { name, is_async: false, of };
        let asynchronous = |name, of| Item { name, is_async: true, of };
        check(2, "|| 1", asynchronous("get", Some("Words")));
        check(2, "|| 2", item("new", Some("Words")));
        check(5, "|| 3", item("inner", None));
        check(5, "|| 4", asynchronous("go", Some("G")));
        check(7, "} }", item("send", Some("[u8]")));
        check(8, "|| 5", item("draw", Some("Draw")));
        check(9, "|| 6", item("free", None));
        check(9, "} } };", item("late", Some("Words")));
        check(10, "S;", asynchronous("body", None));
        check(11, "} }", item("f", None));
    }

    #[test]
    fn the_source_of_this_test_is_followed_to_its_end() {
        let line = line!();
        let item = item_at(include_str!("source.rs"), line, None).map(|item| item.name);
        assert_eq!(item, Some("the_source_of_this_test_is_followed_to_its_end"));
        assert_eq!(Sources::default().line(file!(), line), Some("let line = line!();"));
    }

    #[test]
    fn tokens_cover_any_text_to_its_end() {
        for text in ["'", "\"", "r#\"", "/*", "/", "'\\", "b'é'", "é'", "r", "r#x", "'\\u{41}' }"]
        {
            let mut rest = text;
            while let Some(token) = next_token(rest) {
                assert!(!token.is_empty(), "{text}");
                rest = &rest[token.len()..];
            }
            assert_eq!(rest, "", "{text}");
        }
    }

    #[test]
    fn what_a_derive_makes_is_of_the_type_that_follows() {
        let source = "#[derive(\n    Clone, // struct No\n    Debug)]\n#[x(y)]\npub(crate) enum Words<T> {\n  A\n}\nfn f() {}";
        for line in 1..=5 {
            assert_eq!(derived_for(source, line), Some("Words"), "{line}");
        }
        for line in [0, 6, 7, 8, 9, 99] {
            assert_eq!(derived_for(source, line), None, "{line}");
        }
    }

    #[test]
    fn a_build_whose_paths_are_rewritten_is_found_by_its_lock_file() {
        let here = env!("CARGO_MANIFEST_DIR");
        let check = |location: &str, written: &str, folder: &str, expected: Option<&str>| {
            assert_eq!(moved_root(location, written, &[folder.to_owned()]).as_deref(), expected);
        };
        for folder in [here.to_owned(), format!("{here}/tests/call_sites")] {
            check("src/lib.rs", "/nowhere/src/lib.rs", &folder, Some(here));
            check("src/lib.rs", "./src/lib.rs", &folder, Some(here));
            check("src/no.rs", "/nowhere/src/no.rs", &folder, None);
        }
        check("src/lib.rs", &format!("{here}/src/lib.rs"), here, None);
        check("src/lib.rs", "src/lib.rs", "/nowhere", None);
        check("/gen/a.rs", "/gen/a.rs", here, None);
    }

    #[test]
    fn a_file_that_is_not_there_has_no_lines() {
        let mut sources = Sources::default();
        assert_eq!(sources.line("/no/such/file.rs", 1), None);
        assert_eq!(sources.line("/dev/zero", 1), None);
        assert_eq!(sources.line(file!(), 0), None);
        assert_eq!(sources.item_at("/no/such/file.rs", 1, None), None);
    }
}
