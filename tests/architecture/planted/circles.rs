//! Circles are found and named.

use super::imports;
use crate::circles;
use std::collections::BTreeSet;

/// The faults of a crate of three modules of which nothing is listed.
fn circle_faults(a: &str, b: &str, c: &str) -> Vec<String> {
    let library = ("src/lib.rs", "mod a; mod b; mod c;");
    let imports = imports(&[library, ("src/a.rs", a), ("src/b.rs", b), ("src/c.rs", c)]);
    circles::faults(&imports, &BTreeSet::new())
}

#[test]
fn circles_of_files_are_found_and_named() {
    let three = circle_faults(
        "use super::b::B; pub struct A;",
        "pub struct B; fn f() { crate::c::f(B) }",
        "use crate::a::A; pub fn f() {}",
    );
    let first = "a circle: src/a.rs -> src/b.rs (B) -> src/c.rs (f) -> src/a.rs (A)";
    assert_eq!(three.len(), 3);
    assert_eq!(three[0], first);

    // By way of a re-export, and past the one that only stands on the way.
    let re_exported = circle_faults(
        "pub use crate::b::B; pub struct A;",
        "pub struct B; use crate::c::A;",
        "pub use crate::a::A;",
    );
    let first = "a circle: src/a.rs -> src/b.rs (B) -> src/a.rs (A)";
    assert_eq!(re_exported, [first, "a circle: src/b.rs -> src/a.rs (A) -> src/b.rs (B)"]);

    let innocent = circle_faults(
        "use crate::b::B; use crate::c::C; pub struct A;",
        "pub struct B; use crate::c::C; #[cfg(test)] use crate::a::A;",
        "pub struct C; // use crate::a::A;\n#[cfg(test)] mod tests { use crate::b::B; }",
    );
    assert_eq!(innocent, [""; 0]);
}

#[test]
fn a_folder_whose_own_code_its_files_use_is_a_circle() {
    let of_folder = |inner| {
        let imports = imports(&[
            ("src/lib.rs", "mod a;"),
            ("src/a/mod.rs", "mod inner; pub use inner::Inner; pub struct Own;"),
            ("src/a/inner.rs", inner),
        ]);
        (circles::faults(&imports, &BTreeSet::new()), circles::between_modules(&imports))
    };
    let (faults, between) = of_folder("use super::Own; pub struct Inner;");
    let first = "a circle: src/a/inner.rs -> src/a/mod.rs (Own) -> src/a/inner.rs (Inner)";
    assert_eq!((faults.len(), faults[0].as_str()), (2, first));
    assert_eq!(circles::faults(&between, &BTreeSet::new()), [""; 0]);
    // A sibling by way of the folder is no import of the folder.
    assert_eq!(of_folder("use super::Inner as I; pub struct Inner;").0, [""; 0]);
}

#[test]
fn circles_of_top_level_modules_are_found_though_no_files_are_in_one() {
    let imports = imports(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod x; pub(crate) mod y;"),
        ("src/a/x.rs", "use crate::b::B;"),
        ("src/a/y.rs", "pub struct Y;"),
        ("src/b.rs", "pub struct B; use crate::a::y::Y;"),
    ]);
    assert_eq!(circles::faults(&imports, &BTreeSet::new()), [""; 0]);
    let between = circles::between_modules(&imports);
    let expected = ["a circle: a -> b (B) -> a (Y)", "a circle: b -> a (Y) -> b (B)"];
    assert_eq!(circles::faults(&between, &BTreeSet::new()), expected);
}

#[test]
fn the_list_of_circles_can_only_shrink() {
    let imports = imports(&[
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::a::A; pub struct B;"),
        ("src/c.rs", "use crate::a::A;"),
    ]);
    let faults = |listed: &[&str]| circles::faults(&imports, &listed.iter().copied().collect());
    assert_eq!(faults(&["src/a.rs", "src/b.rs"]), [""; 0]);
    assert_eq!(faults(&["src/a.rs"]).len(), 1);
    let strike = faults(&["src/a.rs", "src/b.rs", "src/c.rs", "src/d.rs"]);
    assert_eq!(
        strike,
        [
            "src/c.rs is in no circle: strike it from the list",
            "src/d.rs is not there: strike it from the list"
        ]
    );
}

#[test]
fn of_the_imports_those_that_are_part_of_a_circle_are_drawn() {
    let imports = imports(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B; use crate::d::D; pub struct A;"),
        ("src/b.rs", "use crate::c::{self, C}; pub struct B; fn f() { c::f() }"),
        ("src/c.rs", "use crate::a::A; pub struct C; pub fn f() {}"),
        ("src/d.rs", "pub struct D;"),
    ]);
    let drawn = circles::drawn(&circles::in_circles(&imports));
    let expected = "src/a.rs -> src/b.rs (B)
src/b.rs -> src/c.rs (C, f)
src/c.rs -> src/a.rs (A)
";
    assert_eq!(drawn, expected);
}
