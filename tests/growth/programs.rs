//! Programs, each with the least order that holds one of its numbers.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::OnceLock;

use mod_alloc::{Growth, Order};

pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The least order of each number, as a setter and its word in the report.
    pub(crate) limits: &'static [(Setter, Order)],
    pub(crate) set_up: fn(usize) -> Box<dyn FnOnce()>,
}

pub(crate) type Setter = for<'a> fn(Growth<'a>, Order) -> Growth<'a>;

use Order::{Constant, Linear, Linearithmic, Logarithmic, Quadratic};

macro_rules! programs {
    ($($name:literal [$($key:ident $least:ident),*] |$n:ident| $work:expr;)*) => {
        pub(crate) const PROGRAMS: &[Program] = &[$(
            Program {
                name: $name,
                limits: &[$((|growth, order| growth.$key(order), $least)),*],
                set_up: |$n| $work,
            },
        )*];
    };
}

fn run<R>(work: impl FnOnce() -> R + 'static) -> Box<dyn FnOnce()> {
    Box::new(|| drop(black_box(work())))
}

// In the order of the report.
programs! {
    "nothing" [max Constant, max_bytes Constant] |_n| run(|| ());
    "one block of n bytes" [max Constant, max_bytes Linear, max_block_bytes Linear] |n| {
        run(move || vec![1_u8; n])
    };
    "10,000 blocks" [max Constant, max_bytes Constant, max_block_bytes Constant] |_n| {
        run(|| boxes(10_000))
    };
    "10,000 blocks and log n" [max Logarithmic, max_bytes Logarithmic] |n| run(move || {
        boxes(10_000 + log2(n))
    });
    "10,000 + log n bytes" [max Constant, max_bytes Logarithmic] |n| run(move || {
        vec![1_u8; 10_000 + log2(n)]
    });
    "10,000 + n bytes" [max Constant, max_bytes Linear] |n| run(move || vec![1_u8; 10_000 + n]);
    "1,000 blocks and n" [max Linear, max_bytes Linear] |n| run(move || boxes(1_000 + n));
    "a Vec that doubles" [
        max Logarithmic, max_bytes Linear, max_peak_bytes Linear, max_block_bytes Linear,
        max_reallocs Logarithmic
    ] |n| run(move || pushed(n));
    "1,000 blocks and a Vec that doubles" [max Logarithmic, max_bytes Linear] |n| run(move || {
        (boxes(1_000), pushed(n))
    });
    "a String that doubles" [max Logarithmic, max_bytes Linear] |n| run(move || {
        (0..n / 3).fold(String::new(), |text, _| text + "abc")
    });
    "a BTreeMap" [max Linear, max_bytes Linear, max_peak_bytes Linear] |n| run(move || {
        (0..n as u64).map(|n| (n, n)).collect::<BTreeMap<_, _>>()
    });
    "a BTreeMap, one by one" [max Linear, max_bytes Linear, max_peak_bytes Linear] |n| run(move || {
        tree(n)
    });
    "a HashMap that grows" [max Logarithmic, max_bytes Linear, max_peak_bytes Linear] |n| {
        run(move || table(n))
    };
    "s = s + x" [
        max Linear, max_bytes Quadratic, max_peak_bytes Linear, max_block_bytes Linear
    ] |n| run(move || {
        appended(n)
    });
    "merging" [max Linear, max_bytes Linearithmic] |n| run(move || merged(&scrambled(n)));
    "blocks of 1 to n bytes" [max Linear, max_bytes Quadratic] |n| run(move || {
        (1..n).for_each(|n| drop(black_box(Vec::<u8>::with_capacity(n))))
    });
    "words" [max Linear, max_bytes Linear, max_retained Constant] |n| {
        let text = words(n);
        run(move || drop(owned(&text)))
    };
    "leaked words" [max Linear, max_bytes Linear, max_retained Linear] |n| {
        let text = words(n);
        run(move || std::mem::forget(owned(&text)))
    };
    "a pool that fills once" [max Constant, max_bytes Constant] |n| run(move || pooled(n));
    "what is set up once" [max Constant, max_bytes Constant] |_n| run(|| {
        static TABLE: OnceLock<Vec<u32>> = OnceLock::new();
        TABLE.get_or_init(|| pushed(1_000)).len()
    });
    "up to 300 blocks" [max Constant, max_bytes Constant] |n| run(move || boxes(n.min(300)));
    "5 blocks, plus or minus one" [max Constant] |n| run(move || boxes(5 + noise(n) % 3));
    "10,000 bytes, plus or minus 50" [max Constant, max_bytes Constant] |n| run(move || {
        vec![1_u8; 9_950 + noise(n) % 100]
    });
    "n blocks, plus or minus one" [max Linear] |n| run(move || boxes(n + noise(n) % 3));
    "a Vec that doubles, plus or minus one block" [max_bytes Linear] |n| run(move || {
        (pushed(n), boxes(noise(n) % 3))
    });
    "fewer and fewer" [max Constant, max_bytes Constant] |n| run(move || boxes(100_000 / n));
}

fn log2(n: usize) -> usize {
    n.ilog2() as usize
}

/// A number that looks like chance, the same in every run.
fn noise(n: usize) -> usize {
    (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) as usize % 1_009
}

fn boxes(count: usize) {
    for n in 0..count {
        drop(black_box(Box::new(n as u64)));
    }
}

fn pushed(count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    for n in 0..count {
        black_box(&mut numbers).push(n as u32);
    }
    numbers
}

fn tree(n: usize) -> BTreeMap<usize, usize> {
    let mut tree = BTreeMap::new();
    for n in 0..n {
        tree.insert(noise(n) + 1_009 * n, n);
    }
    tree
}

fn table(n: usize) -> HashMap<usize, usize> {
    let mut table = HashMap::new();
    for n in 0..n {
        table.insert(n, n);
    }
    table
}

fn appended(n: usize) -> String {
    let mut text = String::new();
    for _ in 0..n {
        text = [&text, "x"].concat();
    }
    text
}

fn scrambled(n: usize) -> Vec<u32> {
    (0..n).map(|n| noise(n) as u32).collect()
}

fn merged(numbers: &[u32]) -> Vec<u32> {
    if numbers.len() < 2 {
        return numbers.to_vec();
    }
    let (left, right) = numbers.split_at(numbers.len() / 2);
    let (left, right) = (merged(left), merged(right));
    let mut all = Vec::with_capacity(numbers.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if a <= b => left.next(),
            (_, Some(_)) => right.next(),
            _ => left.next(),
        };
        match next {
            Some(number) => all.push(number),
            None => return all,
        }
    }
}

/// Some words in about `n` bytes.
fn words(n: usize) -> String {
    let mut text = String::new();
    let mut at = 0;
    while text.len() < n {
        text.push_str(&"abcdefghij"[..1 + noise(at) % 9]);
        text.push(' ');
        at += 1;
    }
    text
}

fn owned(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

thread_local! {
    static POOL: RefCell<Vec<Rc<[u8; 100]>>> = const { RefCell::new(Vec::new()) };
}

/// Takes blocks out of a pool, and gives them back.
fn pooled(n: usize) {
    let mut taken = POOL.with(|pool| std::mem::take(&mut *pool.borrow_mut()));
    while taken.len() < n {
        taken.push(Rc::new([1; 100]));
    }
    POOL.with(|pool| *pool.borrow_mut() = taken);
}
