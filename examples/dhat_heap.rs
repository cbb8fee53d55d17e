//! Where does a program allocate, how much, and for how long? An index of a text is made under the
//! heap profiler: `cargo run --release --features dhat-compat --example dhat_heap` writes
//! `dhat-heap.json`, for DHAT's viewer. With the crate dhat, leave out `use mod_alloc::dhat`.

use std::cmp::Reverse;
use std::collections::HashMap;

use mod_alloc::dhat;

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

const TEXT: &str = include_str!("../LICENSE");

type Index = HashMap<String, Vec<usize>>;

/// The words of a line, in lower case.
fn words(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The lines on which each word stands.
fn index(text: &str) -> Index {
    let mut index = Index::new();
    for (number, line) in text.lines().enumerate() {
        for word in words(line) {
            let lines = index.entry(word).or_default();
            if lines.last() != Some(&number) {
                lines.push(number);
            }
        }
    }
    index
}

/// The words that stand on most lines.
fn top(index: &Index, count: usize) -> String {
    let mut entries: Vec<_> = index.iter().collect();
    entries.sort_by_key(|(word, lines)| (Reverse(lines.len()), *word));
    entries.truncate(count);
    entries.iter().map(|(word, lines)| format!("{word:4} on {} lines\n", lines.len())).collect()
}

fn main() {
    let _profiler = dhat::Profiler::new_heap();

    let index = index(TEXT);
    print!("{}", top(&index, 3));
}
