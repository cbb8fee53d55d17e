//! The collections of the standard library.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::{self, Display};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

pub(crate) fn work() {
    for round in 0..6 {
        maps(round);
        texts(round);
        pointers(round);
        iterators(round);
    }
}

fn maps(round: u64) {
    let mut hashed = HashMap::new();
    let mut sorted = BTreeMap::new();
    for n in 0..600 {
        let key = n * 7919 % 1009 + round;
        hashed.entry(key).or_insert_with(Vec::new).push(n.to_string());
        sorted.entry(format!("{key:>8}")).or_insert_with(|| vec![n; 3]).push(key);
    }
    sorted.retain(|key, _| !key.ends_with('3'));
    let merged: BTreeMap<_, _> = hashed.into_iter().filter(|(key, _)| key % 2 == 0).collect();
    black_box((merged.clone(), sorted.clone()));
}

struct Nested<'a>(&'a dyn Display, u32);

impl Display for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            0 => self.0.fmt(f),
            depth => write!(f, "({:>5})", format!("{}", Nested(self.0, depth - 1))),
        }
    }
}

fn texts(round: u64) {
    let mut text = String::new();
    for n in 0..60 {
        let nested = Nested(&n, n % 24).to_string();
        text = [text.as_str(), &nested, &format!("{:?}", (n, round, "text", Some(1.5)))].concat();
        text.truncate(400);
    }
    black_box(text.split(' ').map(str::to_uppercase).collect::<Vec<_>>().join("-"));
}

enum List {
    End,
    Item(Box<List>, Rc<str>),
}

impl Clone for List {
    fn clone(&self) -> Self {
        match self {
            Self::End => Self::End,
            Self::Item(next, text) => Self::Item(next.clone(), text.as_ref().into()),
        }
    }
}

fn pointers(round: u64) {
    let mut list = List::End;
    for n in 0..80 + round {
        list = List::Item(Box::new(list), n.to_string().into());
    }
    // The calls are as deep as the list is long, and so are those when it is dropped.
    black_box(list.clone());
    type Make = dyn Fn(u64) -> Arc<[u64]>;
    let make = |n: u64| -> Box<Make> { Box::new(move |m: u64| (0..n + m).collect()) };
    let boxed: Vec<Box<Make>> = (0..20).map(make).collect();
    black_box(boxed.iter().map(|function| function(round)).collect::<VecDeque<_>>());
}

fn iterators(round: u64) {
    let nested: Vec<Vec<u64>> =
        (0..40).map(|n| (0..n).filter(|m| m % 3 != round % 3).collect()).collect();
    let flat = nested.iter().flatten().zip(nested.iter().rev().flatten());
    let words: Vec<_> = flat.step_by(7).map(|(a, b)| format!("{a}{b}")).collect();
    black_box(words.chunks(3).map(<[String]>::concat).fold(String::new(), |sum, word| sum + &word));
}
