//! The program. Each item allocates in another construct of the language. Results go through
//! `black_box`, so that no build leaves an allocation out, and nothing is the last call of its
//! function, so that no build makes a jump of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::ops::{Add, ControlFlow, Deref, Index};
use std::pin::pin;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mod_alloc::{uncounted, AllocScope, CallSites};

/// Some bytes from the allocator.
#[inline(never)]
fn block(size: usize) -> Box<[u8]> {
    black_box(vec![1; black_box(size)].into_boxed_slice())
}

/// The same, to be inlined wherever it is called.
#[inline(always)]
fn inlined(size: usize) -> Box<[u8]> {
    black_box(vec![2; black_box(size)].into_boxed_slice())
}

/// Runs it on a new thread, which has thread-locals of its own.
pub(crate) fn run() -> CallSites {
    std::thread::spawn(program).join().expect("it ends well")
}

fn program() -> CallSites {
    let scope = AllocScope::with_call_sites();
    closures();
    iterators();
    generics();
    traits();
    dynamic();
    macros();
    nested::modules();
    futures();
    drops();
    recursion();
    sorting();
    formatting();
    conversions();
    operators();
    control_flow();
    unwinding();
    in_an_expression(&[1, 2, 3]);
    let sites = scope.call_sites();
    assert_eq!(sites.alloc_count(), scope.stats().alloc_count);
    sites
}

fn closures() {
    let plain = || block(1).len();
    black_box(plain());
    let captured = black_box(3);
    let capturing = move |more: usize| inlined(captured + more).len();
    black_box(capturing(1));
    let outer = |size: usize| {
        let inner = |size: usize| {
            let innermost = |size: usize| block(size).len();
            black_box(innermost(size) + inlined(size).len())
        };
        black_box(inner(size) + inner(size + 1))
    };
    black_box(outer(5));
    let mut pushed = Vec::new();
    let mut push = |size| pushed.push(block(size));
    push(1);
    push(2);
    black_box(&pushed);
    black_box(returned(4)(2));
    black_box(boxed(4)(2));
    let function: fn(usize) -> usize = |size| inlined(size).len();
    black_box(black_box(function)(3));
    black_box(takes(|size| block(size).len()));
    black_box(takes(named));
    black_box([1, 2].map(|size| block(size).len()));
    black_box(Some(4).map(|size| inlined(size)).map_or(0, |block| block.len()));
    black_box((|| (|| (|| block(1).len())())())());
    static TABLE: [fn(usize) -> Box<[u8]>; 2] = [|size| block(size), |size| inlined(size + 1)];
    black_box(TABLE.iter().map(|make| make(2).len()).sum::<usize>());
    const MAKE: fn(usize) -> usize = |size| block(size).len() + 1;
    black_box(MAKE(1));
    fn within(size: usize) -> usize {
        let twice = |size: usize| block(size).len() + block(size).len();
        black_box(twice(size))
    }
    black_box(within(1));
}

fn returned(size: usize) -> impl Fn(usize) -> usize {
    let kept = inlined(size);
    move |more| black_box(block(kept.len() + more).len())
}

fn boxed(size: usize) -> Box<dyn Fn(usize) -> usize> {
    Box::new(move |more| black_box(block(size + more).len()))
}

fn takes(work: impl Fn(usize) -> usize) -> usize {
    black_box(work(6) + inlined(6).len())
}

fn named(size: usize) -> usize {
    black_box(block(size).len()) + 1
}

fn iterators() {
    let sizes = black_box([3_usize, 1, 2]);
    let blocks: Vec<Box<[u8]>> = sizes.iter().map(|&size| block(size)).collect();
    black_box(&blocks);
    let strings: Vec<String> = sizes.iter().map(|size| size.to_string()).collect();
    black_box(&strings);
    let chained: Vec<Vec<u8>> = sizes
        .iter()
        .filter(|&&size| inlined(size).len() > 1)
        .flat_map(|&size| (0..size).map(move |add| vec![0; black_box(size + add)]))
        .skip_while(|bytes| block(bytes.len()).is_empty())
        .collect();
    black_box(&chained);
    black_box(sizes.iter().fold(0, |sum, &size| sum + block(size).len()));
    sizes.iter().for_each(|&size| drop(inlined(size)));
    black_box(sizes.iter().any(|&size| block(size).len() > 9));
    black_box(sizes.iter().max_by_key(|&&size| block(size).len()));
    black_box(sizes.iter().copied().reduce(|a, b| block(a + b).len()));
    black_box(sizes.iter().try_fold(0, |sum, &size| Some(sum + inlined(size).len())));
    let parts: (Vec<usize>, Vec<usize>) = sizes.iter().partition(|&&size| block(size).len() > 1);
    black_box(&parts);
    black_box(Counter(3).map(|block| block.len()).sum::<usize>());
    for block in Counter(2) {
        black_box(&block);
    }
    let mut next = 0;
    let from_fn = std::iter::from_fn(|| {
        next += 1;
        (next < 3).then(|| block(next))
    });
    black_box(from_fn.count());
    black_box(counted(2).map(|block| block.len()).sum::<usize>());
}

