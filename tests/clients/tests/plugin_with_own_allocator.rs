//! A program with a `ModAlloc` loads a library that has another: each counts its own.

mod plugin;

use std::hint::black_box;
use std::thread;

use mod_alloc::{alloc_budget, assert_no_alloc, measure, uncounted, ModAlloc};
use plugin::{Counted, Plugin};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate(blocks: u64) {
    (0..blocks).for_each(|n| drop(black_box(Box::new(black_box(n)))));
}

const FIVE: Counted = Counted { events: 5, bytes: 40, live_bytes: 0 };

#[test]
fn the_librarys_allocations_are_not_the_programs() {
    let plugin = Plugin::load();
    let counted = assert_no_alloc!((plugin.allocate)(5));
    assert_eq!(counted, FIVE);
}

#[test]
fn the_programs_allocations_are_not_the_librarys() {
    let plugin = Plugin::load();
    let (counted, stats) = measure(|| {
        allocate(3);
        let counted = (plugin.allocate)(5);
        allocate(4);
        counted
    });
    assert_eq!(counted, FIVE);
    assert_eq!((stats.alloc_count, stats.total_bytes), (7, 56));
}

#[test]
#[alloc_budget(exact = 1)]
fn budgets_hold_and_break_on_both_sides() {
    let plugin = uncounted(Plugin::load);
    assert!((plugin.holds)(5, 5));
    assert!(!(plugin.holds)(4, 5));
    allocate(1);
    uncounted(|| drop(plugin));
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn a_planted_allocation_breaks_the_programs_budget() {
    let plugin = Plugin::load();
    assert_no_alloc! {
        (plugin.allocate)(5);
        allocate(1);
    }
}

#[test]
fn threads_of_the_program_are_counted_apart_in_the_library() {
    let plugin = Plugin::load();
    thread::scope(|threads| {
        for blocks in 1..=8 {
            let plugin = &plugin;
            threads.spawn(move || {
                for _ in 0..100 {
                    let (counted, stats) = measure(|| (plugin.allocate)(blocks));
                    assert_eq!((counted.events, counted.bytes), (blocks, 8 * blocks));
                    assert_eq!(stats.alloc_count, 0);
                }
            });
        }
    });
}
