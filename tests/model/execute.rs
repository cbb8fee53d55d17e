//! Runs a program for real.

use std::cell::RefCell;
use std::future::{poll_fn, Future};
use std::mem;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mod_alloc::{measure, uncounted, AllocScope, AllocStats, Budget};

use crate::block::Block;
use crate::program::{Op, SCOPES, SLOTS};
use crate::waker;

pub(crate) fn no_blocks() -> [Option<Block>; SLOTS] {
    [None; SLOTS]
}

pub(crate) fn free(blocks: [Option<Block>; SLOTS]) {
    blocks.into_iter().flatten().for_each(Block::free);
}

type Scopes = [Option<AllocScope>; SCOPES];

/// A thread that runs operations. It allocates nothing for itself while it runs.
pub(crate) struct Machine {
    blocks: [Option<Block>; SLOTS],
    measured: Vec<AllocStats>,
    waker: Waker,
}

impl Machine {
    pub(crate) fn new(blocks: [Option<Block>; SLOTS]) -> Self {
        let waker = waker::idle();
        Self { blocks, measured: Vec::with_capacity(20_000), waker }
    }

    /// Runs the operations. Returns the blocks that are left, and what was measured, in order.
    pub(crate) fn run(mut self, ops: &[Op]) -> ([Option<Block>; SLOTS], Vec<AllocStats>) {
        let mut scopes = Scopes::default();
        self.run_all(ops, &mut scopes);
        for scope in scopes.into_iter().flatten() {
            self.measured.push(scope.exit());
        }
        assert!(self.measured.len() < self.measured.capacity(), "the machine itself has allocated");
        (self.blocks, self.measured)
    }

    fn run_all(&mut self, ops: &[Op], scopes: &mut Scopes) {
        for op in ops {
            self.run_one(op, scopes);
        }
    }

    fn run_one(&mut self, op: &Op, scopes: &mut Scopes) {
        match *op {
            Op::Alloc { slot, size, align, zeroed } => {
                if let Some(block) = self.blocks[slot].take() {
                    block.free();
                }
                self.blocks[slot] = Some(Block::new(size, align, zeroed));
            }
            Op::Realloc { slot, size } => {
                self.blocks[slot] = self.blocks[slot].take().map(|block| block.resized(size));
            }
            Op::Dealloc { slot } => {
                if let Some(block) = self.blocks[slot].take() {
                    block.free();
                }
            }
            Op::Enter { scope } => {
                scopes[scope] = None;
                scopes[scope] = Some(AllocScope::enter());
            }
            Op::Read { scope } => {
                self.measured.extend(scopes[scope].as_ref().map(AllocScope::stats));
            }
            Op::Exit { scope } => {
                self.measured.extend(scopes[scope].take().map(AllocScope::exit));
            }
            Op::Forget { scope } => mem::forget(scopes[scope].take()),
            Op::Measure(ref ops) => {
                let ((), stats) = measure(|| self.run_all(ops, scopes));
                self.measured.push(stats);
            }
            Op::Uncounted(ref ops) => uncounted(|| self.run_all(ops, scopes)),
            Op::Panic(ref ops) => {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let mut scopes = Scopes::default();
                    self.run_all(ops, &mut scopes);
                    resume_unwind(Box::new(()));
                }));
                assert!(caught.is_err());
            }
            Op::Future { ref polls, ref between } => {
                let stats = self.run_future(polls, between, scopes);
                self.measured.push(stats);
            }
        }
    }

    fn run_future(&mut self, polls: &[Vec<Op>], between: &[Op], scopes: &mut Scopes) -> AllocStats {
        let waker = self.waker.clone();
        let machine = RefCell::new((self, scopes));
        let run = |ops| {
            let (machine, scopes) = &mut *machine.borrow_mut();
            machine.run_all(ops, scopes);
        };
        let mut left = polls.iter();
        let work = poll_fn(|_| {
            run(left.next().expect("a poll for each list"));
            if left.len() == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let mut future = pin!(Budget::new().min(u64::MAX).check_future(work));
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(done) => return done.expect_err("nothing allocates that much").stats(),
                Poll::Pending => run(between),
            }
        }
    }
}

/// How many bytes the panic machinery allocates for a panic. They are one block, which is freed
/// when the panic is caught.
pub(crate) fn cost_of_a_panic() -> usize {
    let throw = || assert!(catch_unwind(|| resume_unwind(Box::new(()))).is_err());
    throw(); // The first one sets up what is needed once.
    let ((), stats) = measure(throw);
    assert_eq!((stats.alloc_count, stats.dealloc_count, stats.realloc_count), (1, 1, 0));
    usize::try_from(stats.total_bytes).expect("an exception is small")
}
