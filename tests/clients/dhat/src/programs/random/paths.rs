//! The paths a slot can take. They are not inlined and no two have the same body, so that none of
//! them is merged with another.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hint::black_box;
use std::mem;
use std::panic;
use std::sync::Arc;

use super::block::{Block, Raw};
use super::generator::{Generator, Path};

pub(super) const PATHS: [Path; 30] = [
    bytes,
    collected,
    extended,
    formatted,
    repeated,
    lines,
    joined,
    boxed,
    slice,
    shared,
    map,
    tree,
    queue,
    closure,
    raw,
    panicked,
    sorted,
    cloned,
    grow,
    grow_exactly,
    grow_by_one,
    shrink,
    shrink_to,
    resize,
    take,
    consume,
    release,
    resize_to_the_same,
    raw_zeroed,
    zeroed_bytes,
];

/// How many of them do not ask for zeroed memory. For that, dhat has one function more on the
/// stack, which takes the place of another one if the number of frames is limited.
pub(super) const NOT_ZEROED: usize = PATHS.len() - 3;

impl Generator {
    /// One of two functions that call each other at random. They make backtraces of many kinds.
    pub(super) fn left_or_right(&mut self) -> fn(usize, Path, &mut Block, &mut Generator) {
        [left, right][self.below(2)]
    }
}

#[inline(never)]
fn left(depth: usize, path: Path, slot: &mut Block, generator: &mut Generator) {
    if depth == 0 {
        path(slot, generator);
    } else {
        generator.left_or_right()(depth - 1, path, slot, generator);
    }
    black_box("left");
}

#[inline(never)]
fn right(depth: usize, path: Path, slot: &mut Block, generator: &mut Generator) {
    match depth {
        0 => path(slot, generator),
        1 => left(0, path, slot, generator),
        _ => generator.left_or_right()(depth - 2, path, slot, generator),
    }
    black_box(b"right");
}

// These allocate. The block that was in the slot is freed afterwards.

#[inline(never)]
fn bytes(slot: &mut Block, generator: &mut Generator) {
    *slot = Block::Bytes(black_box(Vec::with_capacity(generator.size())));
}

#[inline(never)]
fn zeroed_bytes(slot: &mut Block, generator: &mut Generator) {
    let bytes = vec![0; generator.size()];
    *slot = black_box(Block::Bytes(bytes));
}

#[inline(never)]
fn collected(slot: &mut Block, generator: &mut Generator) {
    let end = generator.size() as u64;
    *slot = Block::Numbers(black_box(0..end).filter(|number| number % 3 == 0).collect());
}

#[inline(never)]
fn extended(slot: &mut Block, generator: &mut Generator) {
    let mut numbers = Vec::new();
    for _ in 0..generator.below(20) {
        numbers.push(black_box(1));
    }
    *slot = Block::Numbers(numbers);
}

#[inline(never)]
fn formatted(slot: &mut Block, generator: &mut Generator) {
    *slot = Block::Text(format!("{:>1$}", "text", generator.size()));
}

#[inline(never)]
fn repeated(slot: &mut Block, generator: &mut Generator) {
    *slot = Block::Text("ab".repeat(black_box(generator.size())));
}

#[inline(never)]
fn lines(slot: &mut Block, generator: &mut Generator) {
    let words = black_box("one two three four").split(' ');
    *slot = Block::Texts(words.take(generator.below(5)).map(str::to_owned).collect());
}

#[inline(never)]
fn joined(slot: &mut Block, generator: &mut Generator) {
    let words = ["some", "of", "these"];
    *slot = Block::Text(black_box(&words[..generator.below(4)]).join(", "));
}

#[inline(never)]
fn boxed(slot: &mut Block, _: &mut Generator) {
    *slot = Block::Boxed(black_box(Box::new(black_box([1; 48]))));
}

