//! Cold: `Origin`, where a budget was written and in which form; what the head of a report says.

use std::any::type_name;
use std::panic::Location;

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

/// Public in name only: expansions build it.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub(crate) entrance: Entrance,
    pub(crate) location: &'static Location<'static>,
    /// A path to the function: that of the module where `function` is set, else to an item or closure in it.
    path: &'static str,
    function: Option<&'static str>,
}

impl Origin {
    /// Of a function under the attribute.
    #[must_use]
    #[track_caller]
    pub fn function(module: &'static str, name: &'static str) -> Self {
        Self::at(Entrance::Attribute, module, Some(name))
    }

    /// Of a block of `assert_allocs!`; `_here` is an item of the surrounding function.
    #[must_use]
    #[track_caller]
    pub fn assert_allocs<T>(_here: T) -> Self {
        Self::at(Entrance::AssertAllocs, type_name::<T>(), None)
    }

    /// Of a block of `assert_no_alloc!`; `_here` is an item of the surrounding function.
    #[must_use]
    #[track_caller]
    pub fn assert_no_alloc<T>(_here: T) -> Self {
        Self::at(Entrance::AssertNoAlloc, type_name::<T>(), None)
    }

    /// Of a method call with a closure or a future, of type `T`.
    #[track_caller]
    pub(crate) fn method<T>() -> Self {
        Self::at(Entrance::Method, type_name::<T>(), None)
    }

    #[track_caller]
    fn at(entrance: Entrance, path: &'static str, function: Option<&'static str>) -> Self {
        Self { entrance, location: Location::caller(), path, function }
    }

    /// The function, as the test harness writes it: its path without the crate.
    pub(crate) fn name(&self) -> String {
        match self.function {
            Some(function) => within_crate(&format!("{}::{function}", self.path)).to_owned(),
            None => within_crate(enclosing_function(self.path)).to_owned(),
        }
    }
}

/// Strips closures, and the item that marked the place, from the end of a type's name.
fn enclosing_function(path: &str) -> &str {
    let mut path = path.strip_suffix("::__here").unwrap_or(path);
    while let Some((outer, last)) = path.rsplit_once("::") {
        if !last.starts_with("{{closure}}") && !last.starts_with("{closure#") {
            break;
        }
        path = outer;
    }
    path
}

fn within_crate(path: &str) -> &str {
    match path.split_once("::") {
        Some((krate, rest)) if krate.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) => {
            rest
        }
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::{enclosing_function, within_crate};

    #[test]
    fn names_the_function_around_a_closure_or_marker() {
        let check = |path, expected| assert_eq!(within_crate(enclosing_function(path)), expected);
        check("krate::tests::parses::__here", "tests::parses");
        check("krate::tests::parses::{{closure}}::{{closure}}::__here", "tests::parses");
        check("krate::tests::parses::{closure#1}", "tests::parses");
        check("krate::parses", "parses");
        check("<krate::S as krate::T>::parses::{{closure}}", "<krate::S as krate::T>::parses");
        check("alone", "alone");
    }
}
