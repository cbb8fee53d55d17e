//! What hot code may not do is found, and nothing else is.

use super::imports;
use crate::hot;
use crate::source::Source;

const NO_THREAD_LOCAL: &str = "thread_local! that is not `const {` or not checked by `needs_drop`";

/// The faults of a hot file with this text.
fn faults(text: &str) -> Vec<String> {
    let found = hot::faults(&Source::without_tests(text));
    found.into_iter().map(|(line, what)| format!("{line}: {what}")).collect()
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
