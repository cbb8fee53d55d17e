//! Runs a program for real, in lock step: each thread waits for its turn, makes one step, and
//! passes the turn on.
//!
//! To take turns allocates nothing. The state is in statics and thread-locals of a fixed size.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle, Thread};

use mod_alloc::{
    uncounted, AllocScope, AllocStats, Attached, Budget, CheckFuture, Exceeded, Instrumented,
    ScopeHandle,
};

use crate::block::Block;
use crate::program::{Asked, Op, Step, DRIVER, HANDLES, SCOPES, SLOTS, TASKS, THREADS};
use crate::waker;

/// A value of the program. The thread that has the turn may use it.
struct Shared<T>(Mutex<Option<T>>);

impl<T> Shared<T> {
    #[allow(clippy::declare_interior_mutable_const)] // A template for arrays.
    const EMPTY: Self = Self(Mutex::new(None));

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().expect("no step panics")
    }

    fn take(&self) -> Option<T> {
        self.lock().take()
    }

    fn replace(&self, value: Option<T>) -> Option<T> {
        mem::replace(&mut *self.lock(), value)
    }
}

impl<T: Clone> Shared<T> {
    fn get(&self) -> Option<T> {
        self.lock().clone()
    }
}

static BLOCKS: [Shared<Block>; SLOTS] = [Shared::EMPTY; SLOTS];
static SHARED: [Shared<ScopeHandle>; HANDLES] = [Shared::EMPTY; HANDLES];
static FUTURES: [Shared<Task>; TASKS] = [Shared::EMPTY; TASKS];
/// The one step that may be made now.
static TURN: AtomicUsize = AtomicUsize::new(0);
static RUNNING: [Shared<Thread>; THREADS + 1] = [Shared::EMPTY; THREADS + 1];
static READINGS: Mutex<Vec<Reading>> = Mutex::new(Vec::new());

pub(crate) struct Reading {
    pub(crate) stats: AllocStats,
    /// What a budget says.
    pub(crate) exceeded: Option<Exceeded>,
    /// How many events are in the call sites, if those were asked for.
    pub(crate) recorded: Option<u64>,
}

#[allow(clippy::large_enum_variant)] // There are few tasks.
enum Task {
    Instrumented(Instrumented<Body>),
    Budget(CheckFuture<Body>),
}

/// A future that makes the steps of a stretch in each poll.
struct Body {
    /// The block that it frees when it is dropped.
    slot: Option<usize>,
}

impl Future for Body {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let is_last = MACHINE.with(|machine| machine.is_last.get());
        run_inside();
        if is_last {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            free(slot);
        }
    }
}

/// A thread that runs steps.
struct Machine {
    thread: Cell<usize>,
    steps: Cell<&'static [Step]>,
    scopes: [Cell<Option<(AllocScope, bool)>>; SCOPES],
    guards: [Cell<Option<Attached>>; SCOPES],
    /// Whether the poll that begins is the last one.
    is_last: Cell<bool>,
    /// Whether call sites are read. That takes time.
    reads_call_sites: Cell<bool>,
}

thread_local! {
    static MACHINE: Machine = const {
        #[allow(clippy::declare_interior_mutable_const)] // Templates for arrays.
        const NO_SCOPE: Cell<Option<(AllocScope, bool)>> = Cell::new(None);
        #[allow(clippy::declare_interior_mutable_const)]
        const NO_GUARD: Cell<Option<Attached>> = Cell::new(None);
        Machine {
            thread: Cell::new(0),
            steps: Cell::new(&[]),
            scopes: [NO_SCOPE; SCOPES],
            guards: [NO_GUARD; SCOPES],
            is_last: Cell::new(false),
            reads_call_sites: Cell::new(false),
        }
    };
}

