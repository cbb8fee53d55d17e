//! Programs of random steps, and the ways to do a job that allocates.
#![allow(unsafe_code)]

use std::alloc::{alloc, dealloc, realloc, Layout};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst};
use std::task::Context;

use mod_alloc::{uncounted, ScopeHandle};

use crate::helper;
use crate::random::Random;

pub(crate) const MAX_SCOPES: usize = 3;
const SLOTS: usize = 12;

pub(crate) struct Program {
    pub(crate) has_dhat: bool,
    pub(crate) max_frames: Option<usize>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Opens a scope, in this place of an array.
    Open(usize),
    /// Reads the scope in this place, and closes it.
    Close(usize),
    /// Does a job. `attach_to` is the scope to attach to, if the way asks for one.
    Do { way: Way, job: Job, attach_to: Option<usize> },
}

/// Which block, and how big it is to be.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) act: Act,
    pub(crate) slot: usize,
    pub(crate) size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    AllocA,
    AllocB,
    ReallocA,
    ReallocB,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Here,
    /// In `uncounted`.
    InUncounted,
    /// In `uncounted`, while attached.
    AttachedInUncounted,
    /// Attached to a scope that counts here anyway.
    Twice,
    /// On another thread.
    Elsewhere,
    /// On another thread that is attached.
    Attached,
    /// On another thread, in a future that is counted for the scope.
    Polled,
    /// On a thread past its end, which has no stacks.
    Orphan,
}

pub(crate) const WAYS: [Way; 8] = [
    Way::Here,
    Way::InUncounted,
    Way::AttachedInUncounted,
    Way::Twice,
    Way::Elsewhere,
    Way::Attached,
    Way::Polled,
    Way::Orphan, // The last, since Windows has none.
];

impl Way {
    pub(crate) fn attaches(self) -> bool {
        !matches!(self, Self::Here | Self::InUncounted | Self::Elsewhere | Self::Orphan)
    }

    /// Does the job on the calling thread, or has another one do it.
    pub(crate) fn go(self, job: Job, handle: Option<ScopeHandle>) {
        match self {
            Self::Here => here(job),
            Self::InUncounted => in_uncounted(job),
            Self::AttachedInUncounted => {
                let handle = handle.expect("attached");
                uncounted(|| handle.run(|| attached_in_uncounted(job)));
            }
            Self::Twice => twice(job, &handle.expect("attached")),
            Self::Elsewhere | Self::Attached | Self::Polled | Self::Orphan => {
                helper::send(self, job, handle)
            }
        }
    }

    /// On another thread.
    pub(crate) fn serve(self, job: Job, handle: Option<ScopeHandle>) {
        match self {
            Self::Attached => attached(job, &handle.expect("attached")),
            Self::Polled => {
                let handle = handle.expect("attached");
                let future = pin!(handle.instrument(async { polled(job) }));
                let waker = helper::waker();
                assert!(future.poll(&mut Context::from_waker(&waker)).is_ready());
            }
            _ => elsewhere(job),
        }
    }
}

#[inline(never)]
fn here(job: Job) {
    job.act();
    black_box(1);
}

#[inline(never)]
fn in_uncounted(job: Job) {
    uncounted(|| job.act());
    black_box(2);
}

// A scope does not show the functions above the place where a thread attached to it. So the name is
// that of the function inside.
#[inline(never)]
fn attached_in_uncounted(job: Job) {
    job.act();
    black_box(3);
}

#[inline(never)]
fn twice(job: Job, handle: &ScopeHandle) {
    let _attached = handle.attach();
    job.act();
}

#[inline(never)]
fn elsewhere(job: Job) {
    job.act();
    black_box(5);
}

#[inline(never)]
fn attached(job: Job, handle: &ScopeHandle) {
    let attached = handle.attach();
    job.act();
    drop(attached);
}

#[inline(never)]
fn polled(job: Job) {
    job.act();
    black_box(6);
}

struct Slot {
    block: AtomicPtr<u8>,
    size: AtomicUsize,
}

