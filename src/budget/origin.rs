//! Cold: `Origin`, where and in which form a budget was written, for the head of its report.

use std::any::type_name;
use std::panic::Location;
use std::thread;

use crate::stacks::HeldCode;

/// How code was held to a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// `#[alloc_budget]` on a function.
    Attribute,
    AssertAllocs,
    AssertNoAlloc,
    /// A method of `Budget` or `Repeated`.
    Method,
}

/// It is public in name only: expansions make it.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub(crate) entrance: Entrance,
    pub(crate) location: &'static Location<'static>,
    /// The path of the module, if `function` is known; else the path of an item or a closure in the
    /// function.
    path: &'static str,
    function: Option<&'static str>,
    /// Whether the code has no value: then what it retains is leaked.
    pub(crate) returns_nothing: bool,
}

impl Origin {
    /// Of a function under the attribute.
    #[must_use]
    #[track_caller]
    pub fn function(module: &'static str, name: &'static str, returns_nothing: bool) -> Self {
        Self::at(Entrance::Attribute, module, Some(name), returns_nothing)
    }

    /// Of a block of `assert_allocs!`; `_here` is an item of the surrounding function.
    #[must_use]
    #[track_caller]
    pub fn assert_allocs<T>(_here: T, returns_nothing: bool) -> Self {
        Self::at(Entrance::AssertAllocs, type_name::<T>(), None, returns_nothing)
    }

    /// Of a block of `assert_no_alloc!`; `_here` is an item of the surrounding function.
    #[must_use]
    #[track_caller]
    pub fn assert_no_alloc<T>(_here: T, returns_nothing: bool) -> Self {
        Self::at(Entrance::AssertNoAlloc, type_name::<T>(), None, returns_nothing)
    }

    /// Of a method call with a closure or a future, of type `T`, whose value is an `R`.
    #[track_caller]
    pub(crate) fn method<T, R>() -> Self {
        let returns_nothing = type_name::<R>() == type_name::<()>();
        Self::at(Entrance::Method, type_name::<T>(), None, returns_nothing)
    }

    #[track_caller]
    fn at(
        entrance: Entrance,
        path: &'static str,
        function: Option<&'static str>,
        returns_nothing: bool,
    ) -> Self {
        Self { entrance, location: Location::caller(), path, function, returns_nothing }
    }

    /// The function as the test harness writes it: its path without the crate. If it is not known,
    /// the name of the thread, which in a test is that of the test.
    pub(crate) fn name(&self) -> String {
        match self.code() {
            HeldCode { path: "", function: "", .. } => {
                thread::current().name().unwrap_or("code without a name").to_owned()
            }
            HeldCode { path: "", function, .. } => function.to_owned(),
            HeldCode { path, function, .. } => format!("{path}::{function}"),
        }
    }

    /// The same but for the name of the thread, without memory.
    pub(crate) fn code(&self) -> HeldCode {
        let (path, function) = match self.function {
            Some(function) => (module_within_crate(self.path), function),
            None => ("", enclosing_function(self.path).map_or("", within_crate)),
        };
        HeldCode { path, function, location: self.location }
    }
}

/// The function that a type belongs to, by the type's name: the type of a marker, a closure or a
/// future in the function, or of the function itself. `None` for others: boxes, function pointers,
/// structures.
fn enclosing_function(path: &str) -> Option<&str> {
    let mut outer = path.strip_suffix("::__here").unwrap_or(path);
    while let Some((before, last)) = outer.rsplit_once("::") {
        if !last.starts_with("{{closure}}") && !last.starts_with("{closure#") {
            break;
        }
        outer = before;
    }
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#');
    let is_inside = outer.len() < path.len() && !path.ends_with('>');
    (is_inside || path.chars().all(is_plain) && path.contains("::")).then_some(outer)
}

fn within_crate(path: &str) -> &str {
    match path.split_once("::") {
        Some((krate, rest)) if is_crate(krate) => rest,
        _ => path,
    }
}

/// Empty for the crate itself.
fn module_within_crate(path: &str) -> &str {
    if is_crate(path) {
        return "";
    }
    within_crate(path)
}

/// The crate may be named `r#yield`.
fn is_crate(name: &str) -> bool {
    let plain = name.strip_prefix("r#").unwrap_or(name);
    plain.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::{enclosing_function, within_crate};

    #[test]
    fn names_the_function_around_a_closure_or_marker() {
        let check = |path, expected| {
            assert_eq!(enclosing_function(path).map(within_crate), Some(expected), "{path}");
        };
        check("krate::tests::parses::__here", "tests::parses");
        check("krate::tests::parses::{{closure}}::{{closure}}::__here", "tests::parses");
        check("krate::tests::parses::{closure#1}", "tests::parses");
        check("krate::parses", "parses");
        check("<krate::S as krate::T>::parses::{{closure}}", "<krate::S as krate::T>::parses");
        check("krate::parse", "parse");
        check("r#yield::tests::parses", "tests::parses");
        check("r#yield::tests::parses::{{closure}}", "tests::parses");
    }

    #[test]
    fn other_types_name_no_function() {
        for path in [
            "fn()",
            "alloc::boxed::Box<dyn core::ops::function::FnOnce()>",
            "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = ()>>>",
            "core::future::poll_fn::PollFn<krate::tests::parses::{{closure}}>",
        ] {
            assert_eq!(enclosing_function(path), None, "{path}");
        }
    }
}
