//! Cold: measures, and holds what was measured to a [`Growth`].

use std::fmt;
use std::thread;

use super::builder::Growth;
use super::outgrown::{Form, Outgrown};
use super::plan::Plan;
use super::samples::{self, Samples};
use crate::budget::{panic_with, Origin};
use crate::installed;
use crate::scope::{uncounted, AllocScope, Budgeted};
use crate::value::Value;

impl Growth<'_> {
    /// Calls `set_up` with sizes, and measures what the closures do that it returns.
    ///
    /// # Errors
    /// If a number grows faster than is allowed, or if the sizes do not tell: what was measured.
    ///
    /// # Panics
    /// As the type's documentation says, and as the closures do.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn check<F, W, R, for_a_future_block_on_it>(self, set_up: F) -> Result<(), Outgrown>
    where
        F: FnMut(usize) -> W,
        W: FnOnce() -> R,
        R: Value<for_a_future_block_on_it>,
    {
        self.run(Form::Method, set_up).map_or(Ok(()), Err)
    }

    /// The same as [`check`](Self::check) with a panic instead of an error.
    ///
    /// # Panics
    /// If a number grows faster than is allowed, or if the sizes do not tell, with the report; as
    /// the type's documentation says; and as the closures do.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn enforce<F, W, R, for_a_future_block_on_it>(self, set_up: F)
    where
        F: FnMut(usize) -> W,
        W: FnOnce() -> R,
        R: Value<for_a_future_block_on_it>,
    {
        if let Some(outgrown) = self.run(Form::Method, set_up) {
            fail(outgrown);
        }
    }

    #[track_caller]
    pub(crate) fn run<F, W, R>(self, form: Form, mut set_up: F) -> Option<Outgrown>
    where
        F: FnMut(usize) -> W,
        W: FnOnce() -> R,
    {
        installed::require();
        self.require_sense();
        let origin = Origin::method::<F, ()>();
        let Some(plan) = Plan::new(self.sizes) else {
            return Some(Outgrown::without_plan(self.orders, self.sizes, form, origin));
        };
        let mut samples = Samples::new(&plan, self.sizes);
        uncounted(|| {
            let work = set_up(self.sizes[self.sizes.len() - 1]);
            // Threads can be attached to it, as in the runs that count.
            let _scope = AllocScope::enter();
            drop(work());
        });
        while let Some(size) = samples.next_size() {
            let work = set_up(size);
            let scope = Budgeted::enter(&samples::wants(&self.orders, &origin));
            let value = work();
            let measured = scope.measured();
            samples.add(size, scope.finish(measured));
            drop(value);
        }
        Outgrown::of(self.orders, self.sizes, plan, samples, form, origin)
    }
}

/// Panics with the report, unless the thread is panicking: the first panic says more.
#[track_caller]
pub fn fail(outgrown: Outgrown) {
    if !thread::panicking() {
        panic_with(&outgrown.report(None));
    }
}

/// The same, with `message` in the report.
#[track_caller]
pub fn fail_with(outgrown: Outgrown, message: fmt::Arguments<'_>) {
    if !thread::panicking() {
        panic_with(&outgrown.report(Some(message)));
    }
}
