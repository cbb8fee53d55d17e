//! Cold: which `fn`, `static` or `const` of a source file is around a place in it.

use crate::symbolize::names;
use crate::tokens::{next_token, Kind};

/// A `fn`, `static` or `const`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) name: &'a str,
    pub(super) is_async: bool,
    /// The type whose `impl` it stands in, or the trait.
    pub(super) of: Option<&'a str>,
}

/// The innermost item around a place. Without a column, the innermost body that is open anywhere on
/// the line.
pub(super) fn item_at(source: &str, line: u32, column: Option<u32>) -> Option<Item<'_>> {
    let is_past = |here: (u32, u32)| here.0 > line || here.0 == line && column == Some(here.1);
    let mut reader = Reader::default();
    let mut here = (1, 1);
    let mut found = None;
    let mut depth_found = 0;
    let mut rest = source;
    while let Some((kind, token)) = next_token(rest) {
        for c in token.chars() {
            if is_past(here) {
                return found;
            }
            here = if c == '\n' { (here.0 + 1, 1) } else { (here.0, here.1 + 1) };
        }
        rest = &rest[token.len()..];
        if !matches!(kind, Kind::Space | Kind::Comment) {
            reader.take(kind, token, rest);
        }
        let depth = reader.bodies.len();
        if here.0 < line || column.is_some() || depth >= depth_found {
            found = reader.innermost();
            depth_found = if here.0 < line { 0 } else { depth };
        }
    }
    found.filter(|_| is_past(here))
}

/// Which items are open. It follows the braces, and knows of each whether it opens the body of a
/// `fn`. The value of a `static` or `const`, which may hold closures too, counts as a body.
#[derive(Default)]
struct Reader<'a> {
    bodies: Vec<Body<'a>>,
    /// Of the values that are being read: how many brackets and bodies are open in each.
    values: Vec<(u32, usize)>,
    /// How many parentheses and square brackets are open.
    brackets: u32,
    head: Option<Head<'a>>,
    /// What follows the word `impl` or `trait`, while its body has not begun.
    methods: Option<&'a str>,
    /// `fn`, `static` or `const`, while the name has not come.
    keyword: Option<&'a str>,
    /// Whether the word `async` stands before the next keyword.
    is_async: bool,
    /// Empty at the start.
    previous: &'a str,
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
    /// Of an `impl` or a `trait`, with the type or the trait.
    Methods(Option<&'a str>),
    Other,
}

impl<'a> Reader<'a> {
    fn innermost(&self) -> Option<Item<'a>> {
        self.bodies.iter().rev().find_map(|body| match body {
            Body::Of(item) => Some(*item),
            Body::Methods(_) | Body::Other => None,
        })
    }

    /// `rest` is what follows the token.
    fn take(&mut self, kind: Kind, token: &'a str, rest: &'a str) {
        // Not `*const T` or `<const N: usize>`.
        let may_begin_item = is_before_an_item(self.previous);
        let whole_head = self.head.filter(|head| head.brackets == self.brackets);
        let place = (self.brackets, self.bodies.len());
        match token {
            "(" | "[" => self.brackets += 1,
            ")" | "]" => self.brackets = self.brackets.saturating_sub(1),
            "{" => self.open_braces(whole_head, token.len() + rest.len()),
            "}" => {
                self.bodies.pop();
            }
            "=" if whole_head.is_some_and(|head| !head.is_function) => {
                self.bodies.push(self.head.take().map_or(Body::Other, |head| Body::Of(head.item)));
                self.values.push((self.brackets, self.bodies.len()));
            }
            ";" if self.values.last() == Some(&place) => {
                self.values.pop();
                self.bodies.pop();
            }
            ";" if whole_head.is_some() => self.head = None,
            "impl" | "trait" if self.brackets == 0 && self.head.is_none() && may_begin_item => {
                self.methods = Some(rest);
            }
            _ => {}
        }
        self.keyword = match (self.keyword, token) {
            (_, "fn") => Some(token),
            (_, "static" | "const") if may_begin_item => Some(token),
            (Some("static"), "mut") => self.keyword,
            (Some(keyword), name) if kind == Kind::Word => {
                self.head = Some(self.head_of(keyword == "fn", name));
                None
            }
            _ => None,
        };
        // `async unsafe extern "C" fn`
        self.is_async = match token {
            "async" => true,
            "unsafe" | "extern" | "fn" => self.is_async,
            _ => self.is_async && kind == Kind::Literal,
        };
        self.previous = token;
    }

    /// `left` is how much of the text is left.
    fn open_braces(&mut self, whole_head: Option<Head<'a>>, left: usize) {
        let body = match (whole_head, self.methods) {
            (Some(head), _) if head.is_function => Body::Of(head.item),
            (_, Some(methods)) if self.head.is_none() => {
                self.methods = None;
                Body::Methods(type_of_methods(&methods[..methods.len() - left]))
            }
            _ => Body::Other,
        };
        self.bodies.push(body);
        self.head = self.head.filter(|_| whole_head.is_none());
    }

    fn head_of(&self, is_function: bool, name: &'a str) -> Head<'a> {
        let of = match self.bodies.last() {
            Some(Body::Methods(of)) => *of,
            _ => None,
        };
        let name = plain(name);
        let item = Item { name, is_async: is_function && self.is_async, of };
        Head { item, is_function, brackets: self.brackets }
    }
}

