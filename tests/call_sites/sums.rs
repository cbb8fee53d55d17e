//! What a scope has at its sites comes to what it has counted, whatever was open before it, around
//! it and within: scopes that end out of order, `uncounted`, and other threads' scopes.

use std::hint::black_box;
use std::sync::mpsc::{channel, Sender};
use std::thread::{self, JoinHandle};

use mod_alloc::{uncounted, AllocScope, Attached, Budget, ScopeHandle};

use crate::needs_call_sites::needs_call_sites;
use crate::part_of::part_of;
use crate::random::Random;

/// A scope that is open on another thread.
struct Elsewhere {
    handle: ScopeHandle,
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Elsewhere {
    fn open(scope: fn() -> AllocScope) -> Self {
        let (give, take) = channel();
        let (end, wait) = channel();
        let thread = thread::spawn(move || {
            let scope = scope();
            give.send(scope.handle()).expect("somebody waits");
            wait.recv().expect("somebody ends it");
        });
        Self { handle: take.recv().expect("it is opened"), end, thread }
    }

    fn end(self) {
        self.end.send(()).expect("it waits");
        self.thread.join().expect("it ends well");
    }
}

/// Leaves the thread attached to a scope that is over, above one of its own that is over, too.
fn attached_for_good_over_a_scope(work: impl FnOnce()) {
    let elsewhere = Elsewhere::open(AllocScope::enter);
    let scope = AllocScope::with_call_sites();
    work();
    elsewhere.handle.attach_thread();
    drop(scope);
    elsewhere.end();
}

#[test]
fn a_scope_after_one_that_stayed_attached_has_its_own_sites() {
    needs_call_sites!();
    attached_for_good_over_a_scope(|| drop(black_box(vec![1_u8; 777])));
    let scope = AllocScope::with_call_sites();
    drop(black_box(vec![1_u8; 55]));
    let sites = scope.call_sites();
    assert_eq!((sites.alloc_count(), sites.total_bytes()), (1, 55), "{sites:#}");
}

#[test]
fn a_budget_after_one_is_not_held_by_what_was_printed_before() {
    needs_call_sites!();
    attached_for_good_over_a_scope(|| {
        (0..20).for_each(|at| println!("{}", "x".repeat(3_000 * at)))
    });
    let checked = Budget::new().max(0).check(|| drop(black_box(vec![1_u8; 55])));
    let exceeded = checked.expect_err("one allocation, and a budget of none");
    assert_eq!(exceeded.call_sites().alloc_count(), 1, "{exceeded}");
}

enum Open {
    Recording(AllocScope),
    Scope(AllocScope),
    Attached(#[allow(dead_code)] Attached), // Held.
}

impl Open {
    fn scope(&self) -> Option<&AllocScope> {
        match self {
            Self::Recording(scope) | Self::Scope(scope) => Some(scope),
            Self::Attached(_) => None,
        }
    }

    /// Looks at the sums of a scope that records; 1 if it does.
    fn check(&self, seed: u64) -> usize {
        let Self::Recording(scope) = self else { return 0 };
        let sites = uncounted(|| scope.call_sites());
        let stats = scope.stats();
        let sums = (sites.alloc_count(), sites.realloc_count(), sites.total_bytes());
        let counted = (stats.alloc_count, stats.realloc_count, stats.total_bytes);
        assert_eq!(sums, counted, "seed {seed}: {sites:#}");
        1
    }
}

/// Runs a random program. Returns how many sums were looked at.
fn program(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut open: Vec<Open> = Vec::new();
    let mut elsewhere: Vec<Elsewhere> = Vec::new();
    let mut checks = 0;
    for _ in 0..random.below(60) {
        match random.below(12) {
            0 => open.push(Open::Recording(AllocScope::with_call_sites())),
            1 => open.push(Open::Recording(AllocScope::with_heap_profile())),
            2 => open.push(Open::Scope(AllocScope::enter())),
            3 | 4 if !open.is_empty() => {
                let innermost = open.len() - 1;
                let at = if random.below(2) == 0 { innermost } else { random.below(open.len()) };
                checks += open.remove(at).check(seed);
            }
            5 if elsewhere.len() < 3 => elsewhere.push(Elsewhere::open(
                [AllocScope::enter, AllocScope::with_call_sites][random.below(2)],
            )),
            6 if !elsewhere.is_empty() => {
                elsewhere[random.below(elsewhere.len())].handle.attach_thread();
            }
            7 if !elsewhere.is_empty() => {
                let handle = &elsewhere[random.below(elsewhere.len())].handle;
                open.push(Open::Attached(handle.attach()));
            }
            8 if !elsewhere.is_empty() => elsewhere.remove(random.below(elsewhere.len())).end(),
            9 => uncounted(|| drop(black_box(vec![2_u8; 999]))),
            10 if !open.is_empty() => {
                if let Some(scope) = open[random.below(open.len())].scope() {
                    let handle = scope.handle();
                    let work = move || handle.run(|| drop(black_box(vec![3_u8; 321])));
                    thread::spawn(work).join().expect("it ends well");
                }
            }
            _ => black_box(Vec::<u8>::with_capacity(1 + random.below(500))).reserve_exact(1_000),
        }
    }
    while let Some(outermost) = (!open.is_empty()).then(|| open.remove(0)) {
        checks += outermost.check(seed);
    }
    elsewhere.into_iter().for_each(Elsewhere::end);
    checks
}

#[test]
fn in_random_programs_too() {
    needs_call_sites!();
    let programs = (0..part_of(600)).map(|seed| thread::spawn(move || program(seed)));
    let checks: usize = programs.map(|program| program.join().expect("its sums are right")).sum();
    assert!(checks as u64 > part_of(1_000), "{checks}");
}
