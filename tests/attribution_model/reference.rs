//! The model. Every event goes to every scope that its thread counts for; nothing is subtracted,
//! folded or divided into parts.

use std::collections::BTreeMap;

use mod_alloc::AllocStats;

use crate::program::{Asked, Op, Step, DRIVER, HANDLES, SCOPES, SLOTS, TASKS, THREADS};

/// What a reading should be.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) stats: AllocStats,
    /// If not, nobody has asked for the peak of several threads together.
    pub(crate) is_peak_exact: bool,
    /// The blocks and bytes that a budget says were retained.
    pub(crate) retained: Option<(u64, u64)>,
    /// The largest block that a budget says was requested.
    pub(crate) largest: Option<u64>,
    /// Whether a budget has recorded call sites.
    pub(crate) call_sites: bool,
}

/// The blocks and bytes that the end of a thread frees while it is still attached, beside those
/// that a program knows of.
pub(crate) type ThreadEnd = (u64, usize);

struct Scope {
    stats: AllocStats,
    largest: u64,
    asked: Asked,
    has_ended: bool,
    /// Whether something that was to be counted came too late.
    has_warned: bool,
    /// The scopes around it, once it is shared.
    enclosing: Option<Vec<usize>>,
    /// The live blocks that were allocated in it, and their sizes.
    live: BTreeMap<u64, u64>,
}

#[derive(Clone)]
enum Entry {
    Scope(usize),
    /// It is attached to all of these scopes, of which the innermost is the last.
    Attached(Vec<usize>),
    Uncounted,
}

#[derive(Default)]
struct Thread {
    /// Each has a number of its own.
    entries: Vec<(u64, Entry)>,
    /// What to do at the end of each stretch that is open.
    stretches: Vec<Stretch>,
    scopes: [Option<(u64, usize)>; SCOPES],
    /// The number of the entry that each guard has made, if it is attached.
    guards: [Option<u64>; SCOPES],
}

enum Stretch {
    /// Nothing is to be done: there was no handle or no task, or it came too late.
    Plain,
    Entry(u64),
    /// A budget ends.
    Check(u64, usize),
    Poll {
        entry: Option<u64>,
        index: usize,
        task: Task,
        is_last: bool,
    },
}

#[derive(Clone, Copy)]
enum Task {
    Instrumented { scope: usize, slot: usize },
    Budget { scope: usize },
}

pub(crate) struct Model {
    scopes: Vec<Scope>,
    threads: [Thread; THREADS],
    blocks: [Option<(u64, usize)>; SLOTS],
    handles: [Option<usize>; HANDLES],
    tasks: [Option<Task>; TASKS],
    clock: u64,
    thread_end: ThreadEnd,
    expected: Vec<Expected>,
}

/// Runs the model. Returns what every reading should be, and how many scopes should say on stderr
/// that something came too late.
pub(crate) fn run(steps: &[Step], thread_end: ThreadEnd) -> (Vec<Expected>, usize) {
    let mut model = Model {
        scopes: vec![],
        threads: Default::default(),
        blocks: [None; SLOTS],
        handles: [None; HANDLES],
        tasks: [None; TASKS],
        clock: 0,
        thread_end,
        expected: vec![],
    };
    for step in steps.iter().filter(|step| step.thread != DRIVER) {
        model.step(step.thread, step.op);
    }
    let warned = model.scopes.iter().filter(|scope| scope.has_warned).count();
    (model.expected, warned)
}

