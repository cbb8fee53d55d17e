//! Cold: `Events`, what an ad hoc profile has counted.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::blocks::PointNumbers;
use crate::counters::Blocks;
use crate::reading::{DhatKind, DhatProfile};
use crate::stacks::Stack;

pub(super) struct Events {
    since: Instant,
    max_frames: usize,
    /// By the address of the stack, events and units.
    counted: BTreeMap<usize, (Option<&'static Stack>, Blocks)>,
}

impl Events {
    pub(super) fn new(max_frames: Option<usize>) -> Self {
        let max_frames = max_frames.unwrap_or(usize::MAX);
        Self { since: Instant::now(), max_frames, counted: BTreeMap::new() }
    }

    pub(super) fn count(&mut self, stack: Option<&'static Stack>, weight: usize) {
        let stack = stack.and_then(|stack| stack.innermost(self.max_frames));
        let key = stack.map_or(0, |stack| stack as *const Stack as usize);
        let (_, counted) = self.counted.entry(key).or_insert((stack, Blocks::NONE));
        *counted = *counted + Blocks { blocks: 1, bytes: weight as u64 };
    }

    pub(super) fn total(&self) -> Blocks {
        self.counted.values().fold(Blocks::NONE, |sum, (_, counted)| sum + *counted)
    }

    pub(super) fn into_profile(self) -> DhatProfile {
        let end = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let points = self
            .counted
            .into_values()
            .map(|(stack, total)| (stack, PointNumbers { total, ..PointNumbers::default() }));
        DhatProfile {
            kind: DhatKind::AdHoc,
            points: points.collect(),
            openings: Vec::new(),
            is_trimmed: true,
            peak_at: 0,
            end,
        }
    }
}