#[allow(clippy::declare_interior_mutable_const)] // A template.
const EMPTY: Slot = Slot { block: AtomicPtr::new(null_mut()), size: AtomicUsize::new(0) };

static BLOCKS: [Slot; SLOTS] = [EMPTY; SLOTS];

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("small")
}

impl Job {
    #[inline(never)]
    fn act(self) {
        let Slot { block, size } = &BLOCKS[self.slot];
        let (old, old_size) = (block.load(SeqCst), size.load(SeqCst));
        let new = match self.act {
            Act::AllocA => alloc_a(self.size),
            Act::AllocB => alloc_b(self.size),
            Act::ReallocA => realloc_a(old, old_size, self.size),
            Act::ReallocB => realloc_b(old, old_size, self.size),
            Act::Free => {
                free(old, old_size);
                null_mut()
            }
        };
        block.store(new, SeqCst);
        size.store(self.size, SeqCst);
    }
}

#[inline(never)]
fn alloc_a(size: usize) -> *mut u8 {
    // SAFETY: no size is zero; likewise below.
    black_box(unsafe { alloc(layout(size)) })
}

#[inline(never)]
fn alloc_b(size: usize) -> *mut u8 {
    // SAFETY: as above.
    let block = unsafe { alloc(layout(size)) };
    black_box((block, 2)).0
}

#[inline(never)]
fn realloc_a(old: *mut u8, old_size: usize, size: usize) -> *mut u8 {
    // SAFETY: the block of a slot has the size that is there; likewise below.
    black_box(unsafe { realloc(old, layout(old_size), size) })
}

#[inline(never)]
fn realloc_b(old: *mut u8, old_size: usize, size: usize) -> *mut u8 {
    // SAFETY: as above.
    let block = unsafe { realloc(old, layout(old_size), size) };
    black_box((block, 2)).0
}

fn free(old: *mut u8, old_size: usize) {
    // SAFETY: as above.
    unsafe { dealloc(old, layout(old_size)) };
}

pub(crate) fn free_all() {
    for (slot, Slot { block, .. }) in BLOCKS.iter().enumerate() {
        if !block.load(SeqCst).is_null() {
            Job { act: Act::Free, slot, size: 0 }.act();
        }
    }
}

impl Program {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let max_frames = [None, Some(16)][random.below(2)];
        let has_dhat = random.below(4) > 0;
        let mut steps = Vec::new();
        // In some programs scopes end in any order, and in the others in the right one.
        let is_orderly = random.below(2) == 0;
        let (mut open, mut is_used) = (Vec::new(), [false; SLOTS]);
        for _ in 0..random.below(300) {
            match random.below(20) {
                0 => {
                    if let Some(at) = (0..MAX_SCOPES).find(|at| !open.contains(at)) {
                        open.push(at);
                        steps.push(Step::Open(at));
                    }
                }
                1 if !open.is_empty() => {
                    let last = open.len() - 1;
                    let at = if is_orderly { last } else { random.below(open.len()) };
                    steps.push(Step::Close(open.remove(at)));
                }
                _ => {
                    let way = WAYS[random.below(WAYS.len() - usize::from(cfg!(windows)))];
                    if way.attaches() && open.is_empty() {
                        continue;
                    }
                    let attach_to = way.attaches().then(|| open[random.below(open.len())]);
                    let slot = random.below(SLOTS);
                    let acts = match is_used[slot] {
                        false => [Act::AllocA, Act::AllocB, Act::AllocA],
                        true => [Act::ReallocA, Act::ReallocB, Act::Free],
                    };
                    let act = acts[random.below(3)];
                    is_used[slot] = act != Act::Free;
                    let size = [8, 8, 16, 100, 5_000][random.below(5)];
                    steps.push(Step::Do { way, job: Job { act, slot, size }, attach_to });
                }
            }
        }
        while let Some(at) = open.pop() {
            steps.push(Step::Close(at));
        }
        Self { has_dhat, max_frames, steps }
    }
}
