//! Trees of calls. Each node picks random functions of Rust and of C, with frames of all kinds, and
//! allocates before, between and after them. The stack of each event shares a part with the one
//! before, and differs in the rest.

use std::cell::RefCell;
use std::ffi::c_void;
use std::fmt;
use std::hint::black_box;

use super::allocate;
use crate::random::Random;

/// A function that calls `back(data)`, some of them more than once. `size` is the size of what it
/// has in memory.
type InC = extern "C" fn(back: Back, data: *mut c_void, size: usize);
type Back = extern "C" fn(*mut c_void);
type InRust = fn(&mut Tree);

const KINDS_IN_C: usize = 17;

extern "C" {
    static frames_o0: [InC; KINDS_IN_C];
    static frames_o0_omit: [InC; KINDS_IN_C];
    static frames_o2: [InC; KINDS_IN_C];
    static frames_o2_omit: [InC; KINDS_IN_C];
    static frames_o2_args: [InC; KINDS_IN_C];

    fn frames_o0_over_remains(back: Back, data: *mut c_void);
    fn frames_o0_omit_over_remains(back: Back, data: *mut c_void);
    fn frames_o2_over_remains(back: Back, data: *mut c_void);
    fn frames_o2_omit_over_remains(back: Back, data: *mut c_void);
    fn frames_o2_args_over_remains(back: Back, data: *mut c_void);
}

#[derive(Clone, Copy)]
enum Kind {
    C(InC),
    Rust(InRust),
}

const IN_RUST: [InRust; 14] = [
    array::<8>,
    array::<200>,
    array::<5_000>,
    aligned::<Aligned32>,
    aligned::<Aligned256>,
    closure,
    dynamic,
    boxed,
    formatted,
    sorted,
    iterated,
    on_drop,
    caught,
    many_arguments,
];

fn kinds() -> Vec<Kind> {
    // SAFETY: the tables of `frames.c`, which nobody changes.
    let tables = [
        unsafe { &frames_o0 },
        // SAFETY: as above.
        unsafe { &frames_o0_omit },
        // SAFETY: as above.
        unsafe { &frames_o2 },
        // SAFETY: as above.
        unsafe { &frames_o2_omit },
        // SAFETY: as above.
        unsafe { &frames_o2_args },
    ];
    let in_c = tables.into_iter().flatten().map(|function| Kind::C(*function));
    // Each function of Rust is there as often as one of C, which is compiled in several ways.
    let in_rust = (0..5).flat_map(|_| IN_RUST).map(Kind::Rust);
    in_c.chain(in_rust).collect()
}

pub(crate) fn work() {
    for (seed, depth) in (1..).zip([1, 4, 10, 20, 40].into_iter().cycle()).take(40) {
        grow(seed, depth, 1_000);
    }
    // Each kind comes alone, too.
    for kind in kinds() {
        let mut tree = Tree::new(7, 1, 40);
        tree.kinds = vec![kind; 2];
        tree.node();
    }
    over_remains();
}

/// Makes frames over what earlier ones have left, so that remembered words may still be there.
fn over_remains() {
    extern "C" fn back(_: *mut c_void) {
        allocate(9);
    }
    for function in [
        frames_o0_over_remains,
        frames_o0_omit_over_remains,
        frames_o2_over_remains,
        frames_o2_omit_over_remains,
        frames_o2_args_over_remains,
    ] {
        // SAFETY: calls `back`, which takes anything.
        unsafe { function(back, std::ptr::null_mut()) };
    }
}

/// A tree of at most so many nodes, `depth` below this function at the most.
pub(crate) fn grow(seed: u64, depth: u32, nodes: u32) {
    let mut tree = Tree::new(seed, depth, nodes);
    while tree.left > 0 {
        tree.node();
    }
}

pub(crate) struct Tree {
    random: Random,
    kinds: Vec<Kind>,
    depth: u32,
    left: u32,
}

impl Tree {
    fn new(seed: u64, depth: u32, left: u32) -> Self {
        Self { random: Random::new(seed), kinds: kinds(), depth, left }
    }

    fn node(&mut self) {
        self.left = self.left.saturating_sub(1);
        allocate(self.random.below(100) + 1);
        if self.depth == 0 || self.left == 0 {
            return;
        }
        self.depth -= 1;
        for _ in 0..=self.random.below(2) {
            let kind = self.random.below(self.kinds.len());
            match self.kinds[kind] {
                Kind::Rust(function) => function(self),
                Kind::C(function) => {
                    let size = self.random.below(3_000) + 1;
                    let this: *mut Self = self;
                    function(back, this.cast(), size);
                }
            }
        }
        self.depth += 1;
        allocate(self.random.below(100) + 1);
    }
}

extern "C" fn back(tree: *mut c_void) {
    // SAFETY: C gives back what `node` gave it, which waits for C.
    unsafe { &mut *tree.cast::<Tree>() }.node();
}

fn array<const N: usize>(tree: &mut Tree) {
    let array = black_box([0_u8; N]);
    tree.node();
    black_box(&array);
}

#[derive(Default)]
#[repr(align(32))]
struct Aligned32 {
    _words: [u64; 8],
}

#[derive(Default)]
#[repr(align(256))]
struct Aligned256 {
    _words: [u64; 8],
}

fn aligned<T: Default>(tree: &mut Tree) {
    let array = black_box([T::default(), T::default()]);
    tree.node();
    black_box(&array);
}

fn closure(tree: &mut Tree) {
    let numbers = black_box([1, 2, 3]);
    let mut call = |more: u64| {
        tree.node();
        numbers[1] + more
    };
    black_box(call(1));
}

fn dynamic(tree: &mut Tree) {
    let call: &mut dyn FnMut(&mut Tree) = &mut Tree::node;
    black_box(call)(tree);
}

fn boxed(tree: &mut Tree) {
    let text = tree.left.to_string();
    let call: Box<dyn FnOnce(&mut Tree) -> String> = Box::new(move |tree| {
        tree.node();
        text + "."
    });
    black_box(call)(tree);
}

fn formatted(tree: &mut Tree) {
    struct Shown<'a>(RefCell<&'a mut Tree>);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.borrow_mut().node();
            f.pad("shown")
        }
    }
    black_box(format!("{:>12}", Shown(RefCell::new(tree))));
}

fn sorted(tree: &mut Tree) {
    let mut numbers = black_box([3, 1, 2, 5, 4]);
    let mut calls = 0;
    numbers.sort_by(|a, b| {
        calls += 1;
        if calls == 3 {
            tree.node();
        }
        b.cmp(a)
    });
    black_box(numbers);
}

fn iterated(tree: &mut Tree) {
    let texts = (0..2).filter(|n| n % 2 == 0).map(|n| {
        tree.node();
        n.to_string()
    });
    black_box(texts.collect::<Vec<_>>());
}

fn on_drop(tree: &mut Tree) {
    struct OnDrop<'a>(&'a mut Tree);
    impl Drop for OnDrop<'_> {
        fn drop(&mut self) {
            self.0.node();
        }
    }
    drop(black_box(vec![Some(OnDrop(tree)), None]));
}

fn caught(tree: &mut Tree) {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tree.node()));
    black_box(result).expect("nothing panics here");
}

fn many_arguments(tree: &mut Tree) {
    #[inline(never)]
    fn call(a: u64, b: u64, c: u64, d: u64, e: [u64; 9], f: u64, tree: &mut Tree) -> [u64; 6] {
        tree.node();
        [f, e[2], d, c, b, a]
    }
    black_box(call(1, 2, 3, 4, black_box([5; 9]), 6, tree));
}
