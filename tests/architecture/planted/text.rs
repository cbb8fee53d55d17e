//! Planted lines that are too long, and files whose `unsafe` code relies on nothing.

use crate::text::{lacks_facts, long_lines};

#[test]
fn a_line_of_more_than_100_columns_is_found() {
    let line = |columns| "ü".repeat(columns) + "\n";
    assert_eq!(long_lines(&(line(100) + &line(101) + "\n" + &line(102))), [2, 4]);
    assert_eq!(long_lines(&"ü".repeat(101)), [1], "without an end of the line");
}

#[test]
fn an_address_may_be_longer() {
    let address = format!("// See https://example.org/{}\n", "a".repeat(100));
    assert_eq!(long_lines(&address), [0; 0]);
}

#[test]
fn a_row_of_a_table_may_be_longer() {
    assert_eq!(long_lines(&format!("| a | {} |\n", "b".repeat(100))), [0; 0]);
    assert_eq!(long_lines(&format!("        | {}\n", "b".repeat(100))), [1]);
}

#[test]
fn a_file_that_allows_unsafe_code_must_say_what_that_relies_on() {
    let file =
        |comment: &str| format!("//! Hot: work.\n{comment}#![allow(unsafe_code)]\nfn f() {{}}");
    assert!(!lacks_facts(&file("//!\n//! Relies on: a fact.\n")));
    assert!(!lacks_facts(&file("//!\n//! Relies on, of each block:\n//! - A fact.\n")));
    assert!(lacks_facts(&file("")));
    assert!(lacks_facts(&file("//! It relies on: a fact.\n")));
    assert!(lacks_facts(&file("//! Relies on: a fact.\n")), "no paragraph of its own");
    assert!(lacks_facts(&file("//!\n//! Relies on:\n//!\n")), "on nothing");
    assert!(lacks_facts(&file("\nuse a::b;\n//!\n//! Relies on: a fact.\n")), "not at the top");
}

#[test]
fn unsafe_code_may_be_allowed_in_several_ways() {
    for allowing in [
        "#[allow(unsafe_code)]\nfn work() {}",
        "#![allow(dead_code, unsafe_code)] // As it is.",
        "mod part {\n    #[allow(unsafe_code)]\n    fn work() {}\n}",
    ] {
        assert!(lacks_facts(&format!("//! Hot: work.\n{allowing}\n")), "{allowing}");
    }
    for other in ["#![deny(unsafe_code)]", "// #![allow(unsafe_code)]", "#[allow(dead_code)]"] {
        assert!(!lacks_facts(&format!("//! Hot: work.\n{other}\nfn work() {{}}\n")), "{other}");
    }
}