struct Counter(usize);

impl Iterator for Counter {
    type Item = Box<[u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0 = self.0.checked_sub(1)?;
        Some(black_box(block(self.0 + 1)))
    }
}

fn counted(most: usize) -> impl Iterator<Item = Box<[u8]>> {
    (0..most).map(|size| inlined(size + 1))
}

fn generics() {
    black_box(generic(1_u8));
    black_box(generic(2_u64));
    black_box(generic("three"));
    black_box(generic((1_u8, [2_u16; 2])));
    black_box(constant::<1>());
    black_box(constant::<2>());
    black_box(constant::<300>());
    black_box(Wrapper(7_u32).method());
    black_box(Wrapper("x").method());
    black_box(Wrapper::<u8>::associated::<u64>(4));
    black_box(mapped(vec![1_u8, 2], |value| block(usize::from(value))));
    black_box(mapped(vec!["a", "bb"], |value| inlined(value.len())));
}

#[inline(never)]
fn generic<T: Clone>(value: T) -> usize {
    let values = vec![value; black_box(3)];
    black_box(&values).len()
}

fn constant<const N: usize>() -> usize {
    let filled = (0..2).map(|_| vec![0_u8; black_box(N)]).map(|bytes| black_box(bytes).len());
    black_box(filled.sum::<usize>())
}

#[derive(Clone)]
struct Wrapper<T>(T);

impl<T: Clone> Wrapper<T> {
    fn method(&self) -> usize {
        let copies = black_box(vec![self.clone(), self.clone()]);
        copies.len()
    }

    fn associated<U: Default + Clone>(count: usize) -> usize {
        let defaults = black_box(vec![(U::default(), block(1).len()); black_box(count)]);
        defaults.len()
    }
}

fn mapped<T, U>(values: Vec<T>, map: impl Fn(T) -> U) -> usize {
    let mut results = Vec::with_capacity(black_box(1));
    for value in values {
        results.push(map(value));
    }
    black_box(&results).len()
}

trait Shape {
    const SIZE: usize;

    fn draw(&self) -> Box<[u8]>;

    fn default_method(&self) -> usize {
        let drawn = self.draw();
        black_box(drawn.len() + block(Self::SIZE).len())
    }
}

struct Circle;
struct Square<T>(T);

impl Shape for Circle {
    const SIZE: usize = 1;

    fn draw(&self) -> Box<[u8]> {
        let sizes = [1, 2].map(|size| inlined(size).len());
        black_box(block(sizes.len()))
    }
}

impl<T: Copy + Into<u64>> Shape for Square<T> {
    const SIZE: usize = 2;

    fn draw(&self) -> Box<[u8]> {
        black_box(block(self.0.into() as usize))
    }

    fn default_method(&self) -> usize {
        black_box(self.draw().len()) + 1
    }
}

impl Shape for u8 {
    const SIZE: usize = 3;

    fn draw(&self) -> Box<[u8]> {
        black_box(block(usize::from(*self)))
    }
}

impl Shape for [u16] {
    const SIZE: usize = 4;

    fn draw(&self) -> Box<[u8]> {
        black_box(inlined(self.len()))
    }
}

impl<S: Shape + ?Sized> Shape for &S {
    const SIZE: usize = 5;

    fn draw(&self) -> Box<[u8]> {
        let drawn = (**self).draw();
        black_box(block(drawn.len()))
    }
}

fn traits() {
    black_box(Circle.default_method());
    black_box(Square(3_u8).default_method());
    black_box(Square(4_u32).default_method());
    black_box(5_u8.default_method());
    black_box([1_u16, 2].as_slice().default_method());
    black_box(drawn_twice(&Circle));
    black_box(drawn_twice(&&&Square(2_u8)));
    black_box(Vec::<u8>::made());
    black_box(<dyn Speak>::of_the_trait_object());
}

fn drawn_twice<S: Shape + ?Sized>(shape: &S) -> usize {
    black_box(shape.draw().len()) + black_box(shape.default_method())
}

trait Made: Sized {
    fn made() -> Self;
}

