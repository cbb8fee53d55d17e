//! Which callers make a function slow? Counts the steps of a search under the ad hoc profiler, by
//! who called it: `cargo run --release --features dhat-compat --example dhat_ad_hoc` writes
//! `dhat-ad-hoc.json`, for DHAT's viewer (`dh_view.html`, a part of Valgrind). No allocator need be
//! installed, and an event may weigh whatever you like.

use mod_alloc::dhat;

const TEXT: &str = include_str!("../LICENSE");

/// How often each word was added.
#[derive(Default)]
struct Words<'a> {
    counts: Vec<(&'a str, usize)>,
}

impl<'a> Words<'a> {
    /// Looks at one word after the other.
    fn find(&self, word: &str) -> Option<usize> {
        let found = self.counts.iter().position(|(known, _)| *known == word);
        dhat::ad_hoc_event(found.map_or(self.counts.len(), |index| index + 1));
        found
    }

    fn add(&mut self, word: &'a str) {
        match self.find(word) {
            Some(index) => self.counts[index].1 += 1,
            None => self.counts.push((word, 1)),
        }
    }

    fn count(&self, word: &str) -> usize {
        self.find(word).map_or(0, |index| self.counts[index].1)
    }
}

fn main() {
    let _profiler = dhat::Profiler::new_ad_hoc();

    let mut words = Words::default();
    for word in TEXT.split_whitespace() {
        words.add(word);
    }
    for word in ["License", "Contributor", "allocation"] {
        println!("{word:12} {}", words.count(word));
    }
}
