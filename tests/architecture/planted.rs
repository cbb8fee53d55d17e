//! Each check finds the faults that it is there for, and takes nothing innocent for one.

use crate::circles;
use crate::hot;
use crate::imports::Imports;
use crate::modules::Crates;
use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};

const NO_THREAD_LOCAL: &str = "thread_local! that is not `const {` or not checked by `needs_drop`";

/// The faults of a hot file with this text.
fn faults(text: &str) -> Vec<String> {
    let found = hot::faults(&Source::without_tests(text));
    found.into_iter().map(|(line, what)| format!("{line}: {what}")).collect()
}

/// The imports of a crate of these files.
fn imports(files: &[(&str, &str)]) -> Imports {
    let sources: BTreeMap<String, String> =
        files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
    let mut crates = Crates::default();
    crates.add("src/lib.rs", None, &sources, false);
    assert!(crates.missing().is_empty(), "{:?}", crates.missing());
    crates.imports()
}

/// What `file` imports, as `other.rs: Names`.
fn imported(files: &[(&str, &str)], file: &str) -> Vec<String> {
    let words = |(other, names): (&String, &BTreeSet<String>)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{}: {}", other.strip_prefix("src/").expect("below"), names.join(", "))
    };
    imports(files)[file].iter().map(words).collect()
}

#[test]
fn words_that_hot_files_may_not_say_are_found() {
    for (text, found) in [
        ("fn f() { format!(\"x\"); }", "format!"),
        ("fn f() { std::println!(); }", "println!"),
        ("fn f() { write!(out, \"\"); }", "write!"),
        ("fn f() { vec![1]; }", "vec!"),
        ("fn f() { todo!() }", "todo!"),
        ("fn f() { unreachable!() }", "unreachable!"),
        ("fn f() { debug_assert!(true); }", "debug_assert!"),
        ("fn f() { assert_ne!(1, 2); }", "assert_ne!"),
        ("static LOCK: Mutex<()> = new();", "Mutex"),
        ("struct S { cell: RefCell<u8> }", "RefCell"),
        ("fn f(x: &Rc<u8>) {}", "Rc"),
        ("fn f() { String::new(); }", "String"),
        ("fn f() { x.to_string(); }", ".to_string()"),
        ("fn f() { x.iter().collect::<A>(); }", ".collect()"),
        ("fn f() { x.unwrap(); }", ".unwrap()"),
        ("fn f() { x.map(Option::unwrap); }", ".unwrap()"),
        ("fn f() { x[i] }", "x[..]"),
        ("fn f() { &self.of(x)?[a..b] }", "?[..]"),
        ("fn f() { x.of()[0] }", ")[..]"),
        ("fn f() { x.split_at(i) }", ".split_at()"),
        ("fn f() { x.copy_from_slice(y) }", ".copy_from_slice()"),
        ("fn f() { x.swap(i, j) }", ".swap(a, b)"),
        ("fn f() { x.rotate_left(i) }", ".rotate_left()"),
        ("fn f() { a / b }", "/ by what may be zero"),
        ("fn f() { a %= self.b }", "% by what may be zero"),
        ("fn f() { a / 0 }", "/ by what may be zero"),
        ("fn f() { a / ROWS.len() }", "/ by what may be zero"),
        ("thread_local! { static A: C = C::new(); }", NO_THREAD_LOCAL),
        ("thread_local! { static A: C = const { C::new() }; }", NO_THREAD_LOCAL),
        ("fn f() { const fn g() { panic!() } }", "panic!"),
        ("const fn g() { assert!(false) }", "assert!"),
        ("static F: fn() = || panic!();", "panic!"),
        ("const F: [fn(u8); 1] = [|_| panic!()];", "panic!"),
        ("fn f() { x.sort() }", ".sort()"),
        ("fn f() { panic::panic_any(1) }", ".panic_any()"),
        ("use std::env;", "std::env"),
        ("use std::sync::mpsc::channel;", "std::sync"),
        ("fn f() { std::thread::current(); }", "std::thread"),
    ] {
        assert_eq!(faults(text), [format!("1: {found}")], "{text}");
    }
}

#[test]
fn innocent_text_is_not_taken_for_a_fault() {
    for text in [
        "// format!(\"x\")",
        "/* Mutex /* nested */ unwrap() */ fn f() {}",
        "/// `x.unwrap()` panics!\nfn f() {}",
        "fn f() -> &str { \"x.unwrap() \\\" Mutex panic!()\" }",
        "fn f() -> &str { r#\"a \" Mutex\"# }",
        "fn f() -> &[u8] { b\"Mutex\" }",
        "fn f<'a>(x: &'a str) -> char { '\"' }\nfn g() -> char { '\\'' }",
        "struct SystemVec; struct StableVec; fn f(x: MutexLike, expect: u8) { expect }",
        "const _: () = assert!(size_of::<A>() == 8);",
        "#[expect(dead_code)] fn f() {}",
        "fn f() { if panic != x {} }",
        "use std::sync::atomic::{fence, AtomicU8}; fn f() { std::ptr::null() }",
        "fn f(x: &[u8], y: [u8; 2], z: &mut [u8], v: &'a [u8]) -> impl A { for a in [1] {} }",
        "struct S(pub(crate) [u8; 2]); fn f() { let [a, b] = x; return [a, b]; }",
        "#[inline] fn f() { a.swap(b, Relaxed); c.swap(&d); e.rotate_left(5); }",
        "fn f() { a / 2 + b % ROWS + c / size_of::<A>() + d / Self::ROWS; e /= 3 }",
        "const X: [u8; 2] = [Y[0], Y[1] / Z]; static A: u8 = Y[0]; const B: u8 = (1 | 2) + Y[0];",
        "thread_local! { static A: C = const { C::new() }; }
         const _: () = assert!(!needs_drop::<C>());",
    ] {
        assert_eq!(faults(text), [""; 0], "{text}");
    }
}

