//! Cold: `Outgrown`, the error of what grows faster than allowed.

#[cfg(feature = "backtraces")]
use std::thread;

use super::builder::Growth;
use super::limits::{limits, Orders};
use super::order::{Fit, Order};
use super::plan::Plan;
use super::rule::{fits, Fits};
use super::samples::{Sample, Samples};
use crate::budget::{Metric, Origin};
use crate::counters::AllocStats;
use crate::ignored::Ignored;

/// What grows faster than a [`Growth`] allows, or what the sizes do not tell: what was measured,
/// and where.
///
/// `Display` and `Debug` both print the report of a failing test, so `unwrap` shows it.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::{Growth, Order};
///
/// let growth = Growth::new().max(Order::Logarithmic).sizes(&[100, 1_000, 10_000]);
/// let outgrown = growth.check(|n| move || (0..n).map(Box::new).collect::<Vec<_>>()).unwrap_err();
/// assert_eq!(outgrown.growth(), growth);
/// let counts = outgrown.stats().map(|(size, stats)| (size, stats.alloc_count));
/// assert!(counts.eq([(100, 101), (1_000, 1_001), (10_000, 10_001)]));
/// ```
pub struct Outgrown {
    /// One pointer that is never null, so that a `Result` with it stays small.
    pub(super) data: Ignored<Box<OutgrownData>>,
}

/// In which form it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `assert_growth!`.
    Macro,
    /// A method of `Growth`.
    Method,
}

/// What an [`Outgrown`] knows.
pub(super) struct OutgrownData {
    orders: Orders,
    pub(super) sizes: Vec<usize>,
    /// `None` if the sizes are too few or too close together. Then nothing was measured.
    pub(super) measured: Option<Measured>,
    pub(super) form: Form,
    pub(super) origin: Origin,
    pub(super) name: String,
    /// The name of the thread: in a test, that of the test.
    #[cfg(feature = "backtraces")]
    pub(super) thread: Option<String>,
}

pub(super) struct Measured {
    pub(super) plan: Plan,
    pub(super) samples: Samples,
}

/// One metric, and how it grows.
#[derive(Clone, Copy)]
pub(super) struct Judged {
    pub(super) metric: Metric,
    pub(super) allowed: Order,
    pub(super) fits: Fits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    Outgrown,
    /// It hangs on the noise.
    Unclear,
}

impl Judged {
    pub(super) fn verdict(&self) -> Verdict {
        let allowed = Fit::Order(self.allowed);
        match self.fits {
            Fits { most, .. } if most <= allowed => Verdict::Ok,
            Fits { least, .. } if least > allowed => Verdict::Outgrown,
            _ => Verdict::Unclear,
        }
    }
}

impl Measured {
    fn holds(&self, orders: &Orders) -> bool {
        self.samples.all().iter().all(|sample| sample.measurement.measured.unmeasured.is_none())
            && limits(orders).all(|limit| self.judge(limit).verdict() == Verdict::Ok)
    }

    fn judge(&self, (metric, allowed): (Metric, Order)) -> Judged {
        let number = |size| self.samples.at(size).map_or(0, |sample| sample.number(metric));
        Judged { metric, allowed, fits: fits(&self.plan, &number) }
    }
}

impl OutgrownData {
    pub(super) fn limits(&self) -> impl Iterator<Item = (Metric, Order)> + '_ {
        limits(&self.orders)
    }

    pub(super) fn judge(&self, measured: &Measured) -> Vec<Judged> {
        self.limits().map(|limit| measured.judge(limit)).collect()
    }

    /// What was measured at the sizes that the user has given.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Sample> + '_ {
        let measured = self.measured.iter();
        measured
            .flat_map(|measured| self.sizes.iter().filter_map(|size| measured.samples.at(*size)))
    }
}

impl Outgrown {
    /// The verdict on what was measured; `None` if all orders hold.
    pub(super) fn of(
        orders: Orders,
        sizes: &[usize],
        plan: Plan,
        samples: Samples,
        form: Form,
        origin: Origin,
    ) -> Option<Self> {
        let mut measured = Measured { plan, samples };
        if measured.holds(&orders) {
            return None;
        }
        measured.samples.leave_out_harness(&origin);
        if measured.holds(&orders) {
            return None;
        }
        Some(Self::new(orders, sizes, Some(measured), form, origin))
    }

    /// Of sizes that tell nothing.
    pub(super) fn without_plan(
        orders: Orders,
        sizes: &[usize],
        form: Form,
        origin: Origin,
    ) -> Self {
        Self::new(orders, sizes, None, form, origin)
    }

    fn new(
        orders: Orders,
        sizes: &[usize],
        measured: Option<Measured>,
        form: Form,
        origin: Origin,
    ) -> Self {
        let data = || {
            let (sizes, name) = (sizes.to_vec(), origin.name());
            OutgrownData {
                orders,
                sizes,
                measured,
                form,
                origin,
                name,
                #[cfg(feature = "backtraces")]
                thread: thread::current().name().map(str::to_owned),
            }
        };
        Self { data: Ignored::new(|_| Box::new(data())) }
    }

    /// What was allowed, and at which sizes.
    pub fn growth(&self) -> Growth<'_> {
        Growth::of(self.data.orders, &self.data.sizes)
    }

    /// What was measured at each of these sizes; nothing, if they are too few or too close
    /// together. What the test harness allocates to keep printed text is left out as in
    /// [`Exceeded::stats`](crate::Exceeded::stats).
    pub fn stats(&self) -> impl Iterator<Item = (usize, AllocStats)> + '_ {
        self.data.rows().map(|sample| (sample.size, sample.measurement.measured.stats))
    }

    /// The function in which it was checked, as [`Exceeded::name`](crate::Exceeded::name) has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.data.name
    }
}

impl std::error::Error for Outgrown {}
