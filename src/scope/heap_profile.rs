//! Cold: `HeapProfile`, what a scope or profiler has counted at each program point, copied out of the tables of the hot side.

use std::collections::BTreeMap;

use crate::record::{Point, PointNumbers, PointSums, Points, Stack};

/// The blocks of a scope, or of the process, by program point.
#[derive(Clone, Default)]
pub(crate) struct HeapProfile {
    /// In no particular order; `None` stands for blocks without a stack.
    pub(crate) points: Vec<(Option<&'static Stack>, PointNumbers)>,
    #[cfg_attr(not(feature = "dhat-compat"), allow(dead_code))] // What DHAT's files say.
    pub(crate) sums: PointSums,
}

impl HeapProfile {
    /// By now. To be called while the profile goes on.
    pub(crate) fn of(points: &Points) -> Self {
        let sums = points.sums();
        let mut alive: BTreeMap<*const Point, u64> = BTreeMap::new();
        let end = points.since().wrapping_add(sums.end);
        points.visit_live(&mut |point, born| {
            *alive.entry(point).or_default() += end.saturating_sub(born);
        });
        let mut profile = Self { points: Vec::new(), sums };
        points.visit(&mut |point, mut numbers| {
            let still_alive = alive.get(&(point as *const Point));
            numbers.lifetimes = numbers.lifetimes.wrapping_add(*still_alive.unwrap_or(&0));
            profile.points.push((point.stack(), numbers));
        });
        profile
    }
}
