//! Links that lead nowhere.

use crate::links::faults;
use std::collections::BTreeMap;

fn check(text: &str, expected: &[&str]) {
    let documents = [("guide/page.md", text), ("TOP.md", "# One two: `three`\n```\n# Code\n```\n")];
    let documents: BTreeMap<String, String> =
        documents.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let found = faults("guide/page.md", &documents, |file| {
        documents.contains_key(file) || file == "guide/a/b.rs"
    });
    assert_eq!(found, expected, "{text}");
}

#[test]
fn what_is_there_is_no_fault() {
    check("# A\n[a](#a) [b](a/b.rs) [c](../TOP.md) [d](../TOP.md#one-two-three)", &[]);
    check("[a\nlink](../TOP.md) [out](https://example.org/x#y)\n", &[]);
    check("To [Top].\n\n[Top]: ../TOP.md#one-two-three\n", &[]);
    check("## [Unreleased]\n\n    #[path = \"code.rs\"]\n", &[]);
    check("`[code](x.md)` and `[code]`\n```\n[code](x.md)\n#[attribute]\n```\n", &[]);
}

#[test]
fn what_is_not_there_is_found() {
    check("[a](b.rs)", &["guide/page.md: there is no guide/b.rs"]);
    check("[a\nlink](TOP.md#x)", &["guide/page.md: there is no guide/TOP.md"]);
    check("[a](#b)\n# C", &["guide/page.md: guide/page.md has no heading #b"]);
    check("[a](../TOP.md#code)", &["guide/page.md: TOP.md has no heading #code"]);
    check("[Top]\n\n[Top]: TOP.md", &["guide/page.md: there is no guide/TOP.md"]);
    check("See [Top].", &["guide/page.md: the label [Top] is not defined"]);
    check("[Top]: ../TOP.md", &["guide/page.md: nothing links to the label [Top]"]);
}