/// Runs the program and returns what was measured, in order.
pub(crate) fn run(steps: &'static [Step], reads_call_sites: bool) -> Vec<Reading> {
    TURN.store(usize::MAX, Release);
    readings().reserve(2 * steps.len() + 100);
    RUNNING[DRIVER].replace(Some(thread::current()));
    let mut threads: [Option<JoinHandle<()>>; THREADS] = Default::default();
    let start = |at: usize| {
        let thread = thread::spawn(move || run_thread(at, steps, reads_call_sites));
        RUNNING[at].replace(Some(thread.thread().clone()));
        Some(thread)
    };
    for step in steps.iter().filter(|step| step.thread != DRIVER) {
        if threads[step.thread].is_none() {
            threads[step.thread] = start(step.thread);
        }
    }
    MACHINE.with(|machine| {
        machine.thread.set(DRIVER);
        machine.steps.set(steps);
    });
    TURN.store(0, Release);
    threads.iter().flatten().for_each(|thread| thread.thread().unpark());
    while let Op::Join { thread, starts_again } = wait_for_turn() {
        threads[thread].take().expect("it runs").join().expect("it ends well");
        if starts_again {
            threads[thread] = start(thread);
        }
        pass_turn_on();
    }
    SHARED.iter().for_each(|handle| drop(handle.take()));
    FUTURES.iter().for_each(|task| drop(task.take()));
    BLOCKS.iter().filter_map(Shared::take).for_each(Block::free);
    mem::take(&mut *readings())
}

fn readings() -> MutexGuard<'static, Vec<Reading>> {
    READINGS.lock().expect("no step panics")
}

fn push(reading: Reading) {
    let mut readings = readings();
    assert!(readings.len() < readings.capacity(), "the machine itself would allocate");
    readings.push(reading);
}

fn run_thread(thread: usize, steps: &'static [Step], reads_call_sites: bool) {
    MACHINE.with(|machine| {
        machine.thread.set(thread);
        machine.steps.set(steps);
        machine.reads_call_sites.set(reads_call_sites);
        run_stretch();
        machine.guards.iter().for_each(|guard| drop(guard.take()));
        for scope in &machine.scopes {
            exit(scope.take(), reads_call_sites);
        }
        pass_turn_on();
    });
}

fn wait_for_turn() -> Op {
    MACHINE.with(|machine| loop {
        match machine.steps.get().get(TURN.load(Acquire)) {
            None if machine.thread.get() == DRIVER => return Op::Stop,
            Some(step) if step.thread == machine.thread.get() => return step.op,
            _ => thread::park(),
        }
    })
}

fn pass_turn_on() {
    MACHINE.with(|machine| {
        let next = TURN.load(Acquire) + 1;
        TURN.store(next, Release);
        if let Some(step) = machine.steps.get().get(next) {
            if step.thread != machine.thread.get() {
                // A clone might outlive all others, and be freed here, when the next one has ended.
                RUNNING[step.thread].lock().as_ref().expect("it runs").unpark();
            }
        }
    });
}

/// Makes the steps of a stretch up to its end, which is left to the caller.
fn run_stretch() {
    MACHINE.with(|machine| loop {
        match wait_for_turn() {
            Op::End => return,
            op => run_one(machine, op),
        }
        pass_turn_on();
    });
}

/// Makes the steps inside a stretch. Its first step is over, and the caller makes its last.
fn run_inside() {
    pass_turn_on();
    run_stretch();
}

fn free(slot: usize) {
    if let Some(block) = BLOCKS[slot].take() {
        block.free();
    }
}

fn exit(scope: Option<(AllocScope, bool)>, reads_call_sites: bool) {
    if let Some((scope, is_recording)) = scope {
        let recorded = (is_recording && reads_call_sites).then(|| scope.call_sites().alloc_count());
        push(Reading { stats: scope.exit(), exceeded: None, recorded });
    }
}

fn push_exceeded(exceeded: Exceeded) {
    push(Reading { stats: exceeded.stats(), exceeded: Some(exceeded), recorded: None });
}

fn budget(asked: Asked) -> Budget {
    let mut budget = Budget::new().min(u64::MAX).call_sites(asked.call_sites);
    if asked.peak {
        budget = budget.max_peak_bytes(0);
    }
    if asked.retained {
        budget = budget.max_retained(0).max_retained_bytes(0);
    }
    if asked.largest {
        budget = budget.max_block_bytes(0);
    }
    budget
}

