//! Hot: tests of heap profiles: random programs of one thread against a model that keeps every
//! block, and threads that meet. Addresses are made up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::super::live::{begin_realloc, end_realloc, forget};
use super::*;
use crate::counters::Blocks;
use crate::stacks::made_up_stack;
use crate::sys::random_tests::Random;

/// Addresses that no other test has, and no real block.
fn addresses(count: usize) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0x1000);
    NEXT.fetch_add(16 * count, SeqCst)
}

fn points() -> &'static HeapProfile {
    Box::leak(Box::new(HeapProfile::NEW))
}

/// As [`PointNumbers`], but for lifetimes.
type Numbers = [Blocks; 4];

fn read(points: &HeapProfile) -> BTreeMap<Vec<usize>, Numbers> {
    let mut read = BTreeMap::new();
    points.visit(&mut |point, numbers| {
        let PointNumbers { total, live, max, at_peak, .. } = numbers;
        let key = point.stack().map_or_else(Vec::new, |stack| stack.return_addresses());
        assert!(read.insert(key, [total, live, max, at_peak]).is_none(), "a point twice");
    });
    read
}

/// Looks at every block at every event.
#[derive(Default)]
struct Model {
    depth: usize,
    /// ProgramPoint and size.
    live: BTreeMap<usize, (Vec<usize>, u64)>,
    total: BTreeMap<Vec<usize>, Blocks>,
    max: BTreeMap<Vec<usize>, Blocks>,
    peak: u64,
    at_peak: BTreeMap<Vec<usize>, Blocks>,
}

impl Model {
    fn live(&self) -> BTreeMap<Vec<usize>, Blocks> {
        let mut live: BTreeMap<Vec<usize>, Blocks> = BTreeMap::new();
        for (point, size) in self.live.values() {
            let sum = live.entry(point.clone()).or_default();
            *sum = *sum + Blocks::one(*size);
        }
        live
    }

    fn allocate(&mut self, address: usize, size: u64, stack: &[usize]) {
        let point = stack[stack.len().saturating_sub(self.depth)..].to_vec();
        self.live.insert(address, (point.clone(), size));
        self.count(&point, size);
    }

    fn reallocate(&mut self, address: usize, to: usize, size: u64, stack: &[usize]) {
        match self.live.remove(&address) {
            Some((point, _)) => {
                self.live.insert(to, (point.clone(), size));
                self.count(&point, size);
            }
            None => self.allocate(to, size, stack),
        }
    }

    fn count(&mut self, point: &[usize], size: u64) {
        let total = self.total.entry(point.to_vec()).or_default();
        *total = *total + Blocks::one(size);
        let all = self.live();
        let live = all.get(point).copied().unwrap_or_default();
        let max = self.max.entry(point.to_vec()).or_default();
        if live.bytes >= max.bytes {
            *max = live;
        }
        let bytes = all.values().map(|live| live.bytes).sum();
        if bytes >= self.peak {
            (self.peak, self.at_peak) = (bytes, all);
        }
    }

    fn numbers(&self) -> BTreeMap<Vec<usize>, Numbers> {
        let live = self.live();
        let of =
            |blocks: &BTreeMap<Vec<usize>, Blocks>, point: &Vec<usize>| blocks.get(point).copied();
        let numbers = |point: &Vec<usize>, total: &Blocks| {
            let now = of(&live, point).unwrap_or_default();
            let at_peak = of(&self.at_peak, point).unwrap_or_default();
            (point.clone(), [*total, now, self.max[point], at_peak])
        };
        self.total.iter().map(|(point, total)| numbers(point, total)).collect()
    }
}

