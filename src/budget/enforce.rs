//! Cold: holding a closure or a stretch of code to a budget.

use std::fmt;
use std::thread;

use super::{Budget, Exceeded, Origin};
use crate::count::AllocStats;
use crate::scope::AllocScope;

impl Budget {
    /// Runs `work`, and returns its value if the budget holds.
    ///
    /// # Errors
    /// If it does not hold: what was measured. The value is dropped.
    ///
    /// # Panics
    /// As the type's documentation says, and as `work` does.
    #[track_caller]
    pub fn check<R, F: FnOnce() -> R>(self, work: F) -> Result<R, Exceeded> {
        let guard = Guard::enter(self, Origin::method::<F>(), fail);
        let value = work();
        guard.finish().map(|()| value)
    }

    /// Runs `work`, and returns its value.
    ///
    /// # Panics
    /// If the budget does not hold, with the report; as the type's documentation says; and as `work` does.
    #[track_caller]
    pub fn enforce<R, F: FnOnce() -> R>(self, work: F) -> R {
        match self.check(work) {
            Ok(value) => value,
            Err(exceeded) => fail(exceeded),
        }
    }

    fn verdict(self, stats: AllocStats, origin: Origin) -> Result<(), Exceeded> {
        if self.holds(&stats) {
            return Ok(());
        }
        Err(Exceeded::new(self, stats, origin, "this thread", None))
    }
}

/// Holds a stretch of code to a budget, whichever way it is left.
///
/// `finish` hands the verdict to the caller. Without it, dropping the guard calls `fail`, unless the thread
/// is panicking: that panic says more.
#[must_use]
pub struct Guard {
    /// `None` once finished.
    scope: Option<AllocScope>,
    budget: Budget,
    origin: Origin,
    fail: fn(Exceeded) -> !,
}

impl Guard {
    #[track_caller]
    pub(crate) fn enter(budget: Budget, origin: Origin, fail: fn(Exceeded) -> !) -> Self {
        budget.require_sense();
        Self { scope: Some(AllocScope::enter()), budget, origin, fail }
    }

    pub(crate) fn finish(mut self) -> Result<(), Exceeded> {
        self.close()
    }

    fn close(&mut self) -> Result<(), Exceeded> {
        match self.scope.take() {
            Some(scope) => self.budget.verdict(scope.exit(), self.origin),
            None => Ok(()),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        if let Err(exceeded) = self.close() {
            (self.fail)(exceeded);
        }
    }
}

/// Panics with the report.
#[cold]
#[track_caller]
pub(crate) fn fail(exceeded: Exceeded) -> ! {
    panic!("{exceeded}")
}

/// Panics with the report, `message` in it.
#[cold]
#[track_caller]
pub(crate) fn fail_with(exceeded: Exceeded, message: fmt::Arguments<'_>) -> ! {
    struct Report<'a>(&'a Exceeded, fmt::Arguments<'a>);
    impl fmt::Display for Report<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, Some(self.1))
        }
    }
    panic!("{}", Report(&exceeded, message))
}
