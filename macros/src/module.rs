//! Cold: a module under `#[alloc_budget]`; called by `lib`. Each test function in it gets the
//! attribute for itself, above all others, as a user would write it there.
//!
//! A module is a list of items. Of each, this looks at the attributes and at the words up to its
//! name. An item ends at the first braces or semicolon. That is too early for `const A: B = C {} +
//! D;`, whose rest then counts as an item of an unknown kind: no token is lost, and nothing is put
//! before it.

use proc_macro::{Delimiter, Group, Ident, TokenStream, TokenTree};

use crate::args::Args;
use crate::error::{Error, Errors};
use crate::item::{body_of, inner_attributes, with_body};
use crate::keys;
use crate::quote::quote_at;
use crate::tokens::{as_group, find_ident, group, is_path, is_punct, listed, only, opened};

/// The module with the attribute on each test function, or `None` if the item is no module. `args`
/// are those of the module's own attribute, as they are `written`.
pub(crate) fn with_budgets(
    written: &TokenStream,
    args: &Args,
    item: &[TokenTree],
    errors: &mut Errors,
) -> Option<TokenStream> {
    let Kind::Module(name) = Kind::of(item) else { return None };
    let mut budget = Budget { args: written, krate: &args.krate(), errors, has_tests: false };
    let module = budget.module(item, &name);
    if !budget.has_tests && budget.errors.is_empty() {
        let message = format!("no function in `{name}` is a test: the budget would hold nothing");
        budget.errors.push(Error::at(name.span(), message).help(
            "in a module it holds functions under `#[test]`, `#[tokio::test]`, `#[rstest]`, \
             `#[test_case(..)]` and the like; put it on each other function itself",
        ));
    }
    Some(module)
}

/// The budget of a module, on its way to the functions.
struct Budget<'a> {
    args: &'a TokenStream,
    krate: &'a TokenStream,
    errors: &'a mut Errors,
    has_tests: bool,
}

impl Budget<'_> {
    fn module(&mut self, tokens: &[TokenTree], name: &Ident) -> TokenStream {
        match body_of(tokens) {
            Some(body) => {
                let items = self.items(body.stream());
                with_body(tokens.to_vec(), group(Delimiter::Brace, items, body.span()))
            }
            None => {
                self.errors.push(in_another_file(name));
                tokens.iter().cloned().collect()
            }
        }
    }

    fn items(&mut self, body: TokenStream) -> TokenStream {
        let tokens = with_items_opened(body);
        let (attributes, items) = tokens.split_at(inner_attributes(&tokens));
        let items = items.split_inclusive(ends_item).flat_map(|item| self.item(item));
        attributes.iter().cloned().chain(items).collect()
    }

    fn item(&mut self, item: &[TokenTree]) -> TokenStream {
        let unchanged = || item.iter().cloned().collect();
        let kind = Kind::of(item);
        let is_own = attributes(item).any(|(_, attribute)| has_budget(attribute));
        if is_own && !matches!(kind, Kind::Other) {
            let is_of_tests = attributes(item).any(|(_, attribute)| is_of_test(attribute));
            self.has_tests |= is_of_tests || !matches!(kind, Kind::Function(_));
            let item: Vec<_> = without_off(item).into_iter().collect();
            return match (kind, conditions(&item)) {
                (Kind::Module(name), Some(conditions)) => {
                    self.before(&item, &name, UNLESS, conditions)
                }
                (Kind::Function(name), Some(conditions)) if is_test(&item) => {
                    self.before(&item, &name, UNLESS, conditions)
                }
                _ => item.into_iter().collect(),
            };
        }
        match kind {
            Kind::Function(name) if is_test(item) => {
                self.has_tests = true;
                self.before(item, &name, ALWAYS, TokenStream::new())
            }
            Kind::Module(name) => self.module(item, &name),
            Kind::Macro(name) => {
                let has_tests = has_test(item) || is(&name, "include");
                self.errors.push_any(has_tests.then(|| written_by_macro(&name)));
                unchanged()
            }
            Kind::Function(_) | Kind::Other => unchanged(),
        }
    }

    /// The item below an attribute with the budget, which has `template`.
    fn before(
        &self,
        item: &[TokenTree],
        name: &Ident,
        template: &str,
        conditions: TokenStream,
    ) -> TokenStream {
        let (krate, args) = (self.krate.clone(), self.args.clone());
        let holes = [("krate", krate), ("args", args), ("conditions", conditions)];
        let budget = quote_at(name.span(), template, &holes);
        budget.into_iter().chain(item.iter().cloned()).collect()
    }
}

