//! Cold: holds a closure or a stretch of code to a budget.

use std::fmt;
use std::mem::ManuallyDrop;
use std::thread;

use super::builder::Budget;
use super::environment::{self, OnBreak};
use super::exceeded::Exceeded;
use super::held;
use super::origin::Origin;
use super::panics::panic_with;
use super::say::say;
use super::setting::{self, Setting};
use super::warnings;
use crate::scope::Budgeted;
use crate::value::Value;

impl Budget {
    /// Runs `work`, and returns its value if the budget holds.
    ///
    /// # Errors
    /// If it does not hold: what was measured. The value is dropped.
    ///
    /// # Panics
    /// As the type's documentation says, and as `work` does.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn check<R, F, for_a_future_use_check_future>(self, work: F) -> Result<R, Exceeded>
    where
        F: FnOnce() -> R,
        R: Value<for_a_future_use_check_future>,
    {
        let guard = Guard::enter(self, Origin::method::<F, R>(), fail);
        let value = work();
        match guard.close() {
            None => Ok(value),
            Some(exceeded) => Err(exceeded),
        }
    }

    /// Runs `work`, and returns its value.
    ///
    /// # Panics
    /// If the budget does not hold, with the report; as the type's documentation says; and as
    /// `work` does.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn enforce<R, F, for_a_future_use_check_future>(self, work: F) -> R
    where
        F: FnOnce() -> R,
        R: Value<for_a_future_use_check_future>,
    {
        let guard = Guard::enter(self, Origin::method::<F, R>(), fail);
        let value = work();
        fail_if(guard.close());
        value
    }
}

/// Holds a stretch of code to a budget, whichever way it is left.
///
/// `finish` hands the verdict to the caller. A guard that is only dropped calls `fail` if the
/// budget is broken, unless the thread is panicking.
#[must_use]
pub struct Guard {
    /// `None` once closed. The guard's own drop closes it, so that to drop a guard is one call.
    scope: ManuallyDrop<Option<Budgeted>>,
    budget: Budget,
    origin: Origin,
    fail: fn(Exceeded),
}

impl Guard {
    /// Begins to hold what follows to the one limit of a function under the attribute, which
    /// returns nothing, and is left by [`end`](Self::end) or by a panic. `key` is that of the
    /// limit: to name a `Setting` takes the compiler longer.
    #[track_caller]
    pub fn of_limit(key: &str, limit: u64, module: &'static str, name: &'static str) -> Self {
        Self::of_limits(&[Setting::limit(key, limit)], module, name)
    }

    /// The same of a function with several limits.
    #[track_caller]
    pub fn of_limits(limits: &[Setting], module: &'static str, name: &'static str) -> Self {
        Self::of_function(limits, module, name, true, fail)
    }

    /// The same of a function that may be left in other ways.
    #[track_caller]
    pub fn of_function(
        settings: &[Setting],
        module: &'static str,
        name: &'static str,
        returns_nothing: bool,
        fail: fn(Exceeded),
    ) -> Self {
        Self::of_block(settings, Origin::function(module, name, returns_nothing), fail)
    }

    /// The same of a block.
    #[track_caller]
    pub fn of_block(settings: &[Setting], origin: Origin, fail: fn(Exceeded)) -> Self {
        Self::enter(setting::budget(settings), origin, fail)
    }

    #[track_caller]
    fn enter(mut budget: Budget, origin: Origin, fail: fn(Exceeded)) -> Self {
        budget.begin(&origin);
        let scope = ManuallyDrop::new(Some(Budgeted::enter(&budget.wants(&origin))));
        Self { scope, budget, origin, fail }
    }

    fn close(mut self) -> Option<Exceeded> {
        self.verdict()
    }

    /// Ends the stretch.
    ///
    /// # Panics
    /// If the budget is broken, with the report, unless the thread is panicking, or
    /// `MOD_ALLOC_ON_BREAK` asks for a warning.
    #[track_caller]
    pub fn end(&mut self) {
        fail_if(self.verdict());
    }

    /// Ends the stretch, and returns what was measured if the budget is broken. While a panic
    /// unwinds it returns nothing.
    pub fn finish(self) -> Option<Exceeded> {
        unless_panicking(self.close())
    }

    fn verdict(&mut self) -> Option<Exceeded> {
        let Some(scope) = &*self.scope else { return None };
        let measured = scope.measured();
        if self.budget.holds_at_once(&measured) {
            held::run(&self.budget, &self.origin, &measured, || scope.elsewhere());
            *self.scope = None;
            return None;
        }
        let measurement = self.scope.take()?.finish(measured);
        Exceeded::of_run(self.budget, measurement, self.origin, "this thread")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.scope.is_none() {
            return;
        }
        if thread::panicking() {
            *self.scope = None;
            return;
        }
        if let Some(exceeded) = self.verdict() {
            (self.fail)(exceeded);
        }
    }
}

/// While a panic unwinds no budget fails: the first panic says more, and a second one would abort
/// the process.
pub(crate) fn unless_panicking(exceeded: Option<Exceeded>) -> Option<Exceeded> {
    exceeded.filter(|_| !thread::panicking())
}

/// Fails if the budget was broken, unless the thread is panicking.
#[track_caller]
pub(crate) fn fail_if(exceeded: Option<Exceeded>) {
    if let Some(exceeded) = unless_panicking(exceeded) {
        fail(exceeded);
    }
}

/// Panics with the report; or prints it and returns, as `MOD_ALLOC_ON_BREAK` says.
#[cold]
#[track_caller]
pub fn fail(exceeded: Exceeded) {
    break_with(&exceeded, None);
}

/// The same with `message` in the report. The message is formatted before the panic, since a
/// `Display` of the user's may panic itself.
#[cold]
#[track_caller]
pub fn fail_with(exceeded: Exceeded, message: fmt::Arguments<'_>) {
    break_with(&exceeded, Some(message));
}

#[track_caller]
fn break_with(exceeded: &Exceeded, message: Option<fmt::Arguments<'_>>) {
    let report = exceeded.report(message);
    if environment::on_break() == OnBreak::Warn {
        warnings::print(exceeded.data.origin.location, &report);
        return;
    }
    if environment::is_on_github() {
        let annotation = exceeded.annotation();
        say(&|| annotation.to_owned());
    }
    panic_with(&report)
}