impl Made for Vec<u8> {
    fn made() -> Self {
        let mut bytes = Vec::with_capacity(black_box(3));
        bytes.extend(black_box([1, 2, 3, 4]));
        black_box(bytes)
    }
}

trait Speak {
    fn speak(&self) -> usize;

    fn loudly(&self) -> usize {
        black_box(self.speak() + block(9).len())
    }
}

impl dyn Speak {
    fn of_the_trait_object() -> usize {
        black_box(block(2).len()) + 2
    }
}

impl Speak for Circle {
    fn speak(&self) -> usize {
        black_box(block(1).len()) + 3
    }
}

impl<F: Fn(usize) -> usize> Speak for F {
    fn speak(&self) -> usize {
        black_box(self(2)) + 1
    }
}

fn dynamic() {
    let speakers: Vec<Box<dyn Speak>> =
        vec![Box::new(Circle), Box::new(|size| inlined(size).len()), Box::new(named)];
    for speaker in black_box(&speakers) {
        black_box(speaker.loudly());
    }
    let mut once: Vec<Box<dyn FnOnce() -> usize>> = Vec::new();
    for size in [1, 2] {
        let kept = block(size);
        once.push(Box::new(move || black_box(block(kept.len()).len())));
    }
    for work in black_box(once) {
        black_box(work());
    }
    let mut sum = 0;
    let mut add: Box<dyn FnMut(usize)> = Box::new(|size| sum += inlined(size).len());
    black_box(&mut add)(3);
    drop(add);
    let by_reference: &dyn Fn() -> usize = &|| block(sum).len();
    black_box(black_box(by_reference)());
    let any: Box<dyn std::any::Any> = Box::new(black_box(5_u64));
    black_box(any);
    let shared: Rc<dyn Fn(usize) -> usize> = Rc::new(|size| block(size).len());
    black_box(Rc::clone(&shared)(1));
}

macro_rules! functions {
    ($($name:ident => $size:expr),*) => { $(
        fn $name() -> usize {
            let make = |size: usize| block(size).len() + inlined($size).len();
            black_box(make($size))
        }
    )* };
}

functions!(made_by_a_macro => 1, also_made_by_a_macro => 2);

macro_rules! closure {
    ($($body:tt)*) => {
        |size: usize| { let made = { $($body)* }(size); black_box(made.len()) }
    };
}

macro_rules! implementation {
    ($type:ident, $size:literal) => {
        struct $type;
        impl Speak for $type {
            fn speak(&self) -> usize {
                black_box((0..$size).map(|size| block(size + 1).len()).sum::<usize>())
            }
        }
    };
}

implementation!(Written, 2);

fn macros() {
    black_box(made_by_a_macro());
    black_box(also_made_by_a_macro());
    black_box(closure!(block)(3));
    black_box(closure!(|size| inlined(size + 1))(3));
    black_box(Written.loudly());
    black_box(vec![block(1), inlined(2)]);
    macro_rules! at_once {
        ($($size:expr)*) => { [$(block($size).len()),*] };
    }
    black_box(at_once!(1 2 3));
    thread_local! {
        static LAZY: usize = block(12).len();
    }
    LAZY.with(|lazy| black_box(*lazy));
    assert!(block(1).len() == 1, "{}", block(2).len());
    assert_eq!(inlined(1).len(), 1);
    assert!(matches!(block(1).len(), 1));
}

mod nested {
    //! Functions of the same names in other places.

    use std::hint::black_box;

    use super::{block, inlined};

    pub(super) fn modules() {
        black_box(a::named() + b::named());
        black_box(a::Named.named());
        black_box(super::named(3));
    }

    mod a {
        use super::{black_box, block, inlined};

        pub(super) struct Named;

        impl Named {
            pub(super) fn named(&self) -> usize {
                fn named(size: usize) -> usize {
                    black_box(block(size).len()) + 7
                }
                black_box(named(1) + [1].iter().map(|&size| inlined(size).len()).sum::<usize>())
            }
        }

        pub(super) fn named() -> usize {
            black_box(block(2).len()) + 8
        }
    }

    mod b {
        use super::{black_box, inlined};

        pub(super) fn named() -> usize {
            let named = |size| inlined(size).len();
            black_box(named(3)) + 9
        }
    }
}

struct Unused;

impl Wake for Unused {
    fn wake(self: Arc<Self>) {}
}

/// A future that is pending once.
struct Yield(bool);

impl Future for Yield {
    type Output = Box<[u8]>;

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(black_box(block(3))),
            false => Poll::Pending,
        }
    }
}

