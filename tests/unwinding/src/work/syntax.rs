//! syn: parses a real file.

use std::hint::black_box;

pub(crate) fn work() {
    let source = include_str!("../../../../src/walk/x86_64/rule.rs");
    let file = syn::parse_file(source).expect("it compiles");
    assert!(file.items.len() > 5);
    black_box(file.clone());
    assert!(syn::parse_file(&source[..source.len() / 2]).is_err());
}
