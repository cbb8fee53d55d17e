//! What a random program consists of: steps of several threads, one at a time, in one order. Some
//! steps open a stretch of their thread, which an `End` closes. The other threads go on in between.

use crate::block::Block;
use crate::random::Random;

/// How many blocks there are at most. They belong to no thread: any thread may free what any other
/// has allocated.
pub(crate) const SLOTS: usize = 12;
/// How many scopes, and how many guards, a thread holds at most.
pub(crate) const SCOPES: usize = 3;
/// How many handles there are at most, for all threads.
pub(crate) const HANDLES: usize = 3;
/// How many futures there are at most, for all threads.
pub(crate) const TASKS: usize = 2;
/// How many threads run at most.
pub(crate) const THREADS: usize = 3;
/// The thread that runs the others.
pub(crate) const DRIVER: usize = THREADS;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) thread: usize,
    pub(crate) op: Op,
}

/// What a budget asks for. None of them can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) peak: bool,
    pub(crate) retained: bool,
    pub(crate) largest: bool,
    pub(crate) call_sites: bool,
}

impl Asked {
    pub(crate) const NOTHING: Self =
        Self { peak: false, retained: false, largest: false, call_sites: false };
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Frees what the slot holds, and allocates.
    Alloc {
        slot: usize,
        size: usize,
        align: usize,
        zeroed: bool,
    },
    Realloc {
        slot: usize,
        size: usize,
    },
    Dealloc {
        slot: usize,
    },
    /// Drops the scope in the slot without reading it, and enters another.
    Enter {
        scope: usize,
        call_sites: bool,
    },
    Read {
        scope: usize,
    },
    Exit {
        scope: usize,
    },
    Forget {
        scope: usize,
    },
    Share {
        scope: usize,
        handle: usize,
    },
    /// The handle of the innermost scope.
    Current {
        handle: usize,
    },
    DropHandle {
        handle: usize,
    },
    /// Drops the guard in the slot, and attaches.
    Attach {
        handle: usize,
        guard: usize,
    },
    Detach {
        guard: usize,
    },
    ForgetGuard {
        guard: usize,
    },
    AttachThread {
        handle: usize,
    },
    /// A future of the handle's scope, which frees the block in the slot when it is dropped.
    Instrument {
        handle: usize,
        task: usize,
        slot: usize,
    },
    /// A future held to a budget.
    Budget {
        task: usize,
        asked: Asked,
    },
    DropTask {
        task: usize,
    },
    /// Opens a stretch that is a job of the handle.
    Run {
        handle: usize,
    },
    Uncounted,
    /// Opens a stretch that is the body of a budget.
    Check {
        asked: Asked,
    },
    /// Opens a stretch that is a poll of the future.
    Poll {
        task: usize,
        is_last: bool,
    },
    /// Ends the innermost stretch. If none is open, it ends the thread, which exits its scopes and
    /// drops its guards.
    End,
    /// The driver joins the thread, and may start another in its place.
    Join {
        thread: usize,
        starts_again: bool,
    },
    /// There are no more steps.
    Stop,
}

struct Generator {
    numbers: Random,
    threads: usize,
    /// How many stretches are open on each thread.
    depths: [usize; THREADS],
    call_sites: bool,
}

pub(crate) fn random(seed: u64) -> Vec<Step> {
    let mut numbers = Random::new(seed);
    let threads = 1 + numbers.below(THREADS);
    let call_sites = numbers.below(4) == 0;
    Generator { numbers, threads, depths: [0; THREADS], call_sites }.program()
}

