//! regex: compiles expressions, and matches them.

use std::hint::black_box;

use regex::{Captures, Regex};

const PATTERNS: [&str; 7] = [
    r"^(\d{4})-(\d\d)-(\d\d)$",
    r"(?i)(?P<word>[a-z]+(?:ing|ed))\b",
    r"\p{Lu}\w*|\p{Nd}+",
    r"(?:(a|ab)(c|bcd)(d*)){1,3}",
    r"[^\s]+@[^\s]+\.(?:com|org|net)",
    r"//[!/]?.*$|/\*(?s:.)*?\*/",
    r"(x+x+)+y",
];

pub(crate) fn work() {
    let text = include_str!("../../../../src/walk/x86_64/rule.rs");
    for pattern in PATTERNS {
        let regex = Regex::new(pattern).expect("a pattern");
        for line in text.lines().take(60) {
            let found: Vec<_> = regex.captures_iter(line).collect();
            let longer = |found: &Captures<'_>| format!("<{}>", &found[0]);
            black_box((found, regex.replace_all(line, longer)));
        }
    }
    assert!(Regex::new(black_box("(unclosed")).is_err());
}
