//! Cold: tests of sources that are rewritten.

use super::super::refusal::Refusal;
use super::Form::{self, Attribute, Macro};
use super::{replaced, Key, Number};

/// `^` stands where the budget begins, and is no part of the source.
fn replaces(source: &str, form: Form, key: Key, old: u64, new: u64) -> Result<String, Refusal> {
    let (before, after) = source.split_once('^').expect("a place");
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().expect("there is one");
    let column = last.trim_start_matches('\u{feff}').chars().count() + 1;
    let number = Number { line: line as u32, column: column as u32, form, key, value: old };
    let replaced = replaced(&format!("{before}{after}"), &number, new)?;
    let (kept, rest) = replaced.split_at(before.len());
    assert_eq!(kept, before);
    Ok(format!("{before}^{rest}"))
}

/// From 14 to 12.
#[track_caller]
fn check(form: Form, source: &str) {
    let after = replaces(source, form, Key::Exact, 14, 12);
    assert_eq!(after.as_deref(), Ok(&*source.replace("14", "12")), "{source}");
    let of_max = source.replace("exact", "max");
    let after = replaces(&of_max, form, Key::Max, 14, 12);
    assert_eq!(after.as_deref(), Ok(&*of_max.replace("14", "12")), "{of_max}");
}

#[test]
fn the_number_is_found_in_each_form() {
    for source in [
        "^#[alloc_budget(exact = 14)]\nfn f() {}\n",
        "    ^#[mod_alloc::alloc_budget(exact=14)] fn f() {}",
        "^#[::mod_alloc :: alloc_budget (max_bytes = f(1, 2), /* exact = 13 */ exact = 14, )]",
        "#[cfg_attr(test, ^alloc_budget(exact = 14, runs = 3))]\nfn f() {}",
        "\u{feff}^#[alloc_budget(exact = 14)]\r\nfn f() {}\r\n",
        "// \u{e9}\u{1f980}\r\n\r\n/* \u{e9} */ ^#[alloc_budget{\r\n exact = 14u8 // \"\r\n}]\r\n",
        "^#[alloc_budget(allow = [\"a\", \"b\"], exact = 14_u64, min = 1)]",
        "^#[alloc_budget(crate = a::b, exact = 14)]",
    ] {
        check(Attribute, source);
    }
    for source in [
        "let \u{e9} = '\"'; ^assert_allocs!(exact = 14, { work() });",
        "^mod_alloc::assert_allocs! {\n\texact = 14,\n\t{ work() }\n}",
        "^assert_allocs![exact = 14, work(13, 5), \"exact = {n}\", n = 3];",
        "f(1, ^assert_allocs!(max_bytes = [1, 2][0], exact = 14, { assert_allocs!(max = 3, {}) }))",
    ] {
        check(Macro, source);
    }
}

#[test]
fn the_style_of_the_number_is_kept() {
    let check = |old: &str, value, new, expected: &str| {
        let source = |number: &str| format!("^#[alloc_budget(exact = {number})]");
        let after = replaces(&source(old), Attribute, Key::Exact, value, new);
        assert_eq!(after.as_deref(), Ok(&*source(expected)));
    };
    check("14", 14, 12_345, "12345");
    check("1_000", 1_000, 12_345, "12_345");
    check("1_000_u32", 1_000, 7, "7_u32");
    check("1000usize", 1_000, 1_234, "1234usize");
    check("007", 7, 8, "8");
    check("12", 14, 12, "12"); // It is that already.
}

#[test]
fn what_is_no_literal_of_this_budget_is_left_alone() {
    let check = |form, source: &str, words: &str| match replaces(source, form, Key::Exact, 14, 300)
    {
        Err(Refusal::LeftAlone(why)) => assert!(why.contains(words), "{source}: {why}"),
        other => panic!("{source}: {other:?}"),
    };
    let of_value = |value| format!("^#[alloc_budget(exact = {value})]");
    for value in ["N", "7 + 7", "14 + 0", "(14)", "f(14)", "$n", "-14", ""] {
        check(Attribute, &of_value(value), "is no literal");
    }
    for value in ["0xe", "0b1110", "14.0", "14e0", "14f64", "\"14\"", "'1'", "99999999999999999999"]
    {
        check(Attribute, &of_value(value), "no decimal number");
    }
    for value in ["14u8", "14_i8"] {
        check(Attribute, &of_value(value), "into its type");
    }
    for source in [
        "^tests!(exact = 14);",
        "^assert_allocs!(exact = 14, {})",
        "^#[test] #[alloc_budget(exact = 14)]",
        "#[alloc_budget(exact = 14)] mod tests { #[test] fn ^works() {} }",
        "#[test] ^fn alloc_budget(exact: u8) {}",
        "^#[alloc_budget]",
        "^#[alloc_budget(exact = 14",
    ] {
        check(Attribute, source, "a macro has made it");
    }
    check(Macro, "^my::checks!(assert_allocs!(exact = 14, {}))", "a macro has made it");
    check(Macro, "^#[alloc_budget(exact = 14)] fn f() {}", "a macro has made it");
}

#[test]
fn a_source_that_has_changed_is_an_error() {
    let check = |form, source: &str| match replaces(source, form, Key::Exact, 14, 12) {
        Err(Refusal::Error(why)) => assert!(why.contains("build it again"), "{source}: {why}"),
        other => panic!("{source}: {other:?}"),
    };
    for source in [
        "^#[alloc_budget(exact = 13)]",
        "^#[alloc_budget(max = 14)]",
        "^#[alloc_budget(max_bytes = 14)]",
        "\"^#[alloc_budget(exact = 14)]\"",
        "/* ^#[alloc_budget(exact = 14)] */",
        "#[alloc^_budget(exact = 14)]",
        "^",
        "^\n#[alloc_budget(exact = 14)]",
        "fn f() {}    ^",
    ] {
        check(Attribute, source);
    }
    for source in [
        "a^ssert_allocs!(exact = 14, {})",
        "^assert_allocs!({}, exact = 14)",
        "^assert_allocs!(max = 1, {}, \"{exact}\", exact = 14)",
        "^assert_allocs!(max = 1, { exact = 14 })",
    ] {
        check(Macro, source);
    }
    let number = Number { line: 9, column: 1, form: Macro, key: Key::Exact, value: 14 };
    for (line, column) in [(9, 1), (1, 99), (0, 1), (1, 0)] {
        let number = Number { line, column, ..number };
        assert!(matches!(replaced("x\n", &number, 12), Err(Refusal::Error(_))), "{line}:{column}");
    }
}
