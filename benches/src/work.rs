//! The workloads. All memory goes through the global allocator of the binary. Every block is shown
//! to [`black_box`], for the compiler may remove an allocation whose block nobody sees.

use std::alloc::{alloc, dealloc, handle_alloc_error, realloc, Layout};
use std::hint::black_box;
use std::sync::mpsc;
use std::thread;

use crate::clock::nanos_per_iteration;
use crate::document;

/// Work that can be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// How many threads do it at once.
    pub threads: u32,
    /// Does the work so many times.
    pub run: fn(u64),
}

impl Workload {
    /// Work of one thread.
    pub const fn new(name: &'static str, run: fn(u64)) -> Self {
        Self { name, threads: 1, run }
    }

    pub(crate) fn nanos(&self) -> f64 {
        nanos_per_iteration(self.threads, &self.run)
    }
}

/// How many scopes [`nested`] opens.
const SCOPES: u32 = 16;

/// Allocates and frees 40 bytes.
pub fn pair(iterations: u64) {
    for _ in 0..iterations {
        one_pair();
    }
}

#[inline(always)]
pub(crate) fn one_pair() {
    let layout = Layout::new::<[u64; 5]>();
    // SAFETY: the layout is not of size zero.
    let block = black_box(unsafe { alloc(layout) });
    if block.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: allocated above with this layout, and not used again.
    unsafe { dealloc(block, layout) };
}

/// Does the same through [`Box`], and writes the 40 bytes.
pub(crate) fn boxed(iterations: u64) {
    for i in 0..iterations {
        drop(black_box(Box::new([i; 5])));
    }
}

/// Allocates 64 bytes, grows them to 128, and frees them.
pub(crate) fn grow(iterations: u64) {
    let small = Layout::new::<[u64; 8]>();
    let large = Layout::new::<[u64; 16]>();
    for _ in 0..iterations {
        // SAFETY: the layout is not of size zero.
        let block = black_box(unsafe { alloc(small) });
        if block.is_null() {
            handle_alloc_error(small);
        }
        // SAFETY: allocated above with this layout. The new size is that of a valid layout with the
        // same alignment.
        let block = black_box(unsafe { realloc(block, small, large.size()) });
        if block.is_null() {
            handle_alloc_error(large);
        }
        // SAFETY: reallocated above to this layout, and not used again.
        unsafe { dealloc(block, large) };
    }
}

/// Does [`pair`] on two threads at once. Each does all the iterations.
pub(crate) fn pair_on_two_threads(iterations: u64) {
    on_two_threads(&|| pair(iterations));
}

/// Does the work on two threads at once.
pub fn on_two_threads(work: &(dyn Fn() + Sync)) {
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(work);
        }
    });
}

/// Does the work while so many other threads live. Each of them has allocated, and waits, with as
/// much of its stack resident as in any other run.
pub fn with_live_threads<R>(threads: u64, work: impl FnOnce() -> R) -> R {
    thread::scope(|scope| {
        let (ready, are_ready) = mpsc::channel();
        let ends: Vec<_> = (0..threads)
            .map(|_| {
                let (end, ended) = mpsc::channel::<()>();
                let ready = ready.clone();
                scope.spawn(move || {
                    black_box([1_u8; 128 << 10]);
                    pair(1);
                    ready.send(()).expect("the work has not begun");
                    // It fails when the sender is gone.
                    let _ = ended.recv();
                });
                end
            })
            .collect();
        are_ready.iter().take(ends.len()).for_each(drop);
        work()
        // `ends` are dropped here, before the scope waits for the threads.
    })
}

/// Parses the document, and drops the tree.
pub(crate) fn json(iterations: u64) {
    for _ in 0..iterations {
        let tree: serde_json::Value =
            serde_json::from_str(black_box(document::text())).expect("the document is JSON");
        drop(black_box(tree));
    }
}

/// Does [`pair`] inside 16 scopes. `scope` opens one of them around the call that it is given.
pub fn nested(iterations: u64, scope: fn(&mut dyn FnMut())) {
    fn open(scopes: u32, iterations: u64, scope: fn(&mut dyn FnMut())) {
        match scopes.checked_sub(1) {
            Some(scopes) => scope(&mut || open(scopes, iterations, scope)),
            None => pair(iterations),
        }
    }
    open(SCOPES, iterations, scope);
}