fn run_one(machine: &Machine, op: Op) {
    match op {
        Op::Alloc { slot, size, align, zeroed } => {
            free(slot);
            BLOCKS[slot].replace(Some(Block::new(size, align, zeroed)));
        }
        Op::Realloc { slot, size } => {
            let block = BLOCKS[slot].take().map(|block| block.resized(size));
            BLOCKS[slot].replace(block);
        }
        Op::Dealloc { slot } => free(slot),
        Op::Enter { scope, call_sites } => {
            drop(machine.scopes[scope].take());
            let entered =
                if call_sites { AllocScope::with_call_sites() } else { AllocScope::enter() };
            machine.scopes[scope].set(Some((entered, call_sites)));
        }
        Op::Read { scope: slot } => {
            if let Some((scope, is_recording)) = machine.scopes[slot].take() {
                push(Reading { stats: scope.stats(), exceeded: None, recorded: None });
                machine.scopes[slot].set(Some((scope, is_recording)));
            }
        }
        Op::Exit { scope } => exit(machine.scopes[scope].take(), machine.reads_call_sites.get()),
        Op::Forget { scope } => mem::forget(machine.scopes[scope].take()),
        Op::Share { scope: slot, handle } => {
            if let Some((scope, is_recording)) = machine.scopes[slot].take() {
                drop(SHARED[handle].replace(Some(scope.handle())));
                machine.scopes[slot].set(Some((scope, is_recording)));
            }
        }
        Op::Current { handle } => drop(SHARED[handle].replace(AllocScope::current())),
        Op::DropHandle { handle } => drop(SHARED[handle].take()),
        Op::Attach { handle, guard } => {
            drop(machine.guards[guard].take());
            machine.guards[guard].set(SHARED[handle].get().map(|handle| handle.attach()));
        }
        Op::Detach { guard } => drop(machine.guards[guard].take()),
        Op::ForgetGuard { guard } => mem::forget(machine.guards[guard].take()),
        Op::AttachThread { handle } => {
            if let Some(handle) = SHARED[handle].get() {
                handle.attach_thread();
            }
        }
        Op::Instrument { handle, task, slot } => {
            if let Some(handle) = SHARED[handle].get() {
                let future = handle.instrument(Body { slot: Some(slot) });
                drop(FUTURES[task].replace(Some(Task::Instrumented(future))));
            }
        }
        Op::Budget { task, asked } => {
            let future = budget(asked).check_future(Body { slot: None });
            drop(FUTURES[task].replace(Some(Task::Budget(future))));
        }
        Op::DropTask { task } => drop(FUTURES[task].take()),
        Op::Run { handle } => match SHARED[handle].get() {
            Some(handle) => handle.run(run_inside),
            None => run_inside(),
        },
        Op::Uncounted => uncounted(run_inside),
        Op::Check { asked } => {
            push_exceeded(
                budget(asked).check(run_inside).expect_err("nothing allocates that much"),
            );
        }
        Op::Poll { task, is_last } => poll(machine, task, is_last),
        Op::End | Op::Join { .. } | Op::Stop => unreachable!("not made here"),
    }
}

fn poll(machine: &Machine, at: usize, is_last: bool) {
    let cx = &mut Context::from_waker(WAKER.get().expect("made at the start"));
    let task = FUTURES[at].take();
    machine.is_last.set(is_last);
    let rest = match task {
        None => return run_inside(),
        Some(Task::Instrumented(mut future)) => {
            let _ = Pin::new(&mut future).poll(cx);
            Task::Instrumented(future)
        }
        Some(Task::Budget(mut future)) => {
            if let Poll::Ready(done) = Pin::new(&mut future).poll(cx) {
                push_exceeded(done.expect_err("nothing allocates that much"));
            }
            Task::Budget(future)
        }
    };
    if !is_last {
        drop(FUTURES[at].replace(Some(rest)));
    }
}

static WAKER: OnceLock<Waker> = OnceLock::new();

/// Sets up what is needed once in the process.
pub(crate) fn prepare() {
    WAKER.get_or_init(waker::idle);
}
