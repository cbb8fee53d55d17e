//! Documents that name files which are not there.

use crate::documents::{missing, names};
use std::path::Path;

#[test]
fn code_and_links_are_looked_at() {
    let text = "See `src/lib.rs`, `src/nowhere.rs`, [here](README.md#x) and [there](GONE.md).\n\
                `cargo run` is no file, `src/walk/TARGET/` is several; [out](https://example.org).";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(missing(root, text), ["src/nowhere.rs", "GONE.md"]);
    assert_eq!(names(text).len(), 5);
}
