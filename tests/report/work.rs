//! The work that `main.rs` measures. The snapshots have lines of this file.

use std::hint::black_box;

use mod_alloc::alloc_budget;

pub(crate) fn allocate(sizes: &[usize]) {
    for &size in sizes {
        drop(black_box(Vec::<u8>::with_capacity(size)));
    }
}

/// Pushes more than a first block of 4 has room for.
#[alloc_budget(max = 2)]
pub(crate) fn collects_squares() {
    let mut squares = Vec::new();
    for n in 0..100_u64 {
        squares.push(n * n);
    }
    black_box(&squares);
}

/// Makes few allocations, of too many bytes in all. The largest come first.
#[alloc_budget(max = 10, max_bytes = 1_000)]
pub(crate) fn keeps_copies() {
    let names: Vec<String> = ["a", "b", "c", "d"].iter().map(|name| label(name)).collect();
    let page = black_box(vec![0_u8; 4_096]);
    black_box((&names, &page));
}

fn label(name: &str) -> String {
    let label = String::from(name);
    black_box(label)
}

/// Allocates at several lines.
#[alloc_budget(exact = 0)]
pub(crate) fn allocates_at_many_lines() {
    allocate(&[1; 9]);
    allocate(&[2; 8]);
    allocate(&[3; 7]);
    black_box(label("first"));
    black_box(vec![4_u8; 4]);
    black_box("text".to_owned());
    black_box([1, 2].map(|size| allocate(&[size])));
    black_box(label("second"));
}

/// Calls itself, and a closure.
#[alloc_budget(max_reallocs = 0)]
pub(crate) fn joins_nested_lists() {
    let mut text = String::new();
    join(&mut text, 3, &|text, depth| text.push_str(&"[]"[..1 + depth % 2]));
    black_box(&text);
}

fn join(text: &mut String, depth: usize, part: &dyn Fn(&mut String, usize)) {
    for n in 0..depth * 4 {
        part(text, n);
    }
    if depth > 0 {
        join(text, depth - 1, part);
    }
    black_box(&text);
}

/// Some of what it allocates is never freed.
#[alloc_budget(max_retained = 1)]
pub(crate) fn forgets_labels() {
    drop(label("freed"));
    for name in ["a", "bc", "def"] {
        std::mem::forget(label(name));
    }
    allocate(&[5]);
}

/// It keeps too much in what it returns, and allocates too often.
#[alloc_budget(max = 2, max_retained_bytes = 100)]
pub(crate) fn builds_a_page() -> Vec<u8> {
    allocate(&[7, 8, 9]);
    black_box(vec![1; 1_000])
}

/// The numbers have neither what is uncounted nor what comes too late.
pub(crate) fn leaves_a_thread_attached(budget: mod_alloc::Budget) -> mod_alloc::Exceeded {
    use std::sync::{Barrier, Mutex};
    let (handle, steps) = (&Mutex::new(None), &Barrier::new(2));
    mod_alloc::uncounted(|| {
        std::thread::scope(|threads| {
            threads.spawn(|| {
                steps.wait();
                let handle: mod_alloc::ScopeHandle =
                    handle.lock().expect("not poisoned").take().expect("a handle");
                let _attached = handle.attach();
                allocate(&[100, 200]);
                steps.wait();
                steps.wait();
            });
            let exceeded = budget.check(|| {
                *handle.lock().expect("not poisoned") = mod_alloc::AllocScope::current();
                mod_alloc::uncounted(|| allocate(&[1, 2, 3]));
                steps.wait();
                steps.wait();
                allocate(&[4]);
            });
            steps.wait();
            exceeded.expect_err("more than the budget")
        })
    })
}

/// Here and in `repeats`, the expansion calls the body, at the line of the attribute.
#[alloc_budget(max = 0)]
pub(crate) async fn awaits() {
    allocate(&[5]);
}

#[alloc_budget(max = 0, runs = 2)]
pub(crate) fn repeats() {
    allocate(&[6]);
}

/// Allocates many bytes in all, which are not many at a time.
#[alloc_budget(max_peak_bytes = 4_000)]
pub(crate) fn holds_a_page() {
    fills_a_page();
}

pub(crate) fn fills_a_page() {
    for _ in 0..100 {
        allocate(&[500]);
    }
    let page = black_box(vec![0_u8; 4_000]);
    let mut line = black_box(String::with_capacity(20));
    line.reserve_exact(80);
    black_box((&page, &line));
    drop(page);
    allocate(&[500; 3]);
}

mod log {
    pub(super) fn note() {
        super::allocate(&[20, 30]);
    }
}

/// Allocates once more than it may, and for what it logs.
#[cfg_attr(not(debug_assertions), allow(dead_code))]
#[alloc_budget(max = 1, allow = ["report::work::sink", "report::work::log"])]
pub(crate) fn reads_and_logs() {
    log::note();
    allocate(&[7, 8]);
}

/// Asks for one large block among many small ones.
#[alloc_budget(max_block_bytes = 1_000)]
pub(crate) fn reserves_a_page() {
    allocate(&[500; 20]);
    let mut line = black_box(String::with_capacity(600));
    line.reserve_exact(4_096);
    allocate(&[2_000]);
}
