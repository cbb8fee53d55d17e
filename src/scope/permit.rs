//! Cold: `permit`, an uncounted stretch with a reason, which the report of a broken budget lists.
//!
//! Each thread keeps its last stretches. Those since a budget was opened are the budget's, so one
//! that holds pays for a number at its opening, and for nothing else. What attached threads do is
//! listed without a reason.

use std::cell::{Cell, RefCell};

use super::uncounted::open_uncounted;
use crate::ignored::Ignored;
use crate::installed;
use crate::threads::OpenScope;

/// As [`uncounted`](crate::uncounted), with a reason that the report of a broken budget lists.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::{permit, Budget};
///
/// let exceeded = Budget::new().max(0).check(|| {
///     let expected = permit("the expected text", || "a b c".to_string());
///     assert_eq!("a-b-c".replace('-', " "), expected);
/// });
/// let report = exceeded.unwrap_err().to_string();
/// assert!(report.contains("not counted: 1 allocation permitted: the expected text"));
/// ```
///
/// Of the stretches of one thread it lists the last 64, those with the same reason in a row as one;
/// what happened before that, and what attached threads do, is listed as `uncounted`.
///
/// # Panics
/// As [`uncounted`](crate::uncounted).
#[track_caller]
pub fn permit<R>(reason: &'static str, work: impl FnOnce() -> R) -> R {
    installed::require();
    let here = 0_u8;
    let stretch = open_uncounted(std::ptr::addr_of!(here) as usize);
    let _stretch = Stretch { reason, scope: Some(stretch) };
    work()
}

/// Notes what was allocated in it when it ends, also by a panic.
struct Stretch {
    reason: &'static str,
    scope: Option<OpenScope>,
}

impl Drop for Stretch {
    fn drop(&mut self) {
        let Some(reading) = self.scope.take().and_then(OpenScope::close) else { return };
        let events = u64::try_from(reading.own.counts.sums().events).unwrap_or(0);
        if events > 0 {
            note(self.reason, events);
        }
    }
}

/// A reason, and the allocation events that it stands for.
pub(crate) type Permitted = (&'static str, u64);

/// The stretches of a thread, with the number of budgets that had been opened before each.
type Noted = Ignored<Vec<(u64, Permitted)>>;

thread_local! {
    /// How many budgets were opened on this thread.
    static OPENED: Cell<u64> = const { Cell::new(0) };
    static NOTED: RefCell<Option<Noted>> = const { RefCell::new(None) };
}

const MOST: usize = 64;

/// Notes a stretch. At the end of a thread nobody reads it any more.
fn note(reason: &'static str, events: u64) {
    let opened = OPENED.with(Cell::get);
    let _ = NOTED.try_with(|noted| {
        let mut noted = noted.borrow_mut();
        noted.get_or_insert_with(|| Ignored::new(|_| Vec::new())).change(|noted| {
            match noted.last_mut() {
                Some((before, last)) if (*before, last.0) == (opened, reason) => last.1 += events,
                _ => {
                    noted.drain(..(noted.len() + 1).saturating_sub(MOST));
                    noted.push((opened, (reason, events)));
                }
            }
        });
    });
}

/// The opening of a budget on this thread.
#[derive(Clone, Copy)]
pub(super) struct Opening(u64);

impl Opening {
    pub(super) fn now() -> Self {
        OPENED.with(|opened| {
            opened.set(opened.get() + 1);
            Self(opened.get())
        })
    }

    /// Adds what was permitted since, on this thread.
    pub(super) fn add_permitted(self, permitted: &mut Option<Ignored<Vec<Permitted>>>) {
        let _ = NOTED.try_with(|noted| {
            let noted = noted.borrow();
            for (opened, (reason, events)) in noted.iter().flat_map(|noted| noted.iter()) {
                if *opened >= self.0 {
                    let all = permitted.get_or_insert_with(|| Ignored::new(|_| Vec::new()));
                    all.change(|all| match all.iter_mut().find(|(known, _)| known == reason) {
                        Some((_, known)) => *known += events,
                        None => all.push((*reason, *events)),
                    });
                }
            }
        });
    }
}