impl Model {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// The scopes that count what happens in these entries, each once.
    fn seen<'a>(&self, entries: impl DoubleEndedIterator<Item = &'a (u64, Entry)>) -> Vec<usize> {
        let mut seen = vec![];
        for (_, entry) in entries.rev() {
            match entry {
                Entry::Uncounted => break,
                Entry::Scope(scope) => seen.push(*scope),
                Entry::Attached(scopes) => seen.extend(scopes),
            }
        }
        seen.retain(|&scope| !self.scopes[scope].has_ended);
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    /// The same for entries that all see each other, outermost first.
    fn around(&self, entries: &[(u64, Entry)]) -> Vec<usize> {
        let mut around = vec![];
        for (_, entry) in entries {
            match entry {
                Entry::Uncounted => {}
                Entry::Scope(scope) => around.push(*scope),
                Entry::Attached(scopes) => around.extend(scopes),
            }
        }
        around.retain(|&scope| !self.scopes[scope].has_ended);
        let mut known = vec![];
        around.retain(|scope| {
            let is_new = !known.contains(scope);
            known.push(*scope);
            is_new
        });
        around
    }

    fn event(&mut self, thread: usize, update: impl Fn(&mut Scope)) {
        for scope in self.seen(self.threads[thread].entries.iter()) {
            let scope = &mut self.scopes[scope];
            update(scope);
            scope.stats.peak_bytes = scope.stats.peak_bytes.max(scope.stats.current_bytes);
        }
    }

    fn alloc(&mut self, thread: usize, slot: usize, size: usize) {
        let block = self.tick();
        self.blocks[slot] = Some((block, size));
        self.event(thread, |scope| {
            scope.stats.alloc_count += 1;
            scope.stats.total_bytes += size as u64;
            scope.stats.current_bytes += size as i64;
            scope.stats.live_count += 1;
            scope.largest = scope.largest.max(size as u64);
            if scope.asked.retained {
                scope.live.insert(block, size as u64);
            }
        });
    }

    fn realloc(&mut self, thread: usize, slot: usize, new: usize) {
        let Some((block, old)) = self.blocks[slot] else { return };
        self.blocks[slot] = Some((block, new));
        self.event(thread, |scope| {
            scope.stats.alloc_count += 1;
            scope.stats.realloc_count += 1;
            scope.stats.total_bytes += new as u64;
            scope.largest = scope.largest.max(new as u64);
            scope.stats.current_bytes += new as i64 - old as i64;
        });
        let entries = self.scopes.iter_mut().filter_map(|scope| scope.live.get_mut(&block));
        entries.for_each(|size| *size = new as u64);
    }

    fn free(&mut self, thread: usize, slot: usize) {
        let Some((block, size)) = self.blocks[slot].take() else { return };
        self.dealloc(thread, size);
        for scope in &mut self.scopes {
            scope.live.remove(&block);
        }
    }

    fn dealloc(&mut self, thread: usize, size: usize) {
        self.event(thread, |scope| {
            scope.stats.dealloc_count += 1;
            scope.stats.current_bytes -= size as i64;
            scope.stats.live_count -= 1;
        });
    }

    fn scope(&mut self, asked: Asked) -> usize {
        self.scopes.push(Scope {
            stats: AllocStats::default(),
            largest: 0,
            asked,
            has_ended: false,
            has_warned: false,
            enclosing: None,
            live: BTreeMap::new(),
        });
        self.scopes.len() - 1
    }

    fn push(&mut self, thread: usize, entry: Entry) -> u64 {
        let id = self.tick();
        self.threads[thread].entries.push((id, entry));
        id
    }

    fn pop(&mut self, thread: usize, id: u64) {
        self.threads[thread].entries.retain(|(other, _)| *other != id);
    }

    fn end(&mut self, scope: usize) {
        self.scopes[scope].has_ended = true;
    }

    fn read(&mut self, scope: usize) {
        let Scope { stats, largest, asked, enclosing, live, .. } = &self.scopes[scope];
        self.expected.push(Expected {
            stats: *stats,
            is_peak_exact: asked.peak || enclosing.is_none(),
            retained: asked.retained.then(|| (live.len() as u64, live.values().sum())),
            largest: asked.largest.then_some(*largest),
            call_sites: asked.call_sites,
        });
    }

    /// Attaches the thread to the scope. Returns `None` if the scope has ended.
    fn attach(&mut self, thread: usize, scope: usize, is_loud: bool) -> Option<u64> {
        if self.scopes[scope].has_ended {
            self.scopes[scope].has_warned |= is_loud;
            return None;
        }
        let mut scopes = self.scopes[scope].enclosing.clone().expect("shared");
        scopes.push(scope);
        Some(self.push(thread, Entry::Attached(scopes)))
    }

    /// Shares the scope of the entry at `depth`, and those around it.
    fn share(&mut self, thread: usize, depth: usize) {
        let entries = self.threads[thread].entries.clone();
        let is_uncounted = |(_, entry): &(u64, Entry)| matches!(entry, Entry::Uncounted);
        let outermost = entries[..depth].iter().rposition(is_uncounted).map_or(0, |at| at + 1);
        for at in outermost..=depth {
            if let Entry::Scope(scope) = entries[at].1 {
                if self.scopes[scope].enclosing.is_none() {
                    self.scopes[scope].enclosing = Some(self.around(&entries[outermost..at]));
                }
            }
        }
    }

    fn share_scope(&mut self, thread: usize, opened: u64) {
        let depth = self.threads[thread].entries.iter().position(|(id, _)| *id == opened);
        self.share(thread, depth.expect("open until it is closed"));
    }

    fn current(&mut self, thread: usize) -> Option<usize> {
        for depth in (0..self.threads[thread].entries.len()).rev() {
            let found = match &self.threads[thread].entries[depth].1 {
                Entry::Uncounted => return None,
                Entry::Scope(scope) => Some(*scope),
                Entry::Attached(scopes) => {
                    scopes.iter().rev().copied().find(|&scope| !self.scopes[scope].has_ended)
                }
            };
            if let Some(scope) = found {
                self.share(thread, depth);
                return Some(scope);
            }
        }
        None
    }

    fn close(&mut self, thread: usize, slot: usize) -> Option<usize> {
        let (opened, scope) = self.threads[thread].scopes[slot].take()?;
        self.pop(thread, opened);
        self.end(scope);
        Some(scope)
    }

    fn exit(&mut self, thread: usize, slot: usize) {
        if let Some(scope) = self.close(thread, slot) {
            self.read(scope);
        }
    }

    fn detach(&mut self, thread: usize, guard: usize) {
        if let Some(attached) = self.threads[thread].guards[guard].take() {
            self.pop(thread, attached);
        }
    }

    fn drop_task(&mut self, thread: usize, task: Option<Task>) {
        match task {
            None => {}
            Some(Task::Budget { scope }) => self.end(scope),
            Some(Task::Instrumented { scope, slot }) => {
                let attached = self.attach(thread, scope, false);
                self.free(thread, slot);
                attached.into_iter().for_each(|attached| self.pop(thread, attached));
            }
        }
    }

    fn open_stretch(&mut self, thread: usize, stretch: Stretch) {
        self.threads[thread].stretches.push(stretch);
    }

    fn end_stretch(&mut self, thread: usize) {
        match self.threads[thread].stretches.pop() {
            None => self.end_thread(thread),
            Some(Stretch::Plain) => {}
            Some(Stretch::Entry(entry)) => self.pop(thread, entry),
            Some(Stretch::Check(entry, scope)) => {
                self.pop(thread, entry);
                self.end(scope);
                self.read(scope);
            }
            Some(Stretch::Poll { entry, index, task, is_last }) => {
                entry.into_iter().for_each(|entry| self.pop(thread, entry));
                if let (true, Task::Budget { scope }) = (is_last, task) {
                    self.end(scope);
                    self.read(scope);
                }
                if is_last {
                    self.drop_task(thread, Some(task));
                } else {
                    let other = self.tasks[index].replace(task);
                    self.drop_task(thread, other);
                }
            }
        }
    }

    fn end_thread(&mut self, thread: usize) {
        (0..SCOPES).for_each(|guard| self.detach(thread, guard));
        (0..SCOPES).for_each(|scope| self.exit(thread, scope));
        let (blocks, bytes) = self.thread_end;
        for block in 0..blocks {
            self.dealloc(thread, if block == 0 { bytes } else { 0 });
        }
        for (_, entry) in std::mem::take(&mut self.threads[thread].entries) {
            if let Entry::Scope(scope) = entry {
                self.end(scope);
            }
        }
    }

    fn step(&mut self, thread: usize, op: Op) {
        match op {
            Op::Alloc { slot, size, .. } => {
                self.free(thread, slot);
                self.alloc(thread, slot, size);
            }
            Op::Realloc { slot, size } => self.realloc(thread, slot, size),
            Op::Dealloc { slot } => self.free(thread, slot),
            Op::Enter { scope: slot, .. } => {
                self.close(thread, slot);
                let scope = self.scope(Asked { peak: true, ..Asked::NOTHING });
                let opened = self.push(thread, Entry::Scope(scope));
                self.threads[thread].scopes[slot] = Some((opened, scope));
            }
            Op::Read { scope } => {
                if let Some((_, scope)) = self.threads[thread].scopes[scope] {
                    self.read(scope);
                }
            }
            Op::Exit { scope } => self.exit(thread, scope),
            Op::Forget { scope } => self.threads[thread].scopes[scope] = None,
            Op::Share { scope, handle } => {
                if let Some((opened, scope)) = self.threads[thread].scopes[scope] {
                    self.share_scope(thread, opened);
                    self.handles[handle] = Some(scope);
                }
            }
            Op::Current { handle } => self.handles[handle] = self.current(thread),
            Op::DropHandle { handle } => self.handles[handle] = None,
            Op::Attach { handle, guard } => {
                self.detach(thread, guard);
                if let Some(scope) = self.handles[handle] {
                    self.threads[thread].guards[guard] = self.attach(thread, scope, true);
                }
            }
            Op::Detach { guard } => self.detach(thread, guard),
            Op::ForgetGuard { guard } => self.threads[thread].guards[guard] = None,
            Op::AttachThread { handle } => {
                if let Some(scope) = self.handles[handle] {
                    self.attach(thread, scope, false);
                }
            }
            Op::Instrument { handle, task, slot } => {
                if let Some(scope) = self.handles[handle] {
                    let other = self.tasks[task].replace(Task::Instrumented { scope, slot });
                    self.drop_task(thread, other);
                }
            }
            Op::Budget { task, asked } => {
                let scope = self.scope(asked);
                let other = self.tasks[task].replace(Task::Budget { scope });
                self.drop_task(thread, other);
            }
            Op::DropTask { task } => {
                let task = self.tasks[task].take();
                self.drop_task(thread, task);
            }
            Op::Run { handle } => {
                let attached = self.handles[handle].and_then(|s| self.attach(thread, s, true));
                self.open_stretch(thread, attached.map_or(Stretch::Plain, Stretch::Entry));
            }
            Op::Uncounted => {
                let uncounted = self.push(thread, Entry::Uncounted);
                self.open_stretch(thread, Stretch::Entry(uncounted));
            }
            Op::Check { asked } => {
                let scope = self.scope(asked);
                let opened = self.push(thread, Entry::Scope(scope));
                self.open_stretch(thread, Stretch::Check(opened, scope));
            }
            Op::Poll { task: index, is_last } => match self.tasks[index].take() {
                None => self.open_stretch(thread, Stretch::Plain),
                Some(task) => {
                    let entry = match task {
                        Task::Instrumented { scope, .. } => self.attach(thread, scope, true),
                        Task::Budget { scope } => Some(self.push(thread, Entry::Scope(scope))),
                    };
                    self.open_stretch(thread, Stretch::Poll { entry, index, task, is_last });
                }
            },
            Op::End => self.end_stretch(thread),
            Op::Join { .. } | Op::Stop => {}
        }
    }
}
