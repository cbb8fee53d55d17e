//! Cold: `Repeated`, a budget over several runs of the same code.

use std::future::Future;

use super::builder::Budget;
use super::exceeded::Exceeded;
use super::future::Closer;
use super::limits::Metric;
use super::origin::Origin;
use super::runs::Runs;
use super::setting::{self, Setting};
use super::{enforce, held};
use crate::installed;
use crate::room::with_room;
use crate::scope::{uncounted, Budgeted, Metered, UncountedFuture};
use crate::value::Value;

/// A [`Budget`] over several runs: warm-up runs that do not count, then runs that must each hold.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::Budget;
///
/// let mut buffer = Vec::new();
/// Budget::new().max(0).warmup(1).runs(5).enforce(|| {
///     buffer.clear();
///     buffer.extend_from_slice(b"only the first run allocates");
/// });
/// ```
///
/// Warm-up runs are [`uncounted`]: no scope around sees them. All runs are run even if one breaks
/// the budget, so that the report can give the range over them, and what changed between two that
/// differ. Values of earlier runs are dropped between the runs, where they do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a budget does nothing until it is checked or enforced"]
pub struct Repeated {
    budget: Budget,
    warmup: u64,
    runs: u64,
}

impl Budget {
    /// Runs the code this many times uncounted before it counts: for code that fills caches or
    /// tables at first.
    pub const fn warmup(self, times: u64) -> Repeated {
        Repeated::new(self).warmup(times)
    }

    /// Runs the code this many times; every run must hold.
    ///
    /// # Panics
    /// If `times` is 0.
    #[track_caller]
    pub const fn runs(self, times: u64) -> Repeated {
        Repeated::new(self).runs(times)
    }
}

/// The setters of [`Budget`] are here as well, so that their order does not matter.
macro_rules! setters {
    ($($key:ident: $value:ty,)*) => {
        impl Repeated {$(
            #[doc = concat!("Sets [`Budget::", stringify!($key), "`].")]
            #[track_caller]
            pub const fn $key(mut self, value: $value) -> Self {
                self.budget = self.budget.$key(value);
                self
            }
        )*}
    };
}

setters! {
    max: u64,
    min: u64,
    exact: u64,
    max_bytes: u64,
    max_peak_bytes: u64,
    max_block_bytes: u64,
    max_reallocs: u64,
    max_deallocs: u64,
    max_retained: u64,
    max_retained_bytes: u64,
    recorded: &'static str,
    call_sites: bool,
    allow: &'static [&'static str],
}

impl Repeated {
    const fn new(budget: Budget) -> Self {
        Self { budget, warmup: 0, runs: 1 }
    }

    /// As the keys of a macro say.
    #[track_caller]
    pub(crate) fn of_settings(settings: &[Setting]) -> Self {
        let mut repeated = Self::new(setting::budget(settings));
        for setting in settings {
            repeated = match *setting {
                Setting::warmup(times) => repeated.warmup(times),
                Setting::runs(times) => repeated.runs(times),
                _ => repeated,
            };
        }
        repeated
    }

    /// How many uncounted runs come first; 0 unless set.
    pub const fn warmup(mut self, times: u64) -> Self {
        self.warmup = times;
        self
    }

    /// How many runs are counted; 1 unless set.
    ///
    /// # Panics
    /// If `times` is 0.
    #[track_caller]
    pub const fn runs(mut self, times: u64) -> Self {
        assert!(times > 0, "`runs` is 0: nothing would be counted; write at least 1");
        self.runs = times;
        self
    }

    /// Runs `work` as often as was asked for, and returns the last value if every counted run held.
    ///
    /// # Errors
    /// If a run did not hold: what was measured.
    ///
    /// # Panics
    /// As [`Budget::check`].
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn check<R, F, for_a_future_use_check_future>(self, work: F) -> Result<R, Exceeded>
    where
        F: FnMut() -> R,
        R: Value<for_a_future_use_check_future>,
    {
        let (value, exceeded) = self.run(Origin::method::<F, R>(), work);
        exceeded.map_or(Ok(value), Err)
    }

    /// Runs `work` as often as was asked for, and returns the last value.
    ///
    /// # Panics
    /// If a counted run did not hold, with the report; and as [`Budget::check`].
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn enforce<R, F, for_a_future_use_check_future>(self, work: F) -> R
    where
        F: FnMut() -> R,
        R: Value<for_a_future_use_check_future>,
    {
        let (value, exceeded) = self.run(Origin::method::<F, R>(), work);
        enforce::fail_if(exceeded);
        value
    }

