//! Sums that do not fit into a number, by an allocator that grants what no machine has. They are
//! given as the highest number, which is above every limit.
#![cfg(target_pointer_width = "64")]
#![allow(unsafe_code)]

use std::alloc::{alloc, dealloc, realloc, Layout};
use std::hint::black_box;
use std::thread;

use mod_alloc::{measure, uncounted, AllocScope, Budget, ModAlloc, Profiler};

#[path = "common/generous.rs"]
mod generous;

use generous::Generous;

#[global_allocator]
static GLOBAL: ModAlloc<Generous> = ModAlloc::with(Generous);

const MOST: usize = isize::MAX as usize;

struct Block(*mut u8, Layout);

impl Block {
    fn new(size: usize) -> Self {
        let layout = Layout::from_size_align(size, 1).expect("valid");
        // SAFETY: not of size zero.
        let block = unsafe { alloc(layout) };
        assert!(!block.is_null());
        Self(black_box(block), layout)
    }

    fn resize(&mut self, size: usize) {
        // SAFETY: of this layout, and not of size zero.
        self.0 = unsafe { realloc(self.0, self.1, size) };
        assert!(!self.0.is_null());
        self.1 = Layout::from_size_align(size, 1).expect("valid");
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: of this layout.
        unsafe { dealloc(self.0, self.1) }
    }
}

fn one_after_the_other(sizes: &[usize]) {
    sizes.iter().for_each(|size| drop(Block::new(*size)));
}

#[test]
fn a_sum_that_does_not_fit_breaks_every_limit() {
    for sizes in [&[1 << 62; 4][..], &[MOST, MOST, 2], &[MOST; 3], &[MOST; 100]] {
        for limit in [10, u64::MAX] {
            for call_sites in [false, true] {
                let budget = Budget::new().max_bytes(limit).call_sites(call_sites);
                let exceeded = budget.check(|| one_after_the_other(sizes)).expect_err("too much");
                let stats = exceeded.stats();
                assert_eq!((stats.total_bytes, stats.current_bytes), (u64::MAX, 0), "{sizes:?}");
                assert_eq!((stats.alloc_count, stats.live_count), (sizes.len() as u64, 0));
                assert!(exceeded.to_string().contains("18,446,744,073,709,551,615"), "{exceeded}");
            }
        }
    }
    // Later sums fit again.
    let ((), stats) = measure(|| one_after_the_other(&[MOST, MOST, 1]));
    assert_eq!(stats.total_bytes, u64::MAX);
    let ((), stats) = measure(|| one_after_the_other(&[MOST, 10]));
    assert_eq!((stats.total_bytes, stats.peak_bytes), (MOST as u64 + 10, MOST as i64));
}

#[test]
fn so_does_one_of_reallocations() {
    let mut block = Block::new(10);
    let ((), stats) = measure(|| (0..2).for_each(|more| block.resize((1 << 62) + more)));
    assert_eq!((stats.total_bytes, stats.realloc_count), ((1 << 63) + 1, 2));
    let resize = || (0..4).for_each(|more| block.resize((1 << 62) + more));
    let exceeded = Budget::new().max_bytes(1_000).check(resize).expect_err("too much");
    assert_eq!((exceeded.stats().total_bytes, exceeded.stats().current_bytes), (u64::MAX, 2));
}

#[test]
fn a_peak_that_does_not_fit_breaks_every_limit() {
    let live_together = || drop([Block::new(MOST), Block::new(MOST), Block::new(2)]);
    for limit in [10, u64::MAX] {
        let budget = Budget::new().max_peak_bytes(limit).max_retained_bytes(0);
        let exceeded = budget.check(live_together).expect_err("too much");
        assert_eq!((exceeded.stats().peak_bytes, exceeded.stats().current_bytes), (i64::MAX, 0));
        assert!(exceeded.to_string().contains("peak bytes"), "{exceeded}");
    }
    let retained = Budget::new().max_retained_bytes(100);
    let mut kept = Vec::with_capacity(3);
    let exceeded = retained.check(|| (0..3).for_each(|_| kept.push(Block::new(MOST))));
    assert_eq!(exceeded.expect_err("three").retained_bytes(), Some(u64::MAX));
}

#[test]
fn sums_of_other_threads_and_of_the_process_do_the_same() {
    let scope = AllocScope::enter();
    let profiler = Profiler::start();
    let handle = scope.handle();
    let work = move || handle.run(|| one_after_the_other(&[MOST, MOST]));
    uncounted(|| thread::spawn(work).join()).expect("it ends well");
    one_after_the_other(&[2]);
    assert_eq!(scope.stats().total_bytes, u64::MAX);
    assert_eq!(profiler.stop().total_bytes, u64::MAX);
    assert_eq!(GLOBAL.snapshot().total_bytes, u64::MAX);
}
