//! A budget whose limit is what was recorded last: `cargo run --example recorded_budget`. The
//! record is `alloc_budgets/recorded_budget/words.txt`. Another text takes other allocations, and
//! the report says what changed:
//!
//! ```sh
//! cargo run --example recorded_budget -- "to be or not to be"
//! MOD_ALLOC_UPDATE=1 cargo run --example recorded_budget -- "to be or not to be" # accepts it
//! git checkout alloc_budgets # takes it back
//! ```

use mod_alloc::{Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::with_capacity(4);
    for word in text.split(' ') {
        words.push(capitalised(word));
    }
    words
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn main() {
    let text = std::env::args().nth(1).unwrap_or_else(|| "to be or not".to_owned());
    match Budget::new().recorded("words").check(|| words(&text)) {
        Ok(words) => println!("{words:?}, as recorded"),
        Err(exceeded) => {
            println!("{exceeded}");
            std::process::exit(1);
        }
    }
}
