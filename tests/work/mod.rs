//! What the functions of `tests/report.rs` do. In a file of its own, as its lines are in the snapshots.

use std::hint::black_box;

use mod_alloc::alloc_budget;

pub(crate) fn allocate(sizes: &[usize]) {
    for &size in sizes {
        drop(black_box(Vec::<u8>::with_capacity(size)));
    }
}

/// More pushes than a first block of 4 has room for.
#[alloc_budget(max = 2)]
pub(crate) fn collects_squares() {
    let mut squares = Vec::new();
    for n in 0..100_u64 {
        squares.push(n * n);
    }
    black_box(&squares);
}

/// Few allocations, of too many bytes in all: the largest come first.
#[alloc_budget(max = 10, max_bytes = 1_000)]
pub(crate) fn keeps_copies() {
    let names: Vec<String> = ["a", "b", "c", "d"].iter().map(|name| label(name)).collect();
    let page = black_box(vec![0_u8; 4_096]);
    black_box((&names, &page));
}

fn label(name: &str) -> String {
    let label = name.to_owned();
    black_box(label)
}

/// A different line each.
#[alloc_budget(exact = 0)]
pub(crate) fn allocates_at_many_lines() {
    allocate(&[1; 9]);
    allocate(&[2; 8]);
    allocate(&[3; 7]);
    black_box(label("first"));
    black_box(vec![4_u8; 4]);
    black_box("text".to_owned());
    black_box([1, 2].map(|size| allocate(&[size])));
    black_box(label("second"));
}

/// Recursion, and a call through a closure.
#[alloc_budget(max_reallocs = 0)]
pub(crate) fn joins_nested_lists() {
    let mut text = String::new();
    join(&mut text, 3, &|text, depth| text.push_str(&"[]"[..1 + depth % 2]));
    black_box(&text);
}

fn join(text: &mut String, depth: usize, part: &dyn Fn(&mut String, usize)) {
    for n in 0..depth * 4 {
        part(text, n);
    }
    if depth > 0 {
        join(text, depth - 1, part);
    }
    black_box(&text);
}
