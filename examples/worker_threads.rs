//! Holds a function and the threads that it starts to one budget:
//! `cargo run --example worker_threads`. It looks for the longest line of a text on two threads, in
//! two ways. The second one copies the lines first.

use std::thread;

use mod_alloc::{AllocScope, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &str = include_str!("../LICENSE");

fn longest(text: &str) -> &str {
    text.lines().max_by_key(|line| line.len()).unwrap_or_default()
}

fn longest_of_copies(text: &str) -> &str {
    let copies: Vec<String> = text.lines().map(str::to_string).collect();
    let position = (0..copies.len()).max_by_key(|&line| copies[line].len());
    position.and_then(|line| text.lines().nth(line)).unwrap_or_default()
}

/// Runs `find` on both halves of the text at once. What it allocates on these threads counts for
/// whoever counts here.
fn on_two_threads<'a>(text: &'a str, find: fn(&'a str) -> &'a str) -> &'a str {
    let (first, second) = text.split_at(text.len() / 2);
    let scope = AllocScope::current().expect("a budget, or another scope");
    thread::scope(|threads| {
        let other = threads.spawn(scope.wrap(|| find(second)));
        let lines = [scope.run(|| find(first)), other.join().expect("no panic")];
        lines.into_iter().max_by_key(|line| line.len()).unwrap_or_default()
    })
}

fn main() {
    // Starting a thread takes the standard library a few allocations.
    let budget = Budget::new().max(20);

    for find in [longest, longest_of_copies] {
        match budget.check(|| on_two_threads(TEXT, find)) {
            Ok(line) => println!("within the budget: {:?}\n", line.trim()),
            Err(exceeded) => println!("{exceeded}"),
        }
    }
}
