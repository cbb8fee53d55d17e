//! One of the 40 modules: functions that allocate as those of any program do.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::hint::black_box;

/// Without random keys, so that every run is the same.
type Hasher = BuildHasherDefault<DefaultHasher>;

/// The number in the module's name.
const NUMBER: usize = {
    let path = module_path!().as_bytes();
    (path[path.len() - 2] - b'0') as usize * 10 + (path[path.len() - 1] - b'0') as usize
};

struct Node {
    value: usize,
    next: Option<Box<Node>>,
}

pub(super) fn call_all() {
    let numbers = numbers(black_box(NUMBER));
    let words = words(&numbers);
    black_box(lengths(&words));
    black_box(by_word(&words));
    black_box(joined(&words));
    black_box(sum(chain(&numbers)));
}

fn numbers(count: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    for i in 0..count + 3 {
        numbers.push(i * NUMBER);
    }
    numbers
}

fn words(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("{NUMBER}: {number:04}")).collect()
}

fn lengths(words: &[String]) -> BTreeMap<usize, Vec<&str>> {
    let mut lengths = BTreeMap::<_, Vec<_>>::new();
    for word in words {
        lengths.entry(word.len() + NUMBER).or_default().push(word.as_str());
    }
    lengths
}

fn by_word(words: &[String]) -> HashMap<String, usize, Hasher> {
    words.iter().enumerate().map(|(at, word)| (word.clone(), at ^ NUMBER)).collect()
}

fn joined(words: &[String]) -> Box<str> {
    let mut text = String::new();
    for word in words {
        text.push_str(word);
        text.push(char::from(b'A' + NUMBER as u8));
    }
    text.into_boxed_str()
}

fn chain(numbers: &[usize]) -> Option<Box<Node>> {
    numbers.iter().fold(None, |next, number| Some(Box::new(Node { value: number + NUMBER, next })))
}

fn sum(mut chain: Option<Box<Node>>) -> usize {
    let mut sum = 0;
    while let Some(node) = chain {
        sum += node.value;
        chain = node.next;
    }
    sum
}
