//! Cold: `HeapProfile`, what a scope or profiler has counted at each program point, copied out of the tables of the hot side.

use std::collections::BTreeMap;

use crate::record::{Point, PointNumbers, Points, Stack, Times};

/// The blocks of a scope, or of the process, by program point.
#[derive(Clone)]
#[cfg_attr(not(feature = "dhat-compat"), allow(dead_code))] // What DHAT's files say.
pub(crate) struct HeapProfile {
    /// In no particular order; `None` stands for blocks without a stack.
    pub(crate) points: Vec<(Option<&'static Stack>, PointNumbers)>,
    pub(crate) times: Times,
    /// How many blocks are in the totals alone, for want of room.
    pub(crate) lost: u64,
}

impl HeapProfile {
    /// By now. To be called while the profile goes on.
    pub(crate) fn of(points: &Points) -> Self {
        let mut alive: BTreeMap<*const Point, u64> = BTreeMap::new();
        points.visit_ages(&mut |point, age| {
            let ages = alive.entry(point).or_default();
            *ages = ages.wrapping_add(age);
        });
        let mut profile = Self { points: Vec::new(), times: points.times(), lost: points.lost() };
        points.visit(&mut |point, mut numbers| {
            let still_alive = alive.get(&(point as *const Point));
            numbers.lifetimes = numbers.lifetimes.wrapping_add(*still_alive.unwrap_or(&0));
            profile.points.push((point.stack(), numbers));
        });
        profile
    }
}

#[cfg(all(test, feature = "dhat-compat"))]
mod tests {
    use std::time::Duration;

    use super::{HeapProfile, Points};

    #[test]
    fn the_lifetimes_of_a_point_are_those_of_all_its_blocks() {
        let points: &Points = Box::leak(Box::new(Points::NEW));
        assert!(points.begin(usize::MAX));
        for block in 1..=8 {
            points.enter(points.number(), 16 * block, 8, None, false);
        }
        std::thread::sleep(Duration::from_millis(5));
        let profile = HeapProfile::of(points);
        points.end();
        let [(None, numbers)] = profile.points[..] else { panic!("one point") };
        // Some eight times as long, unless the thread was held up on the way.
        assert!(numbers.lifetimes > profile.times.now, "{numbers:?}, {:?}", profile.times);
    }
}
