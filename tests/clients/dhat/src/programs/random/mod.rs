//! Programs that a seed leads to. Blocks are held in slots, and at each step a slot takes one of
//! many paths, in which its block is allocated, grown, shrunk, replaced or freed. Slots outlive
//! profilers. To the next profiler, their blocks are from before.

mod block;
mod generator;
mod paths;

use self::block::Block;
use self::generator::Generator;
use self::paths::{NOT_ZEROED, PATHS};
use super::print_stats;
use crate::dhat;

const SLOTS: usize = 12;
const STEPS: usize = 60;
/// How many steps there are between one profiler and the next.
const STEPS_BETWEEN: usize = 6;

pub(super) struct Program {
    slots: [Block; SLOTS],
    generator: Generator,
}

impl Program {
    pub(super) fn new(seed: u64) -> Self {
        Self { slots: Default::default(), generator: Generator::new(seed) }
    }

    /// Does so many steps, with all paths.
    pub(super) fn steps(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step(PATHS.len());
        }
    }

    /// Does one step, with one of the first `paths` paths.
    #[inline(never)]
    fn step(&mut self, paths: usize) {
        let Self { slots, generator } = self;
        let slot = &mut slots[generator.below(SLOTS)];
        let path = PATHS[generator.below(paths)];
        let depth = generator.below(5);
        generator.left_or_right()(depth, path, slot, generator);
    }
}

pub(super) fn run(seed: u64, rounds: u64) {
    let mut program = Program::new(seed);
    for round in 0..rounds {
        program.steps(STEPS_BETWEEN);
        // `None` stands for the default.
        let (max_frames, file, paths) = match round % 5 {
            0 => (None, "few", NOT_ZEROED),
            1 => (Some(None), "all", PATHS.len()),
            2 => (Some(Some(usize::MAX)), "most", PATHS.len()),
            3 => (Some(Some(5)), "few", NOT_ZEROED),
            _ => (Some(Some(program.generator.below(40))), "few", NOT_ZEROED),
        };
        let mut builder = dhat::Profiler::builder().file_name(format!("{file}_{round}.json"));
        if let Some(max_frames) = max_frames {
            builder = builder.trim_backtraces(max_frames);
        }
        let _profiler = builder.build();
        for taken in 1..=STEPS {
            program.step(paths);
            if taken % 20 == 0 {
                print_stats("on the way");
            }
        }
    }
}
