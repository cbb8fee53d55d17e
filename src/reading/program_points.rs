//! Cold: `ProgramPoints`, what a heap profile says of each program point, copied out of the tables
//! of the hot side.

use crate::blocks::{HeapProfile, PointNumbers, ProgramPoint, Times};
use crate::index::WordMap;
use crate::stacks::Stack;

/// The blocks of a scope, or of the process, by program point.
#[derive(Clone)]
#[cfg_attr(not(feature = "dhat-compat"), allow(dead_code))] // What DHAT's files say.
pub(crate) struct ProgramPoints {
    /// In no particular order; `None` stands for blocks without a stack.
    pub(crate) points: Vec<(Option<&'static Stack>, PointNumbers)>,
    pub(crate) times: Times,
    /// How many blocks are in the totals alone, for want of room.
    pub(crate) lost: u64,
}

impl ProgramPoints {
    /// By now. To be called while the profile goes on.
    pub(crate) fn of(points: &HeapProfile) -> Self {
        let address = |point: &ProgramPoint| point as *const ProgramPoint as usize;
        let mut alive = WordMap::EMPTY;
        points.visit_ages(&mut |point, age| {
            let ages = alive.get_or_insert(address(point), 0_u64);
            *ages = ages.wrapping_add(age);
        });
        let mut profile = Self { points: Vec::new(), times: points.times(), lost: points.lost() };
        points.visit(&mut |point, mut numbers| {
            let still_alive = alive.get(address(point)).copied().unwrap_or(0);
            numbers.lifetimes = numbers.lifetimes.wrapping_add(still_alive);
            profile.points.push((point.stack(), numbers));
        });
        profile
    }
}

#[cfg(all(test, feature = "dhat-compat"))]
mod tests {
    use std::time::Duration;

    use super::{HeapProfile, ProgramPoints};

    #[test]
    fn the_lifetimes_of_a_point_are_those_of_all_its_blocks() {
        let in_use = HeapProfile::of_scope().expect("memory");
        let points = in_use.get();
        for block in 1..=8 {
            points.enter(points.serial(), 16 * block, 8, None, false);
        }
        std::thread::sleep(Duration::from_millis(5));
        let profile = ProgramPoints::of(points);
        drop(in_use);
        let [(None, numbers)] = profile.points[..] else { panic!("one point") };
        // Some eight times as long, unless the thread was held up on the way.
        assert!(numbers.lifetimes > profile.times.now, "{numbers:?}, {:?}", profile.times);
    }
}