fn drive<F: Future>(future: F) -> F::Output {
    let waker = uncounted(|| Waker::from(Arc::new(Unused)));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let output = loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            break output;
        }
    };
    uncounted(|| drop(waker));
    output
}

async fn asynchronous(size: usize) -> usize {
    let before = block(size);
    let waited = Yield(false).await;
    let after = inlined(size);
    black_box(before.len() + waited.len() + after.len())
}

async fn generic_asynchronous<T: Clone>(value: T) -> usize {
    let values = black_box(vec![value; black_box(2)]);
    let sum = asynchronous(values.len()).await;
    black_box(sum)
}

trait Service {
    fn call(&self) -> std::pin::Pin<Box<dyn Future<Output = usize> + '_>>;
}

impl Service for Circle {
    fn call(&self) -> std::pin::Pin<Box<dyn Future<Output = usize> + '_>> {
        Box::pin(async move {
            let made = block(4);
            black_box(asynchronous(made.len()).await)
        })
    }
}

fn futures() {
    black_box(drive(asynchronous(2)));
    black_box(drive(async {
        let block_in_place = block(1);
        let inner = async { black_box(inlined(2).len()) };
        let and_another = async move {
            let size = Yield(false).await.len();
            black_box(block(size).len())
        };
        black_box(block_in_place.len() + inner.await + and_another.await)
    }));
    black_box(drive(generic_asynchronous(1_u8)));
    black_box(drive(generic_asynchronous("text")));
    black_box(drive(Circle.call()));
    let closure = |size: usize| async move { black_box(block(size).len()) };
    black_box(drive(closure(3)));
    black_box(drive(std::future::poll_fn(|_| Poll::Ready(block(1).len()))));
}

struct Noisy(usize);

impl Drop for Noisy {
    fn drop(&mut self) {
        black_box(block(self.0).len());
        let again = || inlined(self.0).len();
        black_box(again());
    }
}

struct Holder<T> {
    _first: T,
    _second: Vec<T>,
}

fn drops() {
    {
        let _noisy = Noisy(1);
        black_box(block(5));
    }
    drop(Noisy(2));
    drop(black_box(vec![Noisy(1), Noisy(2)]));
    drop(black_box(Holder { _first: Noisy(1), _second: vec![Noisy(2)] }));
    drop(black_box(Box::new(Noisy(4)) as Box<dyn std::any::Any>));
    drop(black_box(Rc::new(Noisy(4))));
    let mut replaced = Some(Noisy(3));
    replaced = black_box(replaced).filter(|noisy| block(noisy.0).is_empty());
    black_box(replaced.is_none());
}

fn recursion() {
    black_box(deep(4));
    black_box(even(3));
    fn by_closure(depth: usize) -> usize {
        let next = |depth: usize| if depth == 0 { block(1).len() } else { by_closure(depth - 1) };
        black_box(next(depth)) + 1
    }
    black_box(by_closure(3));
    fn by_object(depth: usize, work: &dyn Fn(usize) -> usize) -> usize {
        match depth {
            0 => black_box(work(2)) + 1,
            _ => black_box(by_object(depth - 1, &|size| black_box(work(size + 1)))) + 1,
        }
    }
    black_box(by_object(3, &|size| block(size + 4).len()));
}

fn deep(depth: usize) -> usize {
    let own = block(depth + 1).len();
    match depth {
        0 => own,
        _ => black_box(deep(depth - 1)) + own,
    }
}

fn even(depth: usize) -> usize {
    match depth {
        0 => block(1).len(),
        _ => black_box(odd(depth - 1)) + 1,
    }
}

fn odd(depth: usize) -> usize {
    match depth {
        0 => block(2).len(),
        _ => black_box(even(depth - 1)) + inlined(1).len(),
    }
}

fn sorting() {
    let mut words = black_box(["c", "b", "a"]);
    words.sort_by(|a, b| block(1).len().cmp(&1).then(a.cmp(b)));
    words.sort_by_key(|word| word.len() + block(1).len());
    words.sort_unstable_by(|a, b| block(2).len().cmp(&2).then(b.cmp(a)));
    words.sort_by_cached_key(|word| word.to_uppercase());
    black_box(words.binary_search_by(|word| inlined(1).len().cmp(&1).then(word.cmp(&"a"))).ok());
    let mut many: Vec<usize> = (0..50).map(|n| n * 37 % 50).collect();
    many.sort_by(|a, b| a.cmp(b));
    many.dedup_by_key(|n| *n / 2);
    many.retain(|n| *n > 3 || block(1).is_empty());
    black_box(many);
}

