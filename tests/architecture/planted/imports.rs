//! Imports are found however they are written.

use super::imports;
use std::collections::BTreeSet;

/// What `file` imports, as `other.rs: Names`.
fn imported(files: &[(&str, &str)], file: &str) -> Vec<String> {
    let words = |(other, names): (&String, &BTreeSet<String>)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{}: {}", other.strip_prefix("src/").expect("below"), names.join(", "))
    };
    imports(files)[file].iter().map(words).collect()
}

#[test]
fn imports_are_found_however_they_are_written() {
    let library = "mod a; mod b; mod c; pub use b::Public;";
    let folder =
        "mod inner; pub(crate) use inner::{Other as Renamed, Thing}; pub(crate) fn own() {}";
    let check = |a: &str, found: &[&str]| {
        let files = [
            ("src/lib.rs", library),
            ("src/a.rs", a),
            ("src/b.rs", "pub struct Public; pub(crate) mod nested { pub fn f() {} }"),
            ("src/c/mod.rs", folder),
            (
                "src/c/inner.rs",
                "pub struct Thing; pub struct Other; macro_rules! made { () => {} }
                 #[macro_export] macro_rules! exported { () => {} }",
            ),
        ];
        assert_eq!(imported(&files, "src/a.rs"), found, "{a}");
    };
    check("use crate::b::Public;", &["b.rs: Public"]);
    check("use crate::Public;", &["b.rs: Public"]);
    check("use super::b::Public as P;", &["b.rs: Public"]);
    check("use super::{b::{nested, Public}, c::Thing};", &["b.rs: Public", "c/inner.rs: Thing"]);
    check("fn f() { crate::b::nested::f(); }", &["b.rs: f"]);
    check("fn f() { super::b::Public::new() }", &["b.rs: Public"]);
    check("use crate::c; fn f() { c::own() }", &["c/mod.rs: own"]);
    check("use crate::c; fn f() { c::Thing::new() }", &["c/inner.rs: Thing"]);
    check("use crate::c::{self as other}; fn f() { other::Thing }", &["c/inner.rs: Thing"]);
    check("use crate::c::Renamed;", &["c/inner.rs: Other"]);
    check("pub use crate::c::Thing;", &["c/inner.rs: Thing"]);
    check("use crate::c::*; fn f() -> Thing { own() }", &["c/inner.rs: Thing", "c/mod.rs: own"]);
    check("mod m { use super::super::b::Public; }", &["b.rs: Public"]);
    check("fn f() { use crate::b::Public; }", &["b.rs: Public"]);
    check("macro_rules! m { () => { $crate::b::nested::f() } }", &["b.rs: f"]);
    check("fn f() { made!() }", &["c/inner.rs: made!"]);
    check("fn f() { crate::exported!() }", &["c/inner.rs: exported"]);
    check("fn f() { crate::c::made_by_a_macro() }", &["c/mod.rs: made_by_a_macro"]);
    check("#[cfg(test)] mod tests { use crate::c::own; } use crate::b::Public;", &["b.rs: Public"]);
    check("use crate::c; use std::fmt; fn f() -> fmt::Thing { x.own() }", &[]);
    check("// crate::b::Public\n/// [`crate::c::own`]\nfn f() { \"crate::b::Public\" }", &[]);
    check("fn f() { 0..crate::c::own(); P { ..super::b::P } }", &["b.rs: P", "c/mod.rs: own"]);
    check("pub(in crate::c) struct Thing;", &[]);
}

#[test]
fn modules_with_a_path_are_found_where_it_says() {
    let files = [
        ("src/lib.rs", "mod a;"),
        (
            "src/a/mod.rs",
            "#[cfg(x)] #[path = \"one/mod.rs\"] mod imp;
             #[cfg(not(x))] #[path = \"two.rs\"] mod imp;
             #[cfg_attr(y, path = \"four.rs\")] mod three;
             use imp::f; use three::g;",
        ),
        ("src/a/one/mod.rs", "mod below; pub(super) fn f() { below::h() }"),
        ("src/a/one/below.rs", "pub(super) fn h() {}"),
        ("src/a/two.rs", "pub(super) fn f() {}"),
        ("src/a/three.rs", "pub(super) fn g() {}"),
        ("src/a/four.rs", "pub(super) fn g() {}"),
    ];
    let of_mod = imported(&files, "src/a/mod.rs");
    assert_eq!(of_mod, ["a/four.rs: g", "a/one/mod.rs: f", "a/three.rs: g", "a/two.rs: f"]);
    assert_eq!(imported(&files, "src/a/one/mod.rs"), ["a/one/below.rs: h"]);
}
