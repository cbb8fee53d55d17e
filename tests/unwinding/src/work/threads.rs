//! Threads with small stacks, several threads at once, and what runs when they end. They take over
//! the walkers of ended threads, and often the stacks, too.

use std::cell::RefCell;
use std::hint::black_box;
use std::thread::{Builder, JoinHandle};

use super::{allocate, mixed};
use crate::compare;

/// The standard library rounds it up to what the C library asks for.
const SMALL_STACK: usize = 16 << 10;
const LARGE_STACK: usize = 2 << 20;

pub(crate) fn work() {
    for round in 0..200 {
        on_a_thread(SMALL_STACK, move || small(round));
    }
    at_once(4, |thread| mixed::grow(1_000 + thread, 20, 3_000), || ());
}

/// Runs `work` on a thread that is watched to its end.
fn on_a_thread(stack: usize, work: impl FnOnce() + Send + 'static) {
    end(start(stack, work));
}

/// Runs `work` on so many threads, and `meanwhile` here.
pub(crate) fn at_once(threads: u64, work: fn(u64), meanwhile: impl FnOnce()) {
    let threads: Vec<_> =
        (0..threads).map(|thread| start(LARGE_STACK, move || work(thread))).collect();
    meanwhile();
    threads.into_iter().for_each(end);
}

type Running = JoinHandle<compare::Watched>;

fn start(stack: usize, work: impl FnOnce() + Send + 'static) -> Running {
    let watch = move || {
        let watched = compare::watch_this_thread();
        work();
        watched
    };
    Builder::new().stack_size(stack).spawn(watch).expect("a thread")
}

fn end(thread: Running) {
    thread.join().expect("it ends well").give_up();
}

/// Allocates when the thread ends.
struct AtEnd(Vec<String>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        allocate(self.0.len() + 1);
        self.0.iter().rev().map(|text| text.clone() + ".").for_each(drop);
        LATER.with(|later| later.0.borrow_mut().push(1));
    }
}

struct Later(RefCell<Vec<u64>>);

impl Drop for Later {
    fn drop(&mut self) {
        self.0.get_mut().extend(0..10);
    }
}

thread_local! {
    static AT_END: RefCell<AtEnd> = const { RefCell::new(AtEnd(Vec::new())) };
    static LATER: Later = const { Later(RefCell::new(Vec::new())) };
}

fn small(round: u64) {
    AT_END.with(|at_end| at_end.borrow_mut().0.push(format!("round {round}")));
    let mut texts: Vec<_> = (0..8 + round % 8).map(|n| (n * 7 % 11).to_string()).collect();
    texts.sort_by_key(|text| text.repeat(2));
    down(round % 24);
    black_box(texts.concat());
}

fn down(depth: u64) {
    let array = black_box([depth; 8]);
    allocate(depth as usize + 1);
    if depth > 0 {
        down(depth - 1);
    }
    black_box(array);
}