/// The type whose definition follows, where an attribute is on the line: in it, nothing but
/// attributes and words comes before.
pub(super) fn derived_for(source: &str, line: u32) -> Option<&str> {
    let line = usize::try_from(line.checked_sub(1)?).ok()?;
    let mut rest = source;
    for _ in 0..line {
        rest = rest.split_once('\n')?.1;
    }
    while let Some((_, token)) = next_token(rest) {
        rest = &rest[token.len()..];
        match token {
            "struct" | "enum" | "union" => return Some(plain(next_token(rest.trim_start())?.1)),
            "{" | "}" | ";" | "fn" | "impl" | "trait" | "mod" => return None,
            _ => {}
        }
    }
    None
}

/// A name as symbols have it.
fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The type or the trait in what stands between `impl` or `trait` and the body:
/// `<T: Clone> Go for app::M<T> where ..`.
fn type_of_methods(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let text = match text.starts_with('<') {
        true => names::split_at_word(text, " ")?.1,
        false => text,
    };
    let text = names::split_at_word(text, " where ").map_or(text, |(before, _)| before);
    let of = names::split_at_word(text, " for ").map_or(text, |(_, of)| of);
    names::short_type(of.split(':').next().filter(|_| !of.contains("::")).unwrap_or(of).trim())
}

/// The start of the file, the end of an item, an attribute or a visibility, or the start of a body.
fn is_before_an_item(token: &str) -> bool {
    matches!(token, "" | ";" | "{" | "}" | ")" | "]" | "pub" | "default" | "unsafe")
}

#[cfg(test)]
mod tests {
    use super::{derived_for, item_at, Item};

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
    pub const ONE: fn(*const u8, &'static str) = |a| { b; || 1 }; fn f<const M: u8>(a: u8) { || M }
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
        check(19, Some(56), Some("ONE"));
        check(19, Some(59), Some("ONE"));
        check(19, Some(96), Some("f"));
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
    fn what_a_derive_makes_is_of_the_type_that_follows() {
        let source = "#[derive(\n    Clone, // struct No\n    Debug)]\n#[x(y)]\n\
                      pub(crate) enum Words<T> {\n  A\n}\nfn f() {}";
        for line in 1..=5 {
            assert_eq!(derived_for(source, line), Some("Words"), "{line}");
        }
        for line in [0, 6, 7, 8, 9, 99] {
            assert_eq!(derived_for(source, line), None, "{line}");
        }
        assert_eq!(derived_for("#[derive(Clone)]\nstruct r#yield;", 1), Some("yield"));
    }
    #[test]
    fn the_source_of_this_test_is_followed_to_its_end() {
        let item = item_at(include_str!("items.rs"), line!(), None).map(|item| item.name);
        assert_eq!(item, Some("the_source_of_this_test_is_followed_to_its_end"));
    }
}