#[test]
fn a_reason_excuses_what_may_panic_in_the_line_below() {
    let reason = "// No panic: it is there.";
    assert_eq!(faults(&format!("fn f() {{\n{reason}\n// Indeed.\nx[i]; }}")), [""; 0]);
    let below = format!("fn f() {{\n{reason}\nx[i];\ny[i] }}");
    assert_eq!(faults(&below), ["4: y[..]"]);
    let beside = format!("fn f() {{\nx[i]; {reason}\ny[i] }}");
    assert_eq!(faults(&beside), ["2: x[..]", "3: y[..]"]);
    let idle = format!("fn f() {{\n{reason}\nx.get(i) }}");
    assert_eq!(faults(&idle), ["3: a reason, and nothing that may panic"]);
    let locks = format!("fn f() {{\n{reason}\nMutex::new(x[i]) }}");
    assert_eq!(faults(&locks), ["3: Mutex"]);
}

#[test]
fn cold_files_that_hot_ones_import_are_found() {
    let check = |hot: &str, found: &[&str]| {
        let files = [
            ("src/lib.rs", "mod hot; mod cold; mod mixed;"),
            ("src/hot.rs", hot),
            ("src/cold.rs", "pub(crate) fn report() {}"),
            (
                "src/mixed/mod.rs",
                "mod hot; mod cold; pub(crate) use hot::A; pub(crate) use cold::B;",
            ),
            ("src/mixed/hot.rs", "pub(crate) struct A;"),
            ("src/mixed/cold.rs", "pub(crate) struct B;"),
        ];
        let faults = hot::cold_imports(&imports(&files), |file| file.ends_with("hot.rs"));
        assert_eq!(faults, found, "{hot}");
    };
    let cold = "src/hot.rs is hot and imports {\"report\"} of src/cold.rs";
    check("#[cfg(test)] mod tests {} fn f() { crate::cold::report() }", &[cold]);
    check(
        "#[cfg(test)] use x::y; mod m { mod n { use super::super::super::cold::report; } }",
        &[cold],
    );
    check("use crate::{mixed::A, cold}; fn f() { cold::report() }", &[cold]);
    check("use crate::mixed::B;", &["src/hot.rs is hot and imports {\"B\"} of src/mixed/cold.rs"]);
    check(
        "#[cfg(test)] mod tests {} fn f() { crate::cold }",
        &["src/hot.rs is hot and imports {\"crate::cold\"} of src/cold.rs"],
    );
    check("use crate::mixed::A;", &[]);
    check("#[cfg(test)] mod tests { use crate::cold::report; }", &[]);
}

#[test]
fn only_the_items_under_cfg_test_are_cut() {
    for hidden in [
        "#[cfg(test)]\nmod tests { fn f() { panic!() } }\n",
        "#[cfg(test)]\nmod tests;\n",
        "#[cfg(test)]\nuse a::{b, c};\n",
        "#[cfg(test)]\n#[path = \"x.rs\"]\npub(crate) mod tests;\n",
        "#[cfg(all(test, feature = \"x\"))]\nimpl<A, B> S<A, B> { fn f() { panic!() } }\n",
        "#[cfg(test)]\npub(crate) fn f<A, B>(x: [u8; 3]) -> u8 where A: B { panic!() }\n",
        "#[cfg(test)]\nconst X: S = S { a: panic!() };\n",
        "#[cfg(test)]\nconst fn x() { panic!() }\n",
        "struct S {\n#[cfg(test)]\npub(crate) x: Mutex,\n}",
        "fn f() {\n#[cfg(test)]\nif a { panic!() } else { panic!() }\n}",
        "fn f() {\n#[cfg(test)]\nlet x = S { a: panic!() };\n}",
        "fn f() {\n#[cfg(test)]\nnote(panic!());\n}",
        "fn f() { match x {\n#[cfg(test)]\nA { .. } => panic!(),\n} }",
    ] {
        assert_eq!(faults(hidden), [""; 0], "{hidden}");
        let line = hidden.matches('\n').count() + 1;
        let after = "fn f() { mod m { mod n { fn g() { x.unwrap() } } } }";
        assert_eq!(faults(&format!("{hidden}{after}")), [format!("{line}: .unwrap()")], "{hidden}");
    }
    // What is not for tests alone stays.
    for shown in ["#[cfg(not(test))]", "#[cfg(any(test, a))]", "#[cfg(all(a, not(test)))]"] {
        assert_eq!(faults(&format!("{shown} fn f() {{ panic!() }}")), ["1: panic!"], "{shown}");
    }
    assert_eq!(faults("#![cfg(test)]\nfn f() { panic!() }"), [""; 0]);
    let within = "mod m {\n#![cfg(test)]\nfn f() { panic!() } } fn f() { x.unwrap() }";
    assert_eq!(faults(within), ["3: .unwrap()"]);
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
