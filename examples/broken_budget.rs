//! Holds two ways of counting words to a budget, on a real text, and shows the report of the one
//! that breaks it: `cargo run --example broken_budget`.

use std::collections::HashMap;

use mod_alloc::{Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &str = include_str!("../LICENSE");

/// Borrows each word from the text. The only allocation is the table, whose size is known.
fn count_borrowed(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::with_capacity(1_000);
    for word in text.split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

/// Makes a `String` of each word, and lets the table grow.
fn count_owned(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_string()).or_insert(0) += 1;
    }
    counts
}

fn main() {
    let budget = Budget::new().max(1).max_bytes(64 * 1024);

    match budget.check(|| count_borrowed(TEXT)) {
        Ok(counts) => println!("count_borrowed: {} words, within the budget\n", counts.len()),
        Err(exceeded) => println!("{exceeded}\n"),
    }
    match budget.check(|| count_owned(TEXT)) {
        Ok(counts) => println!("count_owned: {} words, within the budget", counts.len()),
        Err(exceeded) => println!("{exceeded}"),
    }
}
