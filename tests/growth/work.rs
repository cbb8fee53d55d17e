//! The code that `reports` measures: its lines are in the snapshots.

use std::hint::black_box;

/// The values of `key=value` lines.
pub(crate) fn values(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| Some(line.split_once('=')?.1.to_owned())).collect()
}

/// The same in one text. Each line copies all that was before.
pub(crate) fn joined(text: &str) -> String {
    let mut all = String::new();
    for value in values(text) {
        all = [&all, value.as_str(), ";"].concat();
    }
    all
}

pub(crate) fn lines(n: usize) -> String {
    "key=value\n".repeat(n)
}

pub(crate) fn cubed(n: usize) {
    drop(black_box(Vec::<u8>::with_capacity(n * n * n)));
}

/// Each time that the size doubles, one of the three allocates once more.
pub(crate) fn in_turn(n: usize) {
    let doublings = n.ilog2() - 6;
    for _ in 0..doublings / 3 {
        drop(black_box(Box::new(1)));
    }
    for _ in 0..(doublings + 4) / 3 {
        drop(black_box(Box::new(2)));
    }
    for _ in 0..(doublings + 5) / 3 {
        drop(black_box(Box::new(3)));
    }
}

pub(crate) fn few(n: usize) {
    for _ in 0..n / 200 {
        drop(black_box(Box::new(n)));
    }
}