impl Generator {
    fn program(&mut self) -> Vec<Step> {
        let mut thread = 0;
        let mut steps = vec![
            Step { thread, op: Op::Enter { scope: 0, call_sites: self.call_sites } },
            Step { thread, op: Op::Share { scope: 0, handle: 0 } },
        ];
        for _ in 0..20 + self.numbers.below(120) {
            if self.numbers.below(3) == 0 {
                thread = self.up_to(self.threads);
            }
            let op = match self.likely_next(steps.last()) {
                Some(next) => {
                    thread = next.thread;
                    next.op
                }
                None => self.op(thread),
            };
            steps.push(Step { thread, op });
            match op {
                Op::Run { .. } | Op::Uncounted | Op::Check { .. } | Op::Poll { .. } => {
                    self.depths[thread] += 1;
                }
                Op::End if self.depths[thread] == 0 => {
                    steps
                        .push(Step { thread: DRIVER, op: Op::Join { thread, starts_again: true } });
                }
                Op::End => self.depths[thread] -= 1,
                _ => {}
            }
        }
        // What is open is ended in any order.
        let mut open: Vec<_> =
            (0..self.threads).map(|thread| (thread, self.depths[thread])).collect();
        while !open.is_empty() {
            let at = self.up_to(open.len());
            let (thread, depth) = open[at];
            steps.push(Step { thread, op: Op::End });
            match depth {
                0 => {
                    steps.push(Step {
                        thread: DRIVER,
                        op: Op::Join { thread, starts_again: false },
                    });
                    open.swap_remove(at);
                }
                _ => open[at].1 -= 1,
            }
        }
        steps
    }

    /// Chooses a step that follows from the last one, for chance alone hardly ever leads to threads
    /// that are attached to futures.
    fn likely_next(&mut self, last: Option<&Step>) -> Option<Step> {
        let &Step { thread, op } = last?;
        let (handle, task, guard) = (self.up_to(HANDLES), self.up_to(TASKS), self.up_to(SCOPES));
        let is_shallow = thread < THREADS && self.depths[thread] < 5;
        match op {
            Op::Budget { task, .. } | Op::Instrument { task, .. } if is_shallow => {
                Some(Step { thread, op: Op::Poll { task, is_last: false } })
            }
            Op::Poll { .. } if self.one_in(2) => Some(Step { thread, op: Op::Current { handle } }),
            Op::Current { handle } if self.one_in(2) => {
                let thread = self.up_to(self.threads);
                Some(Step { thread, op: Op::Attach { handle, guard } })
            }
            Op::Attach { .. } if is_shallow && self.one_in(6) => {
                Some(Step { thread, op: Op::Uncounted })
            }
            Op::Uncounted if is_shallow && self.one_in(3) => {
                Some(Step { thread, op: Op::Poll { task, is_last: self.one_in(3) } })
            }
            _ => None,
        }
    }

    fn up_to(&mut self, bound: usize) -> usize {
        self.numbers.below(bound)
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.numbers.below(bound) == 0
    }

    fn op(&mut self, thread: usize) -> Op {
        let (slot, scope, guard) = (self.up_to(SLOTS), self.up_to(SCOPES), self.up_to(SCOPES));
        let (handle, task, size) =
            (self.up_to(HANDLES), self.up_to(TASKS), Block::random_size(&mut self.numbers));
        let depth = self.depths[thread];
        match self.numbers.below(100) {
            0..=20 => {
                let align = 1 << self.numbers.below(8);
                Op::Alloc { slot, size, align, zeroed: self.one_in(4) }
            }
            21..=26 => Op::Realloc { slot, size },
            27..=35 => Op::Dealloc { slot },
            36..=40 => Op::Enter { scope, call_sites: self.call_sites && self.one_in(2) },
            41..=44 => Op::Read { scope },
            45..=47 => Op::Exit { scope },
            48 => Op::Forget { scope },
            49..=53 => Op::Share { scope, handle },
            54..=57 => Op::Current { handle },
            58 => Op::DropHandle { handle },
            59..=65 => Op::Attach { handle, guard },
            66..=69 => Op::Detach { guard },
            70 if self.one_in(2) => Op::ForgetGuard { guard },
            70 | 71 => Op::AttachThread { handle },
            72 => Op::Instrument { handle, task, slot },
            73 | 74 => Op::Budget { task, asked: self.asked() },
            75 if self.one_in(2) => Op::DropTask { task },
            76..=80 if depth < 5 => Op::Run { handle },
            81..=84 if depth < 5 => Op::Uncounted,
            85..=87 if depth < 5 => Op::Check { asked: self.asked() },
            88..=91 if depth < 5 => Op::Poll { task, is_last: self.one_in(3) },
            _ if depth > 0 || self.one_in(12) => Op::End,
            _ => Op::Read { scope },
        }
    }

    fn asked(&mut self) -> Asked {
        let call_sites = self.call_sites && self.one_in(2);
        let (peak, retained, largest) = (self.one_in(2), self.one_in(2), self.one_in(2));
        Asked { peak, retained, largest, call_sites }
    }
}