struct Shown(usize);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = block(self.0);
        black_box(write!(f, "{}", text.len()))
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = f.debug_struct("Shown").field("block", &black_box(block(1))).finish();
        black_box(result)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Derived {
    name: String,
    items: Vec<String>,
}

fn formatting() {
    let mut text = String::with_capacity(200);
    use fmt::Write;
    black_box(write!(text, "{} {:?}", Shown(1), Shown(2))).expect("it fits");
    text.clear();
    black_box(write!(text, "{:?}", [Shown(3)])).expect("it fits");
    let derived = Derived { name: "a name".to_owned(), items: vec!["an item".to_owned()] };
    text.clear();
    black_box(write!(text, "{derived:?}")).expect("it fits");
    let copy = black_box(derived.clone());
    black_box(copy == derived && copy.cmp(&derived).is_eq());
    black_box(text);
}

struct Parsed(Box<[u8]>);

impl FromStr for Parsed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size: usize = text.parse().map_err(|_| black_box(text.to_owned()))?;
        Ok(Self(black_box(block(size))))
    }
}

impl From<usize> for Parsed {
    fn from(size: usize) -> Self {
        black_box(Self(block(size)))
    }
}

impl FromIterator<usize> for Parsed {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        let sum = sizes.into_iter().inspect(|&size| drop(block(size))).sum();
        black_box(Self(inlined(sum)))
    }
}

fn conversions() {
    black_box("3".parse::<Parsed>().map_or(0, |parsed| parsed.0.len()));
    black_box("x".parse::<Parsed>().map_or_else(|error| error.len(), |parsed| parsed.0.len()));
    let into: Parsed = 4.into();
    black_box(into.0.len());
    black_box([1, 2].into_iter().collect::<Parsed>().0.len());
    let results: Result<Vec<Box<[u8]>>, String> = [1, 2]
        .iter()
        .map(|&size| if size > 0 { Ok(block(size)) } else { Err(String::new()) })
        .collect();
    black_box(results.is_ok());
    let mut map: HashMap<&str, Box<[u8]>> = uncounted(|| HashMap::with_capacity(8));
    map.entry("a").or_insert_with(|| block(1));
    map.entry("a").and_modify(|old| *old = block(2)).or_insert_with(|| block(3));
    let mut ordered: BTreeMap<usize, Box<[u8]>> = BTreeMap::new();
    ordered.insert(black_box(1), block(1));
    black_box((&map, &ordered));
}

impl Add for Parsed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        black_box(Self(block(self.0.len() + other.0.len())))
    }
}

impl Index<usize> for Parsed {
    type Output = u8;

    fn index(&self, index: usize) -> &u8 {
        black_box(block(index + 1));
        &self.0[index]
    }
}

impl Deref for Parsed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        black_box(block(1));
        &self.0
    }
}

fn operators() {
    let sum = Parsed::from(1) + Parsed::from(2);
    black_box(sum[2]);
    black_box(sum.iter().count());
    black_box(r#match(2));
}

fn r#match(size: usize) -> usize {
    black_box(block(size).len()) + 11
}

fn control_flow() {
    let first = (|| {
        let made = Some(block(1))?;
        Some(black_box(made.len()))
    })();
    black_box(first);
    let found = 'outer: loop {
        for size in 1.. {
            if block(size).len() > 1 {
                break 'outer size;
            }
        }
    };
    black_box(found);
    let flow = (1..4).try_for_each(|size| match block(size).len() {
        2 => ControlFlow::Break(inlined(size)),
        _ => ControlFlow::Continue(()),
    });
    black_box(flow.is_break());
    let Some(taken) = Some(block(2)).filter(|block| inlined(block.len()).len() == 2) else {
        return;
    };
    black_box(taken);
    if let (Some(a), true) = (Some(block(1)), block(1).len() == 1) {
        black_box(a);
    }
}

fn unwinding() {
    let caught = std::panic::catch_unwind(|| {
        let _noisy = Noisy(2);
        uncounted(|| std::panic::resume_unwind(Box::new(())));
    });
    black_box(caught.is_err());
    let value = std::panic::catch_unwind(|| block(3).len());
    black_box(value.is_ok());
}

fn in_an_expression(sizes: &[usize]) -> usize {
    let total: usize = sizes
        .iter()
        .map(|size| {
            let doubled = |by: usize| {
                let parts = [size * by, size + by].map(|size| block(size));
                black_box(parts.iter().map(|part| inlined(part.len()).len()).sum::<usize>())
            };
            doubled(2) + doubled(3)
        })
        .sum();
    black_box(total)
}
