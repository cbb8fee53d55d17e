//! Circles are found and named.

use super::imports;
use crate::circles;

/// The circles of a crate of three modules.
fn circles_of(a: &str, b: &str, c: &str) -> Vec<String> {
    let library = ("src/lib.rs", "mod a; mod b; mod c;");
    let imports = imports(&[library, ("src/a.rs", a), ("src/b.rs", b), ("src/c.rs", c)]);
    circles::found(&imports)
}

#[test]
fn circles_of_files_are_found_and_named() {
    let three = circles_of(
        "use super::b::B; pub struct A;",
        "pub struct B; fn f() { crate::c::f(B) }",
        "use crate::a::A; pub fn f() {}",
    );
    let first = "src/a.rs -> src/b.rs (B) -> src/c.rs (f) -> src/a.rs (A)";
    assert_eq!(three.len(), 3);
    assert_eq!(three[0], first);

    // This one leads through a re-export, and past the file that only re-exports.
    let re_exported = circles_of(
        "pub use crate::b::B; pub struct A;",
        "pub struct B; use crate::c::A;",
        "pub use crate::a::A;",
    );
    let first = "src/a.rs -> src/b.rs (B) -> src/a.rs (A)";
    assert_eq!(re_exported, [first, "src/b.rs -> src/a.rs (A) -> src/b.rs (B)"]);

    let innocent = circles_of(
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
        (circles::found(&imports), circles::between_modules(&imports))
    };
    let (found, between) = of_folder("use super::Own; pub struct Inner;");
    let first = "src/a/inner.rs -> src/a/mod.rs (Own) -> src/a/inner.rs (Inner)";
    assert_eq!((found.len(), found[0].as_str()), (2, first));
    assert_eq!(circles::found(&between), [""; 0]);
    // To import a sibling by way of the folder is no import of the folder.
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
    assert_eq!(circles::found(&imports), [""; 0]);
    let between = circles::between_modules(&imports);
    let expected = ["a -> b (B) -> a (Y)", "b -> a (Y) -> b (B)"];
    assert_eq!(circles::found(&between), expected);
}
