//! Hot: tests of `ScopeStack`: random programs against a model that looks at every event.

use std::collections::BTreeMap;
use std::ptr;

use super::{Counts, Event, Kind, NewEntry, ScopeId, ScopeStack};
use crate::counters::Sums;
use crate::stacks::{FirstOverrun, SiteCounts, Stack};
use crate::sys::random_tests::Random;

const UNCOUNTED: Kind = Kind::Uncounted { at: 0 };

/// A scope as the plain model has it: it looks at every event.
struct Scope {
    id: ScopeId,
    tag: u64,
    kind: Kind,
    limit: u64,
    is_frozen: bool,
    first_overrun: Option<usize>,
    events: i64,
    /// For each stack: allocations, reallocations, bytes.
    counted: BTreeMap<usize, (u64, u64, u64)>,
}

impl Scope {
    fn count(&mut self, stack: usize, event: Event) {
        self.events += 1;
        if self.kind != Kind::Recording {
            return;
        }
        let entry = self.counted.entry(stack).or_default();
        if event.is_fresh() {
            entry.0 += 1;
        } else {
            entry.1 += 1;
        }
        entry.2 += event.size();
        let events: u64 = self.counted.values().map(|counted| counted.0 + counted.1).sum();
        if events == self.limit + 1 {
            self.first_overrun = Some(stack);
        }
    }
}

/// Stack number `stack` of a few; 0 stands for an event without one.
fn stack_of(stacks: &[&'static Stack], stack: usize) -> Option<&'static Stack> {
    stack.checked_sub(1).map(|at| stacks[at])
}

fn check(scopes: &ScopeStack, now: Counts, scope: &Scope, stacks: &[&'static Stack], program: u64) {
    if scope.kind != UNCOUNTED {
        let counts = scopes.measure(scope.id, now).expect("open").own.counts;
        assert_eq!(counts.sums().events, scope.events, "program {program}");
    }
    let number = |stack: Option<&'static Stack>| {
        let at = |stack| stacks.iter().position(|s| ptr::eq(*s, stack)).expect("one of them");
        stack.map_or(0, |stack| at(stack) + 1)
    };
    let records = scopes.records(scope.id);
    assert_eq!(records.is_some(), scope.kind == Kind::Recording, "program {program}");
    let Some(records) = records else { return };
    let mut counted = BTreeMap::<usize, (u64, u64, u64)>::new();
    records.visit(&mut |stack, counts: &SiteCounts| {
        if counts.events() > 0 {
            let entry = counted.entry(number(stack)).or_default();
            entry.0 += counts.allocs;
            entry.1 += counts.reallocs;
            entry.2 += counts.bytes;
        }
    });
    assert_eq!(counted, scope.counted, "program {program}");
    let first_overrun = match records.first_overrun() {
        FirstOverrun::At(event, stack) => {
            assert_eq!(event, scope.limit + 1);
            Some(number(stack))
        }
        _ => None,
    };
    assert_eq!(first_overrun, scope.first_overrun, "program {program}");
}

#[test]
fn what_scopes_record_agrees_with_a_model_that_looks_at_every_event() {
    let addresses: Vec<[usize; 2]> = (0..200).map(|i| [usize::MAX, i]).collect();
    let stacks: Vec<_> = addresses.iter().map(|a| crate::stacks::made_up_stack(a)).collect();
    let mut checks = 0;
    for program in 1..=4_000_u64 {
        let mut random = Random(program.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (mut scopes, mut now, mut open) =
            (ScopeStack::new(), Counts::ZERO, Vec::<Scope>::new());
        let different_stacks = [2, 10, 200][random.below(3)];
        for step in 0..random.below(150) {
            match random.below(12) {
                0 | 1 => {
                    let kinds = [Kind::Recording, Kind::Recording, Kind::Scope, UNCOUNTED];
                    let kind = kinds[random.below(4)];
                    let limit = random.below(10) as u64;
                    let tag = step as u64 + 1;
                    scopes.fold(now.net);
                    let new = NewEntry { kind, tag, wants_peak: false };
                    let id = match kind {
                        Kind::Recording => {
                            let limits = Sums { events: limit as i64, ..Sums::MAX };
                            let look_out = FirstOverrun::After(limits);
                            scopes.open_recording(new, now, None, look_out)
                        }
                        _ => scopes.open(new, now),
                    };
                    let id = id.expect("memory");
                    let (is_frozen, first_overrun, events) = (false, None, 0);
                    let counted = BTreeMap::new();
                    open.push(Scope {
                        id,
                        tag,
                        kind,
                        limit,
                        is_frozen,
                        first_overrun,
                        events,
                        counted,
                    });
                }
                2 if !open.is_empty() => {
                    // Mostly the innermost one.
                    let last = open.len() - 1;
                    let at = if random.below(3) > 0 { last } else { random.below(open.len()) };
                    let scope = open.remove(at);
                    check(&scopes, now, &scope, &stacks, program);
                    checks += 1;
                    scopes.close(scope.id, now);
                }
                3 if !open.is_empty() => {
                    let at = random.below(open.len());
                    scopes.freeze(open[at].tag, now);
                    open[at].is_frozen |= open[at].kind != UNCOUNTED;
                }
                4 if !open.is_empty() => {
                    check(&scopes, now, &open[random.below(open.len())], &stacks, program);
                    checks += 1;
                }
                _ => {
                    let size = random.below(100) as u64;
                    let event = if random.below(3) == 0 {
                        now.reallocs += 1;
                        Event::realloc(0, size / 2, size)
                    } else {
                        now.allocs += 1;
                        Event::alloc(0, size)
                    };
                    let stack = random.below(different_stacks);
                    let stack_here = stack_of(&stacks, stack);
                    scopes.note(stack_here, &event, now.sums());
                    let seen = open.iter_mut().rev().take_while(|s| s.kind != UNCOUNTED);
                    for scope in seen.filter(|s| !s.is_frozen) {
                        scope.count(stack, event);
                    }
                }
            }
        }
        for scope in &open {
            check(&scopes, now, scope, &stacks, program);
        }
        scopes.clear(now);
        assert!(!scopes.is_recording(), "program {program}");
    }
    assert!(checks > 10_000, "{checks}");
}
