//! What the programs do. Reports show lines of this file, so it changes rarely.

use std::hint::black_box;

#[inline(never)]
fn tokens(count: usize) {
    for _ in 0..count {
        drop(black_box(vec![1_u8; black_box(3)]));
    }
    black_box(()); // The loop is no tail call.
}

#[inline(never)]
fn label() {
    drop(black_box(vec![1_u8; black_box(5)]));
    black_box(());
}

#[inline(never)]
fn page(labels: usize) {
    for _ in 0..labels {
        label();
    }
    black_box(());
}

/// Allocates for each token and each label. These may be those of a page.
#[inline(never)]
pub(crate) fn parse(count: usize, labels: usize, is_page: bool) {
    tokens(count);
    if is_page {
        page(labels);
    } else {
        (0..labels).for_each(|_| label());
    }
    black_box(());
}