const ALWAYS: &str = "#[$krate::alloc_budget($args)]";
const UNLESS: &str = "#[cfg_attr(not(any($conditions)), $krate::alloc_budget($args))]";

/// What an item is, with its name: of a macro that is defined or called, that of the macro.
enum Kind {
    Function(Ident),
    Module(Ident),
    Macro(Ident),
    Other,
}

impl Kind {
    fn of(item: &[TokenTree]) -> Self {
        let tokens = opened(item);
        let mut words = &tokens[2 * attributes(&tokens).count()..];
        loop {
            words = match words {
                [TokenTree::Ident(fn_), TokenTree::Ident(name), ..] if is(fn_, "fn") => {
                    return Self::Function(name.clone());
                }
                [TokenTree::Ident(mod_), TokenTree::Ident(name), ..] if is(mod_, "mod") => {
                    return Self::Module(name.clone());
                }
                [TokenTree::Ident(qualifier), rest @ ..] if is_qualifier(qualifier) => rest,
                // `pub(crate)`, `extern "C"`
                [TokenTree::Group(_) | TokenTree::Literal(_), rest @ ..] => rest,
                _ => break,
            }
        }
        match words.iter().position(|token| is_punct(Some(token), '!')) {
            Some(at) if is_path(&words[..at]) => {
                // `macro_rules! name`, or `path::to::name!`.
                let defined = words.get(at + 1).and_then(as_word);
                let name = defined.or_else(|| words[..at].iter().rev().find_map(as_word));
                name.map_or(Self::Other, |name| Self::Macro(name.clone()))
            }
            _ => Self::Other,
        }
    }
}

fn is(word: &Ident, name: &str) -> bool {
    word.to_string() == name
}

fn is_qualifier(word: &Ident) -> bool {
    let words = ["pub", "async", "const", "unsafe", "safe", "extern", "default"];
    words.contains(&&*word.to_string())
}

fn as_word(token: &TokenTree) -> Option<&Ident> {
    match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    }
}

/// The tokens, with items that `macro_rules!` captured as a whole taken apart.
fn with_items_opened(tokens: TokenStream) -> Vec<TokenTree> {
    let open = |token: TokenTree| match as_group(Some(&token), Delimiter::None) {
        Some(item) if ends_item(&token) => with_items_opened(item.stream()),
        _ => vec![token],
    };
    tokens.into_iter().flat_map(open).collect()
}

fn ends_item(token: &TokenTree) -> bool {
    let last = opened(std::slice::from_ref(token)).pop();
    is_punct(last.as_ref(), ';') || as_group(last.as_ref(), Delimiter::Brace).is_some()
}

/// The attributes of an item, each with the place of its `#`.
fn attributes(item: &[TokenTree]) -> impl Iterator<Item = (usize, &Group)> {
    let attribute = |at: usize| match &item[at..] {
        [hash, TokenTree::Group(attribute), ..] if is_punct(Some(hash), '#') => Some(attribute),
        _ => None,
    };
    (0..item.len()).step_by(2).map_while(move |at| Some((at, attribute(at)?)))
}

/// Whether an attribute is ours, perhaps within `cfg_attr`.
fn has_budget(attribute: &Group) -> bool {
    find_ident(&listed(attribute.stream()), &|word| word == "alloc_budget").is_some()
}

/// The conditions under which an item has a budget of its own, each with a comma. `None` if it
/// always has one.
fn conditions(item: &[TokenTree]) -> Option<TokenStream> {
    let own = attributes(item).filter(|(_, attribute)| has_budget(attribute));
    let conditions: Option<Vec<_>> = own.map(|(_, attribute)| condition_of(attribute)).collect();
    conditions.filter(|found| !found.is_empty()).map(|found| found.into_iter().flatten().collect())
}