    /// Makes and awaits a future as often as was asked for, and returns the last output if every
    /// counted run held.
    ///
    /// Making the future is not counted, each of its polls is.
    ///
    /// # Errors
    /// If a run did not hold: what was measured.
    ///
    /// # Panics
    /// As [`Budget::check`].
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn check_future<F, Fut, for_a_future_in_a_future_await_it_first>(
        self,
        mut work: F,
    ) -> impl Future<Output = Result<Fut::Output, Exceeded>>
    where
        F: FnMut() -> Fut,
        Fut: Future,
        Fut::Output: Value<for_a_future_in_a_future_await_it_first>,
    {
        let runs = self.run_future(Origin::method::<Fut, Fut::Output>(), move |_closer| work());
        async move {
            let (output, exceeded) = runs.await;
            exceeded.map_or(Ok(output), Err)
        }
    }

    /// Makes and awaits a future as often as was asked for, and returns the last output.
    ///
    /// Counts as [`check_future`](Self::check_future) does.
    ///
    /// # Panics
    /// If a counted run did not hold, with the report; and as [`Budget::check`].
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn enforce_future<F, Fut, for_a_future_in_a_future_await_it_first>(
        self,
        mut work: F,
    ) -> impl Future<Output = Fut::Output>
    where
        F: FnMut() -> Fut,
        Fut: Future,
        Fut::Output: Value<for_a_future_in_a_future_await_it_first>,
    {
        let runs = self.run_future(Origin::method::<Fut, Fut::Output>(), move |_closer| work());
        async move {
            let (output, exceeded) = runs.await;
            enforce::fail_if(exceeded);
            output
        }
    }

    #[track_caller]
    pub(crate) fn run<R>(
        mut self,
        origin: Origin,
        mut work: impl FnMut() -> R,
    ) -> (R, Option<Exceeded>) {
        self.begin(&origin);
        for _ in 0..self.warmup {
            uncounted(|| drop(work()));
        }
        let mut runs = Runs::new(self.budget, self.warmup, self.runs, origin.location);
        let mut run = || {
            let scope = Budgeted::enter(&self.budget.wants(&origin));
            let value = work();
            runs.add_scope(scope);
            value
        };
        let mut value = run();
        for _ in 1..self.runs {
            value = run();
        }
        (value, self.verdict(runs, origin, "this thread"))
    }

    #[track_caller]
    pub(crate) fn run_future<F, Fut>(
        mut self,
        origin: Origin,
        mut work: F,
    ) -> impl Future<Output = (Fut::Output, Option<Exceeded>)>
    where
        F: FnMut(Closer) -> Fut,
        Fut: Future,
    {
        self.begin(&origin);
        async move {
            for _ in 0..self.warmup {
                let future = uncounted(|| work(Closer::new()));
                let output = UncountedFuture::new(future).await;
                uncounted(|| drop(output));
            }
            let mut runs = Runs::new(self.budget, self.warmup, self.runs, origin.location);
            let mut last = None;
            for _ in 0..self.runs {
                let closer = Closer::new();
                let tag = closer.tag();
                let wants = self.budget.wants(&origin);
                let (output, measurement) = Metered::new(work(closer), tag, wants).await;
                runs.add_elsewhere(|| measurement.elsewhere);
                runs.add(measurement.measured, || measurement);
                last = Some(output);
            }
            let Some(output) = last else { unreachable!("`runs` is at least 1") };
            (output, self.verdict(runs, origin, "this future"))
        }
    }

    #[track_caller]
    fn begin(&mut self, origin: &Origin) {
        installed::require();
        self.budget.begin(origin);
    }

    fn verdict(self, runs: Runs, origin: Origin, whose: &'static str) -> Option<Exceeded> {
        match runs.first_broken {
            Some(_) => with_room(|| self.judged(runs, origin, whose)),
            None => self.judged(runs, origin, whose),
        }
    }

    fn judged(self, mut runs: Runs, origin: Origin, whose: &'static str) -> Option<Exceeded> {
        let mut budget = self.budget;
        if let Some(mut broken) = runs.first_broken.take() {
            budget = broken.update(&budget, &origin, runs.range(Metric::Allocations));
            if !runs.hold(&broken.settled(&budget)) {
                return Some(Exceeded::new(budget, broken, origin, whose, Some(runs)));
            }
        }
        held::runs(&budget, &origin, &runs);
        None
    }
}
