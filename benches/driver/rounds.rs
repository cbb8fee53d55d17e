//! Measures in rounds: A B C, A B C, and so on. A machine that is slow for a while is slow for all,
//! and a ratio is taken only between neighbours of the same round.

use std::path::Path;

use crate::child;
use crate::summary::Summary;

/// What was measured.
pub(crate) struct Rounds {
    /// For each thing that was measured, its figure in each round.
    columns: Vec<Vec<f64>>,
}

impl Rounds {
    /// `things` are pairs of a binary and the name of a workload.
    pub(crate) fn measure(rounds: usize, things: &[(&Path, &str)]) -> Self {
        Self::by(rounds, things.len(), |thing| child::nanos(things[thing].0, things[thing].1))
    }

    /// So many things, of which `figure` measures one.
    pub(crate) fn by(rounds: usize, things: usize, figure: impl Fn(usize) -> f64) -> Self {
        let mut columns = vec![Vec::with_capacity(rounds); things];
        for _ in 0..rounds {
            for (thing, column) in columns.iter_mut().enumerate() {
                column.push(figure(thing));
            }
        }
        Self { columns }
    }

    /// What was measured of `thing`: nanoseconds, where it is a workload.
    pub(crate) fn nanos(&self, thing: usize) -> Summary {
        Summary::of(self.columns[thing].clone())
    }

    /// The ratio of `thing` to `base` in each round.
    pub(crate) fn ratio(&self, thing: usize, base: usize) -> Summary {
        self.each(|nanos| nanos(thing) / nanos(base))
    }

    /// A figure of each round, computed from the nanoseconds of the things in it.
    pub(crate) fn each(&self, figure: impl Fn(&dyn Fn(usize) -> f64) -> f64) -> Summary {
        let rounds = 0..self.columns.first().map_or(0, Vec::len);
        Summary::of(rounds.map(|round| figure(&|thing| self.columns[thing][round])).collect())
    }
}