#[inline(never)]
fn slice(slot: &mut Block, generator: &mut Generator) {
    let mut numbers = Vec::with_capacity(20);
    numbers.extend(0..generator.below(20) as u16);
    *slot = Block::Slice(numbers.into_boxed_slice());
}

#[inline(never)]
fn shared(slot: &mut Block, generator: &mut Generator) {
    let text = &"a text that is shared"[generator.below(20)..];
    *slot = Block::Shared(Arc::from(text));
}

#[inline(never)]
fn map(slot: &mut Block, generator: &mut Generator) {
    let mut map = HashMap::new();
    for key in 0..generator.below(30) {
        map.insert(key, 1);
    }
    *slot = Block::Map(map);
}

#[inline(never)]
fn tree(slot: &mut Block, generator: &mut Generator) {
    let entries = (0..generator.below(30)).map(|key| (key, [0; 16]));
    *slot = Block::Tree(BTreeMap::from_iter(entries));
}

#[inline(never)]
fn queue(slot: &mut Block, generator: &mut Generator) {
    let mut queue = VecDeque::with_capacity(3);
    for number in 0..generator.below(20) {
        queue.push_front(number as u32);
    }
    *slot = Block::Queue(queue);
}

#[inline(never)]
fn closure(slot: &mut Block, generator: &mut Generator) {
    let (first, second) = (generator.size(), generator.size());
    *slot = Block::Any(Box::new(move || first + second));
}

#[inline(never)]
fn raw(slot: &mut Block, generator: &mut Generator) {
    let align = 1 << generator.below(9);
    *slot = Block::Raw(Raw::new(generator.size(), align));
}

#[inline(never)]
fn raw_zeroed(slot: &mut Block, generator: &mut Generator) {
    let align = 2 << generator.below(9);
    *slot = Block::Raw(Raw::zeroed(generator.size(), align));
}

/// A panic that is caught. Its text is a block, and so is what unwinding needs.
#[inline(never)]
fn panicked(slot: &mut Block, generator: &mut Generator) {
    let text = format!("{:1$}", "planned", generator.size());
    let caught = panic::catch_unwind(|| panic::resume_unwind(Box::new(text)));
    *slot = Block::Text(*caught.unwrap_err().downcast().unwrap());
}

#[inline(never)]
fn sorted(slot: &mut Block, generator: &mut Generator) {
    let mut numbers: Vec<u64> = (0..100).map(|_| generator.below(1000) as u64).collect();
    numbers.sort();
    *slot = Block::Numbers(numbers);
}

/// There is a second block while the first is live.
#[inline(never)]
fn cloned(slot: &mut Block, _: &mut Generator) {
    let clone = match slot {
        Block::Bytes(bytes) => Block::Bytes(bytes.clone()),
        Block::Numbers(numbers) => Block::Numbers(numbers.clone()),
        Block::Text(text) => Block::Text(text.clone()),
        Block::Texts(texts) => Block::Texts(texts.clone()),
        Block::Boxed(boxed) => Block::Boxed(boxed.clone()),
        Block::Slice(slice) => Block::Slice(slice.clone()),
        Block::Shared(shared) => Block::Shared(Arc::from(&shared[..])),
        Block::Map(map) => Block::Map(map.clone()),
        Block::Tree(tree) => Block::Tree(tree.clone()),
        Block::Queue(queue) => Block::Queue(queue.clone()),
        Block::Raw(raw) => Block::Raw(Raw::new(raw.size(), 16)),
        Block::Any(_) | Block::None => Block::Text(black_box("of nothing").to_owned()),
    };
    *slot = black_box(clone);
}

// These reallocate, if the slot has a block with which that can be done.

