//! Takes the examples out of the guide that are marked `ignore`, since mod-alloc itself does not
//! know the crates that they use. Here they run. The other examples run there.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by Cargo"));
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../src/guide");
    let mut modules = String::new();
    for page in PAGES {
        let path = guide.join(format!("{page}.md"));
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("a page of the guide");
        let path = out.join(format!("{page}.md"));
        fs::write(&path, with_ignored_alone(&text)).expect("written");
        modules += &format!("#[doc = include_str!({path:?})]\nmod {page} {{}}\n");
    }
    fs::write(out.join("pages.rs"), modules).expect("written");
}

/// The pages whose ignored examples run here.
const PAGES: [&str; 4] = ["harnesses", "other_allocators", "snapshots", "threads_and_tasks"];

const IGNORED: &str = "```rust,ignore";

/// The page with its ignored examples as those that run, and each other one as mere text.
fn with_ignored_alone(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix(IGNORED) {
        Some(rest) => format!("```rust{rest}"),
        None if line.starts_with("```rust") => "```text".to_owned(),
        None => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}