/// What the first argument of a `cfg_attr` is, and the comma.
fn condition_of(attribute: &Group) -> Option<TokenStream> {
    let [TokenTree::Ident(word), TokenTree::Group(arguments)] = &*listed(attribute.stream()) else {
        return None;
    };
    let arguments = listed(arguments.stream());
    let comma = arguments.iter().position(|token| is_punct(Some(token), ','))?;
    is(word, "cfg_attr").then(|| arguments[..=comma].iter().cloned().collect())
}

/// The item without `#[alloc_budget(off)]`, which has been heeded. Within `cfg_attr` it does
/// nothing.
fn without_off(item: &[TokenTree]) -> TokenStream {
    let is_off = |(_, attribute): &(usize, &Group)| {
        let tokens = listed(attribute.stream());
        let arguments = as_group(tokens.last(), Delimiter::Parenthesis);
        arguments.is_some_and(|arguments| is_only_off(&arguments.stream()))
    };
    let off: Vec<_> = attributes(item).filter(is_off).map(|(at, _)| at).collect();
    let is_left = |at: &usize| !off.iter().any(|off| (*off..off + 2).contains(at));
    (0..item.len()).filter(is_left).map(|at| item[at].clone()).collect()
}

/// Whether these arguments are `off`, and nothing else.
pub(crate) fn is_only_off(args: &TokenStream) -> bool {
    args.to_string() == keys::OFF
}

/// Whether a function is a test that can be held. The panic of a broken budget would pass for any
/// that `#[should_panic]` waits for.
fn is_test(item: &[TokenTree]) -> bool {
    let is_of_any_panic = |attribute: &Group| {
        matches!(only(&listed(attribute.stream())),
            Some(TokenTree::Ident(word)) if is(&word, "should_panic"))
    };
    attributes(item).any(|(_, attribute)| is_of_test(attribute))
        && !attributes(item).any(|(_, attribute)| is_of_any_panic(attribute))
}

/// Whether an attribute makes a test of its function, perhaps by `cfg_attr`.
fn is_of_test(attribute: &Group) -> bool {
    let tokens = opened(&listed(attribute.stream()));
    let end = tokens.iter().position(|token| !is_path(std::slice::from_ref(token)));
    let (path, rest) = tokens.split_at(end.unwrap_or(tokens.len()));
    match path.last().and_then(as_word) {
        Some(word) if is(word, "cfg_attr") => {
            let Some(TokenTree::Group(arguments)) = rest.first() else { return false };
            let arguments = listed(arguments.stream());
            let comma = arguments.iter().position(|token| is_punct(Some(token), ','));
            find_ident(&arguments[comma.unwrap_or(arguments.len())..], &names_test).is_some()
        }
        Some(word) => names_test(&word.to_string()),
        None => false,
    }
}

/// `test`, `test_case`, `rstest` and the like; `case` is another name of `test_case`, and `apply`
/// is rstest_reuse's.
fn names_test(word: &str) -> bool {
    let known = ["rstest", "gtest", "proptest", "quickcheck", "parameterized", "case", "apply"];
    known.contains(&word) || word.split('_').any(|part| part == "test")
}

/// Whether there is such an attribute somewhere in the tokens of a macro.
fn has_test(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Group(group) => {
            at > 0 && is_punct(tokens.get(at - 1), '#') && is_of_test(group)
                || has_test(&listed(group.stream()))
        }
        _ => false,
    })
}

fn in_another_file(name: &Ident) -> Error {
    let message = format!("the budget does not reach into `{name}`, which is in another file");
    Error::at(name.span(), message).help(&format!(
        "write the module here, `mod {name} {{ .. }}`, or put the attribute on the functions in \
         that file"
    ))
}

fn written_by_macro(name: &Ident) -> Error {
    let message = format!("the budget does not reach into the tests of `{name}!`");
    Error::at(name.span(), message).help(
        "put a budget on each of them, or in its body; `#[alloc_budget(off)]` above the macro says \
         that they are not held to this one",
    )
}
