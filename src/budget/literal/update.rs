//! Cold: which number of a budget becomes which, as `MOD_ALLOC_UPDATE` asks.

use std::thread;

use super::super::builder::Budget;
use super::super::environment::{self, Update};
use super::super::limits::{Limit, Metric};
use super::super::origin::{Entrance, Origin};
use super::super::say::say;
use super::refusal::Refusal;
use super::text::{Form, Key, Number};
use super::written;
use crate::counters;
use crate::ignored::Ignored;
use crate::room::with_room;

/// Why a number stays as it is. It is `None` where it is to stay.
type Refused = Option<Ignored<Refusal>>;

/// The budget with what its source says from now on. The `range` is that of the allocation events
/// of all its runs.
#[cold]
pub(in super::super) fn update(
    budget: &Budget,
    origin: &Origin,
    range: (u64, u64),
) -> (Budget, Refused) {
    let update = environment::update();
    if update == Update::Nothing || budget.record().is_some() || thread::panicking() {
        return (*budget, None);
    }
    let (key, old, new) = match change(budget.limit(Metric::Allocations), update, range) {
        Ok(Some(change)) => change,
        Ok(None) => return (*budget, None),
        Err(why) => return refused(budget, Refusal::LeftAlone(why)),
    };
    let form = match origin.entrance {
        Entrance::Attribute => Form::Attribute,
        Entrance::AssertAllocs => Form::Macro,
        Entrance::AssertNoAlloc | Entrance::Method if old == new || key == Key::Max => {
            return (*budget, None);
        }
        Entrance::AssertNoAlloc | Entrance::Method => {
            let why = "only numbers in `#[alloc_budget(..)]` and `assert_allocs!(..)` are";
            return refused(budget, Refusal::LeftAlone(why));
        }
    };
    let (file, line) = (origin.location.file(), origin.location.line());
    let number = Number { line, column: origin.location.column(), form, key, value: old };
    let written = counters::ignored(|at_work| {
        let result = with_room(|| written::write(at_work, file, &number, new));
        result.map_err(|refusal| Ignored::of(at_work, refusal))
    });
    match written {
        Err(refusal) => return (*budget, Some(refusal)),
        Ok(None) => {}
        Ok(Some((before, after))) => {
            let key = key.name();
            say(&|| format!("mod-alloc: {file}:{line}: {key} = {before} -> {after}"));
        }
    }
    match key {
        Key::Exact => (budget.exact(new), None),
        Key::Max => (*budget, None),
    }
}

fn refused(budget: &Budget, refusal: Refusal) -> (Budget, Refused) {
    (*budget, Some(Ignored::new(|_| refusal)))
}

/// The same of a budget that holds. What is left alone is named on stderr.
///
/// # Panics
/// If a number can't be updated, and something is to be put right first.
#[cold]
pub(in super::super) fn update_held(budget: &Budget, origin: &Origin, range: (u64, u64)) {
    let (_, Some(refusal)) = update(budget, origin, range) else { return };
    let (file, line) = (origin.location.file(), origin.location.line());
    let text = Ignored::new(|_| format!("{file}:{line}: not rewritten: {}", refusal.why()));
    match *refusal {
        Refusal::LeftAlone(_) => say(&|| format!("mod-alloc: {}", text.as_str())),
        Refusal::Error(_) => panic!("{}", text.as_str()),
    }
}

/// What is to be changed: a key, its number, and what that becomes, which may be the same.
///
/// # Errors
/// Why what was measured can't be accepted.
fn change(
    limit: Limit,
    update: Update,
    (least, greatest): (u64, u64),
) -> Result<Option<(Key, u64, u64)>, &'static str> {
    match (limit.min, limit.max) {
        (Some(min), Some(max)) if min == max => {
            if least != greatest {
                Err("its runs differ: limit them by `min` and `max`")
            } else if update == Update::Lower && least > max {
                Err("`MOD_ALLOC_UPDATE=lower` accepts fewer allocations only")
            } else {
                Ok(Some((Key::Exact, max, least)))
            }
        }
        (min, Some(max)) if update == Update::Lower => {
            let may_be_lowered = greatest <= max && min.map_or(true, |min| min <= least);
            Ok(may_be_lowered.then_some((Key::Max, max, greatest)))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::environment::Update::{self, All, Lower};
    use super::super::super::limits::Limit;
    use super::super::text::Key;
    use super::change;

    #[test]
    fn an_exact_number_changes_and_a_max_is_lowered_where_that_is_asked_for() {
        let exact = Limit { min: Some(5), max: Some(5) };
        let max = Limit { min: None, max: Some(5) };
        let between = Limit { min: Some(3), max: Some(5) };
        let check = |limit: Limit, update: Update, range, expected: Option<u64>| {
            let changed = change(limit, update, range).ok().flatten();
            assert_eq!(changed.map(|(_, _, new)| new), expected, "{limit:?} {update:?} {range:?}");
            let key = if limit == exact { Key::Exact } else { Key::Max };
            assert!(changed.map_or(true, |(changed, old, _)| changed == key && old == 5));
        };
        check(exact, All, (7, 7), Some(7));
        check(exact, All, (3, 3), Some(3));
        check(exact, All, (3, 5), None);
        check(exact, Lower, (3, 3), Some(3));
        check(exact, Lower, (5, 5), Some(5));
        check(exact, Lower, (7, 7), None);
        check(max, All, (3, 3), None);
        check(max, Lower, (2, 4), Some(4));
        check(max, Lower, (2, 6), None);
        check(between, Lower, (3, 4), Some(4));
        check(between, Lower, (2, 4), None);
        check(Limit { min: Some(3), max: None }, Lower, (3, 3), None);
    }
}
