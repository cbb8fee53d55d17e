//! The model. It looks at every block of every profile at every event.

use std::collections::BTreeMap;

use crate::program::{Act, Job, Program, Step, Way, MAX_SCOPES};

/// The function that allocates, and the way to it.
pub(crate) type Point = (Act, Way);

/// The point of all blocks that have no stack.
pub(crate) const ORPHANS: Point = (Act::AllocA, Way::Orphan);

/// Blocks and bytes: in total, at the maximum of the point, at the peak of the profile, and at the
/// end.
pub(crate) type Numbers = [u64; 8];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Scope(usize),
    Process(usize),
    Dhat,
}

#[derive(Clone, Default)]
struct Profile {
    /// The live block of each slot: the point where it was allocated, and its size.
    live: BTreeMap<usize, (Point, u64)>,
    points: BTreeMap<Point, Numbers>,
    peak: u64,
}

impl Profile {
    fn at(&self, point: Point) -> [u64; 2] {
        let here = self.live.values().filter(|(of, _)| *of == point);
        here.fold([0, 0], |[blocks, bytes], (_, size)| [blocks + 1, bytes + size])
    }

    /// One event. If it is not `is_seen`, the profile only knows of what happens to its own blocks.
    fn note(&mut self, way: Way, job: Job, is_seen: bool) {
        let Job { act, slot, size } = job;
        let size = size as u64;
        if act == Act::Free {
            self.live.remove(&slot);
            return;
        }
        let known = self.live.get(&slot).copied();
        let (point, old_size) = match (known, is_seen) {
            (Some(known), _) => known,
            (None, true) if way == Way::Orphan => (ORPHANS, 0),
            (None, true) => ((act, way), 0),
            (None, false) => return,
        };
        self.live.insert(slot, (point, size));
        let [blocks, bytes] = self.at(point);
        let numbers = self.points.entry(point).or_default();
        if is_seen {
            numbers[0] += 1;
            numbers[1] += size;
        }
        if size >= old_size && bytes >= numbers[3] {
            (numbers[2], numbers[3]) = (blocks, bytes);
        }
        let all = self.live.values().map(|(_, size)| size).sum();
        if size >= old_size && all >= self.peak {
            self.peak = all;
            self.read().into_iter().for_each(|(point, [.., blocks, bytes])| {
                let numbers = self.points.get_mut(&point).expect("known");
                (numbers[4], numbers[5]) = (blocks, bytes);
            });
        }
    }

    fn read(&self) -> BTreeMap<Point, Numbers> {
        let mut points = self.points.clone();
        for (point, numbers) in &mut points {
            [numbers[6], numbers[7]] = self.at(*point);
        }
        points
    }
}

#[derive(Default)]
pub(crate) struct Model {
    process: Profile,
    budget: Profile,
    has_dhat: bool,
}

impl Model {
    pub(crate) fn run(&mut self, program: &Program) -> Vec<(Reader, BTreeMap<Point, Numbers>)> {
        self.has_dhat = program.has_dhat;
        let mut read = Vec::new();
        // In the order in which they were opened.
        let mut scopes: Vec<(usize, Profile)> = Vec::with_capacity(MAX_SCOPES);
        for step in &program.steps {
            match *step {
                Step::Open(at) => scopes.push((at, Profile::default())),
                Step::Close(at) => {
                    let found = scopes.iter().position(|(of, _)| *of == at).expect("open");
                    read.push((Reader::Scope(at), scopes.remove(found).1.read()));
                }
                Step::Do { way, job, attach_to } => {
                    let place = |at| scopes.iter().position(|(of, _)| *of == at);
                    let seen = match way {
                        Way::Here | Way::Twice => scopes.len(),
                        Way::InUncounted | Way::Elsewhere | Way::Orphan => 0,
                        Way::AttachedInUncounted | Way::Attached | Way::Polled => {
                            attach_to.and_then(place).map_or(0, |place| place + 1)
                        }
                    };
                    for (place, (_, scope)) in scopes.iter_mut().enumerate() {
                        scope.note(way, job, place < seen);
                    }
                    // The budget is around all of them. A block from before does not become one of
                    // the budget's when it is reallocated.
                    let is_fresh = matches!(job.act, Act::AllocA | Act::AllocB);
                    let is_seen = way.attaches() || way == Way::Here;
                    self.budget.note(way, job, is_seen && is_fresh);
                    self.process.note(way, job, true);
                }
            }
        }
        read.extend((0..3).map(|at| (Reader::Process(at), self.process.read())));
        if program.has_dhat {
            read.push((Reader::Dhat, self.process.read()));
        }
        read
    }

    /// The blocks and bytes of the process, if `dhat` was asked for.
    pub(crate) fn total(&self) -> [u64; 2] {
        if !self.has_dhat {
            return [0; 2];
        }
        let points = self.process.points.values();
        points.fold([0; 2], |[blocks, bytes], of| [blocks + of[0], bytes + of[1]])
    }

    pub(crate) fn retained(&self) -> [u64; 2] {
        let live = self.budget.live.values();
        live.fold([0; 2], |[blocks, bytes], (_, size)| [blocks + 1, bytes + size])
    }
}
