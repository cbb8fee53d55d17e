//! Cold: what is said of budgets that hold, and whether their numbers are updated, where the
//! environment asks for it.

use super::builder::Budget;
use super::elsewhere;
use super::environment::Settings;
use super::limits::Metric;
use super::literal;
use super::log::{self, Checked};
use super::origin::Origin;
use super::runs::Runs;
use crate::scope::Measured;

/// Of one run. `elsewhere` says what other threads have allocated meanwhile.
#[inline]
pub(super) fn run(
    budget: &Budget,
    origin: &Origin,
    measured: &Measured,
    elsewhere: impl FnOnce() -> Option<u64>,
) {
    if Settings::get().is_told() {
        tell(budget, origin, measured, elsewhere());
    }
}

#[cold]
fn tell(budget: &Budget, origin: &Origin, measured: &Measured, elsewhere: Option<u64>) {
    let events = measured.stats.alloc_count;
    literal::update_held(budget, origin, (events, events));
    elsewhere::report(origin, elsewhere);
    log::append(&Checked::held(budget, origin, 1, &|metric, _| metric.of(measured)));
}

/// Of several runs.
pub(super) fn runs(budget: &Budget, origin: &Origin, runs: &Runs) {
    if Settings::get().is_told() {
        literal::update_held(budget, origin, runs.range(Metric::Allocations));
        elsewhere::report(origin, runs.elsewhere);
        let greatest = |metric, _| runs.range(metric).1;
        log::append(&Checked::held(budget, origin, runs.runs, &greatest));
    }
}