#[inline(never)]
fn grow(slot: &mut Block, generator: &mut Generator) {
    let more = generator.size();
    match slot {
        Block::Bytes(bytes) => bytes.resize(bytes.len() + more, 1),
        Block::Numbers(numbers) => numbers.extend(0..more as u64),
        Block::Text(text) => text.push_str(&"a text that is pushed, in part"[..more.min(30)]),
        Block::Texts(texts) => texts.push(String::new()),
        Block::Map(map) => map.extend((0..more).map(|key| (key, 0))),
        Block::Tree(tree) => tree.extend((0..more).map(|key| (key, [0; 16]))),
        Block::Queue(queue) => queue.extend(0..more as u32),
        Block::Raw(raw) => raw.resize(raw.size() + more),
        _ => (),
    }
    black_box(slot);
}

#[inline(never)]
fn grow_exactly(slot: &mut Block, generator: &mut Generator) {
    match slot {
        Block::Bytes(bytes) => bytes.reserve_exact(100 + generator.size()),
        Block::Numbers(numbers) => numbers.reserve_exact(generator.size()),
        Block::Text(text) => text.reserve_exact(generator.size()),
        Block::Queue(queue) => queue.reserve_exact(generator.size()),
        _ => (),
    }
    black_box(&*slot);
}

#[inline(never)]
fn grow_by_one(slot: &mut Block, generator: &mut Generator) {
    for _ in 0..generator.below(9) {
        match slot {
            Block::Bytes(bytes) => bytes.push(1),
            Block::Numbers(numbers) => numbers.push(2),
            Block::Text(text) => text.push('3'),
            _ => (),
        }
    }
    black_box(generator);
}

#[inline(never)]
fn shrink(slot: &mut Block, _: &mut Generator) {
    match slot {
        Block::Bytes(bytes) => bytes.shrink_to_fit(),
        Block::Numbers(numbers) => numbers.shrink_to_fit(),
        Block::Text(text) => text.shrink_to_fit(),
        Block::Map(map) => map.shrink_to_fit(),
        Block::Queue(queue) => queue.shrink_to_fit(),
        _ => (),
    }
    black_box((slot, 1));
}

#[inline(never)]
fn shrink_to(slot: &mut Block, generator: &mut Generator) {
    let length = generator.below(10);
    match slot {
        Block::Bytes(bytes) => {
            bytes.truncate(length);
            bytes.shrink_to(length + 4);
        }
        Block::Numbers(numbers) => {
            numbers.truncate(length);
            numbers.shrink_to(1);
        }
        Block::Queue(queue) => {
            queue.truncate(length);
            queue.shrink_to(2);
        }
        Block::Tree(tree) => drop(tree.split_off(&length)),
        _ => (),
    }
    black_box((slot, 2));
}

#[inline(never)]
fn resize(slot: &mut Block, generator: &mut Generator) {
    if let Block::Raw(raw) = slot {
        raw.resize(generator.size());
    } else {
        *slot = Block::Raw(Raw::new(16, 32));
    }
    black_box((slot, 3));
}

#[inline(never)]
fn resize_to_the_same(slot: &mut Block, generator: &mut Generator) {
    if let Block::Raw(raw) = slot {
        raw.resize(raw.size());
    } else {
        *slot = Block::Raw(Raw::zeroed(generator.size(), 8));
    }
    black_box((slot, 4));
}

// These free.

#[inline(never)]
fn take(slot: &mut Block, _: &mut Generator) {
    drop(black_box(mem::take(slot)));
}

#[inline(never)]
fn consume(slot: &mut Block, _: &mut Generator) {
    match mem::take(slot) {
        // The memory of the text becomes that of the bytes.
        Block::Text(text) => *slot = Block::Bytes(text.into_bytes()),
        Block::Slice(slice) => drop(black_box(slice.into_vec().into_iter())),
        Block::Texts(texts) => *slot = Block::Text(texts.into_iter().collect()),
        Block::Any(closure) => drop(black_box(closure())),
        other => drop(other),
    }
    black_box((slot, 5));
}

#[inline(never)]
fn release(slot: &mut Block, generator: &mut Generator) {
    *slot = Block::None;
    black_box(generator.below(2));
}