/// One profile, of several that follow each other in the same `HeapProfile`.
fn program(points: &'static HeapProfile, random: &mut Random, depth: usize) {
    assert!(points.begin(depth));
    let serial = points.serial();
    let first = addresses(64);
    let mut model = Model { depth, ..Model::default() };
    let mut before: Vec<usize> = (0..4).map(|at| first + 16 * at).collect();
    for _ in 0..random.below(200) {
        let address = first + 16 * random.below(64);
        let size = [8, 8, 16, 100][random.below(4)];
        let innermost = 900 + random.below(3);
        // The outermost function of a thread is never an inner one.
        let stack = match random.below(3) {
            0 => made_up_stack(&[7, random.below(2), 5, innermost]),
            1 => made_up_stack(&[8, 5, innermost]),
            _ => made_up_stack(&[9, innermost]),
        };
        let to = first + 16 * random.below(64);
        let is_live = model.live.contains_key(&address) || before.contains(&address);
        let is_free = |at| at == address || !model.live.contains_key(&at) && !before.contains(&at);
        match random.below(5) {
            0 | 1 if !is_live => {
                points.enter(serial, address, size, Some(stack), random.below(2) == 0);
                model.allocate(address, size, &stack.return_addresses());
            }
            2 if is_live && is_free(to) => {
                end_realloc(&begin_realloc(address), to, size);
                points.reenter(serial, to, size, Some(stack));
                model.reallocate(address, to, size, &stack.return_addresses());
                before.retain(|at| *at != address);
            }
            3 | 4 if is_live => {
                forget(address);
                model.live.remove(&address);
                before.retain(|at| *at != address);
            }
            _ => {}
        }
        if random.below(8) == 0 {
            assert_eq!(read(points), model.numbers());
        }
    }
    assert_eq!(read(points), model.numbers());
    assert_eq!(points.lost(), 0);
    let mut alive = 0;
    points.visit_ages(&mut |_, _| alive += 1);
    assert_eq!(alive, model.live.len());
    points.end();
}

#[test]
fn random_programs_agree_with_a_model() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let points = points();
        for depth in [usize::MAX, 2, 3, usize::MAX] {
            program(points, &mut random, depth);
        }
    }
}

#[test]
fn blocks_of_an_earlier_profile_count_no_more() {
    let points = points();
    let address = addresses(4);
    let stack = Some(made_up_stack(&[31, 32]));
    assert!(points.begin(usize::MAX));
    let serial = points.serial();
    points.enter(serial, address, 10, stack, true);
    points.enter(serial, address + 16, 10, stack, true);
    points.enter(serial, address + 48, 10, stack, true);
    points.lost_one();
    points.end();
    points.enter(serial, address + 32, 10, stack, true);
    assert!(points.begin(usize::MAX));
    assert_eq!((points.times().peak, points.lost()), (0, 0));
    points.enter(serial, address + 32, 10, stack, true);
    forget(address);
    end_realloc(&begin_realloc(address + 16), address + 16, 20);
    assert!(read(points).is_empty());
    points.reenter(points.serial(), address + 16, 20, stack);
    points.reenter(serial, address + 16, 20, stack);
    let all = Blocks::one(20);
    assert_eq!(read(points).into_values().collect::<Vec<_>>(), [[all; 4]]);
    // Its reallocation began while nobody tracked.
    points.reenter(points.serial(), address + 48, 20, stack);
    let all = Blocks { blocks: 2, bytes: 40 };
    assert_eq!(read(points).into_values().collect::<Vec<_>>(), [[all; 4]]);
    points.end();
}

#[test]
fn blocks_without_room_are_in_the_totals_alone() {
    let points = points();
    assert!(points.begin(usize::MAX));
    // There is no room for a block at null.
    points.enter(points.serial(), 0, 10, None, true);
    points.reenter(points.serial(), 0, 20, None);
    let total = Blocks { blocks: 2, bytes: 30 };
    let numbers = [total, Blocks::NONE, Blocks::NONE, Blocks::NONE];
    assert_eq!(read(points).into_values().collect::<Vec<_>>(), [numbers]);
    assert_eq!(points.lost(), 2);
    points.end();
}

#[test]
fn blocks_without_a_stack_have_a_point_too() {
    let points = points();
    let address = addresses(1);
    assert!(points.begin(5));
    points.enter(points.serial(), address, 10, None, true);
    forget(address);
    let numbers = [Blocks::one(10), Blocks::NONE, Blocks::one(10), Blocks::one(10)];
    assert_eq!(read(points), BTreeMap::from([(Vec::new(), numbers)]));
    points.end();
}

