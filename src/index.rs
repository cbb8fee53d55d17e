//! Cold: `Index`, which tells where in a list is what a word stands for: an address, or a hash; and
//! `WordMap`, with such a list. It is a hash table by hand: std's takes ten times as long in debug
//! builds, and reports ask for each address of each stack.

/// Open addressing.
#[derive(Default)]
pub(crate) struct Index {
    /// A word, and its place plus one, which is 0 where there is none. A power of two long, at most
    /// half full.
    entries: Vec<(usize, usize)>,
    used: usize,
}

impl Index {
    pub(crate) const EMPTY: Self = Self { entries: Vec::new(), used: 0 };

    /// How many words have a place.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// The place of a word.
    pub(crate) fn find(&self, word: usize) -> Option<usize> {
        let entries = self.entries.as_slice();
        let mut at = start(word);
        while !entries.is_empty() {
            let (known, place) = entries[at & (entries.len() - 1)];
            if place == 0 {
                break;
            }
            if known == word {
                return Some(place - 1);
            }
            at = at.wrapping_add(1);
        }
        None
    }

    /// The place of a word. If it has none, it gets this one, and the answer is `None`.
    pub(crate) fn find_or_insert(&mut self, word: usize, place: usize) -> Option<usize> {
        let known = self.find(word);
        if known.is_none() {
            if 2 * (self.used + 1) > self.entries.len() {
                self.grow();
            }
            self.insert(word, place + 1);
            self.used += 1;
        }
        known
    }

    /// The same of something that is not a word: its place, by its hash. Whether it is what stands
    /// at a place, `is_it` says: others may have the same hash.
    pub(crate) fn find_or_insert_hashed(
        &mut self,
        mut hash: usize,
        place: usize,
        is_it: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        loop {
            let known = self.find_or_insert(hash, place)?;
            if is_it(known) {
                return Some(known);
            }
            hash = hash.wrapping_add(1);
        }
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); (2 * self.entries.len()).max(64)];
        for (word, place) in std::mem::replace(&mut self.entries, larger) {
            if place > 0 {
                self.insert(word, place);
            }
        }
    }

    fn insert(&mut self, word: usize, place: usize) {
        let entries = self.entries.as_mut_slice();
        let mut at = start(word);
        while entries[at & (entries.len() - 1)].1 > 0 {
            at = at.wrapping_add(1);
        }
        entries[at & (entries.len() - 1)] = (word, place);
    }
}

/// Values of words.
pub(crate) struct WordMap<T> {
    places: Index,
    /// In the order in which they were inserted.
    values: Vec<T>,
}

impl<T> WordMap<T> {
    pub(crate) const EMPTY: Self = Self { places: Index::EMPTY, values: Vec::new() };

    pub(crate) fn get(&self, word: usize) -> Option<&T> {
        self.values.get(self.places.find(word)?)
    }

    /// The value of a word. If it has none, it gets this one.
    pub(crate) fn get_or_insert(&mut self, word: usize, value: T) -> &mut T {
        let next = self.values.len();
        let place = self.places.find_or_insert(word, next).unwrap_or_else(|| {
            self.values.push(value);
            next
        });
        &mut self.values[place]
    }
}

/// The hash of what begins so and goes on with this word.
pub(crate) fn hash(before: usize, word: usize) -> usize {
    (before.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize)
}

pub(crate) fn hash_of_numbers(numbers: &[u32]) -> usize {
    let mut hashed = 0;
    for number in numbers {
        hashed = hash(hashed, *number as usize);
    }
    hashed
}

pub(crate) fn hash_of_text(text: &str) -> usize {
    let mut hashed = 0;
    for byte in text.as_bytes() {
        hashed = hash(hashed, usize::from(*byte));
    }
    hashed
}

/// Where the search begins. The upper bits of the product depend on all bits of the word.
fn start(word: usize) -> usize {
    let mixed = (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::{start, Index};

    #[test]
    fn each_word_keeps_its_first_place() {
        let mut index = Index::default();
        assert_eq!(index.find(0), None);
        let words = || (0..1_000_usize).map(|n| n.wrapping_mul(usize::MAX / 7));
        for (place, word) in words().enumerate() {
            assert_eq!(index.find_or_insert(word, place), None);
            assert_eq!(index.find_or_insert(word, place + 1), Some(place));
        }
        for (place, word) in words().enumerate() {
            assert_eq!(index.find(word), Some(place));
        }
        assert_eq!(index.find(1), None);
    }

    #[test]
    fn words_that_begin_at_one_entry_are_told_apart() {
        let mut index = Index::default();
        let same: Vec<usize> = (0..).filter(|&word| start(word) & 63 == 63).take(20).collect();
        for (place, word) in same.iter().enumerate() {
            assert_eq!(index.find_or_insert(*word, place), None);
        }
        let places: Vec<_> = same.iter().filter_map(|word| index.find(*word)).collect();
        assert_eq!(places, (0..20).collect::<Vec<_>>());
    }
}
