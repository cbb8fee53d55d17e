//! The model. Every event goes to every scope that sees it; nothing is subtracted or folded.

use crate::program::{Op, SCOPES, SLOTS};
use mod_alloc::AllocStats;

pub(crate) type Sizes = [Option<usize>; SLOTS];

pub(crate) fn no_sizes() -> Sizes {
    [None; SLOTS]
}

struct Scope {
    /// When it was opened.
    opened: u64,
    stats: AllocStats,
}

struct Model {
    sizes: Sizes,
    /// Scopes that are open, in no order.
    scopes: Vec<Scope>,
    /// When each open `uncounted` began.
    uncounted: Vec<u64>,
    clock: u64,
    measured: Vec<AllocStats>,
    thrown: usize,
}

/// Runs the model. Returns the blocks that are left, and what every reading should be. `thrown` are
/// the bytes of a panic.
pub(crate) fn run(ops: &[Op], sizes: Sizes, thrown: usize) -> (Sizes, Vec<AllocStats>) {
    let mut model =
        Model { sizes, scopes: vec![], uncounted: vec![], clock: 0, measured: vec![], thrown };
    let mut slots = [None; SCOPES];
    model.run_all(ops, &mut slots);
    for opened in slots.into_iter().flatten() {
        model.exit(opened);
    }
    (model.sizes, model.measured)
}

impl Model {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// An event. It counts for each scope that was not opened before a stretch that is uncounted
    /// now.
    fn event(&mut self, update: impl Fn(&mut AllocStats)) {
        let uncounted = &self.uncounted;
        let sees = |scope: &&mut Scope| !uncounted.iter().any(|&began| began > scope.opened);
        for scope in self.scopes.iter_mut().filter(sees) {
            update(&mut scope.stats);
            scope.stats.peak_bytes = scope.stats.peak_bytes.max(scope.stats.current_bytes);
        }
    }

    fn alloc(&mut self, size: usize) {
        self.event(|stats| {
            stats.alloc_count += 1;
            stats.total_bytes += size as u64;
            stats.current_bytes += size as i64;
            stats.live_count += 1;
        });
    }

    fn realloc(&mut self, old: usize, new: usize) {
        self.event(|stats| {
            stats.alloc_count += 1;
            stats.realloc_count += 1;
            stats.total_bytes += new as u64;
            stats.current_bytes += new as i64 - old as i64;
        });
    }

    fn dealloc(&mut self, size: usize) {
        self.event(|stats| {
            stats.dealloc_count += 1;
            stats.current_bytes -= size as i64;
            stats.live_count -= 1;
        });
    }

    fn enter(&mut self) -> u64 {
        let opened = self.tick();
        self.scopes.push(Scope { opened, stats: AllocStats::default() });
        opened
    }

    fn read(&mut self, opened: u64) {
        let scope = self.scopes.iter().find(|scope| scope.opened == opened);
        self.measured.push(scope.expect("open until it is closed").stats);
    }

    fn close(&mut self, opened: u64) {
        self.scopes.retain(|scope| scope.opened != opened);
    }

    fn exit(&mut self, opened: u64) {
        self.read(opened);
        self.close(opened);
    }

    fn run_all(&mut self, ops: &[Op], slots: &mut [Option<u64>; SCOPES]) {
        for op in ops {
            self.run_one(op, slots);
        }
    }

    fn run_one(&mut self, op: &Op, slots: &mut [Option<u64>; SCOPES]) {
        match *op {
            Op::Alloc { slot, size, .. } => {
                if let Some(size) = self.sizes[slot].take() {
                    self.dealloc(size);
                }
                self.sizes[slot] = Some(size);
                self.alloc(size);
            }
            Op::Realloc { slot, size } => {
                if let Some(old) = self.sizes[slot] {
                    self.sizes[slot] = Some(size);
                    self.realloc(old, size);
                }
            }
            Op::Dealloc { slot } => {
                if let Some(size) = self.sizes[slot].take() {
                    self.dealloc(size);
                }
            }
            Op::Enter { scope } => {
                if let Some(opened) = slots[scope].take() {
                    self.close(opened);
                }
                slots[scope] = Some(self.enter());
            }
            Op::Read { scope } => {
                if let Some(opened) = slots[scope] {
                    self.read(opened);
                }
            }
            Op::Exit { scope } => {
                if let Some(opened) = slots[scope].take() {
                    self.exit(opened);
                }
            }
            Op::Forget { scope } => {
                if let Some(opened) = slots[scope].take() {
                    self.close(opened);
                }
            }
            Op::Measure(ref ops) => {
                let opened = self.enter();
                self.run_all(ops, slots);
                self.exit(opened);
            }
            Op::Uncounted(ref ops) => {
                let began = self.tick();
                self.uncounted.push(began);
                self.run_all(ops, slots);
                self.uncounted.retain(|&other| other != began);
            }
            Op::Panic(ref ops) => {
                let mut own = [None; SCOPES];
                self.run_all(ops, &mut own);
                self.alloc(self.thrown);
                for opened in own.into_iter().flatten() {
                    self.close(opened);
                }
                self.dealloc(self.thrown);
            }
            Op::Future { ref polls, ref between } => {
                // This scope is there during the polls only.
                let mut stats = AllocStats::default();
                for (i, ops) in polls.iter().enumerate() {
                    if i > 0 {
                        self.run_all(between, slots);
                    }
                    let opened = self.tick();
                    self.scopes.push(Scope { opened, stats });
                    self.run_all(ops, slots);
                    let at = self.scopes.iter().position(|scope| scope.opened == opened);
                    stats = self.scopes.swap_remove(at.expect("open during the poll")).stats;
                }
                self.measured.push(stats);
            }
        }
    }
}