#[test]
fn a_reallocation_carries_a_block_of_any_number_of_profiles() {
    let all = [(); 20].map(|()| points());
    let address = addresses(1);
    for points in all {
        assert!(points.begin(usize::MAX));
        points.enter(points.serial(), address, 10, None, false);
    }
    end_realloc(&begin_realloc(address), address, 20);
    for points in all {
        assert!(points.find(address).is_some() && points.lost() == 0);
        points.reenter(points.serial(), address, 20, None);
        let (total, live) = (Blocks { blocks: 2, bytes: 30 }, Blocks::one(20));
        assert_eq!(read(points).into_values().collect::<Vec<_>>(), [[total, live, live, live]]);
        points.end();
    }
    forget(address);
}

#[test]
fn lifetimes_are_in_nanoseconds() {
    if !cfg!(feature = "dhat-compat") {
        return;
    }
    const MS: u64 = 1_000_000;
    // The thread may be held up between its looks at the two clocks, but not every time.
    let points = points();
    let tried: Vec<_> = (0..10).map(|_| lifetimes(points)).collect();
    let is_right = |[peak, freed, alive, now, most]: &[u64; 5]| {
        // A block may be some nanoseconds older than it is.
        let is_short = peak + freed / 2 <= now + 1_000 && alive <= now && now <= most;
        *peak >= 5 * MS && *freed >= 10 * MS && *alive >= 10 * MS && is_short
    };
    // Not the first profile of them: it begins anew, whatever the one before has counted.
    assert!(tried[1..].iter().any(is_right), "{tried:?}");
}

/// Of three blocks, of which two are allocated five milliseconds after the first, at the peak, and
/// freed as much later: when the peak was, how old the two became together, how old the first is,
/// how old the profile is, and how old at most by another clock.
fn lifetimes(points: &'static HeapProfile) -> [u64; 5] {
    let address = addresses(3);
    let pause = || thread::sleep(std::time::Duration::from_millis(5));
    let before = std::time::Instant::now();
    assert!(points.begin(usize::MAX));
    points.enter(points.serial(), address, 10, None, true);
    pause();
    points.enter(points.serial(), address + 16, 10, None, true);
    points.enter(points.serial(), address + 32, 10, None, true);
    pause();
    forget(address + 16);
    forget(address + 32);
    let (mut freed, mut alive) = (0, 0);
    points.visit(&mut |_, numbers| freed = numbers.lifetimes);
    points.visit_ages(&mut |_, age| alive = age);
    let Times { peak, now } = points.times();
    let most = u64::try_from(before.elapsed().as_nanos()).expect("a short while");
    points.end();
    [peak, freed, alive, now, most]
}

#[test]
fn threads_that_free_each_others_blocks_lose_none() {
    let points = points();
    assert!(points.begin(2));
    let serial = points.serial();
    let first = addresses(4_000);
    thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                // Each allocates its own blocks, and frees those of the one before it, as soon as
                // they are there.
                for at in 0..1_000 {
                    let address = first + 16 * (worker * 1_000 + at);
                    let stack = made_up_stack(&[at % 7, worker, at % 5, 77]);
                    points.enter(serial, address, 8, Some(stack), true);
                    end_realloc(&begin_realloc(address), address, 16);
                    points.reenter(serial, address, 16, Some(stack));
                    if at % 2 == 0 {
                        forget(address);
                    }
                }
            });
        }
    });
    let all = read(points);
    assert_eq!(all.len(), 5, "the innermost two addresses tell them apart");
    let sum = |at: usize| all.values().fold(Blocks::NONE, |sum, numbers| sum + numbers[at]);
    assert_eq!(sum(0), Blocks { blocks: 8_000, bytes: 4_000 * (8 + 16) });
    assert_eq!(sum(1), Blocks { blocks: 2_000, bytes: 2_000 * 16 });
    for [_, live, max, at_peak] in all.values() {
        assert!(max.bytes >= live.bytes && max.bytes >= at_peak.bytes);
    }
    points.end();
}
