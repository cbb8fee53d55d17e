//! What is left of a backtrace. Its outer end is cut by the number of frames, by where the profiler
//! was built, and by where the first block was allocated.

use std::hint::black_box;

use super::print_stats;
use crate::dhat;

pub(super) fn run() {
    for depth in [0, 1, 5, 9, 10, 11, 40, 300] {
        profile(depth, "few_by_default", |builder| builder);
        for max_frames in [0, 4, 5, 8, 11, 30] {
            let name = format!("few_{max_frames}");
            profile(depth, &name, |builder| builder.trim_backtraces(Some(max_frames)));
        }
        profile(depth, "most", |builder| builder.trim_backtraces(Some(usize::MAX)));
        profile(depth, "all", |builder| builder.trim_backtraces(None));
    }
    built_in_the_caller();
    built_in_a_callee();
    built_deep();
    built_in_a_loop();
    built_in_a_recursion();
}

fn profile(
    depth: usize,
    name: &str,
    with: impl FnOnce(dhat::ProfilerBuilder) -> dhat::ProfilerBuilder,
) {
    let file = format!("{name}_{depth}.json");
    let profiler = with(dhat::Profiler::builder().file_name(file)).build();
    recurse(depth);
    print_stats(name);
    drop(profiler);
}

#[inline(never)]
fn recurse(depth: usize) {
    if depth > 0 {
        recurse(depth - 1);
    } else {
        allocate();
        drop(black_box(vec![1_u8; 7]));
    }
    black_box(());
}

#[inline(never)]
fn allocate() {
    let mut grown = black_box(Vec::<u32>::with_capacity(2));
    grown.reserve(20);
    black_box(Box::new(black_box(1_u64)));
    drop(grown);
}

fn builder(file: &str) -> dhat::ProfilerBuilder {
    dhat::Profiler::builder().file_name(file).trim_backtraces(Some(usize::MAX))
}

/// The usual case.
#[inline(never)]
fn built_in_the_caller() {
    let _profiler = builder("built_in_the_caller.json").build();
    recurse(2);
    allocate();
}

/// The later stacks go through the call below which the profiler was built.
#[inline(never)]
fn built_in_a_recursion() {
    #[inline(never)]
    fn descend(depth: usize, profiler: &mut Option<dhat::Profiler>) {
        if depth > 0 {
            descend(depth - 1, profiler);
        } else if profiler.is_none() {
            *profiler = Some(builder("built_in_a_recursion.json").build());
        } else {
            allocate();
        }
        black_box(());
    }
    let mut profiler = None;
    descend(3, &mut profiler);
    descend(2, &mut profiler);
    recurse(2);
}

/// The function that built the profiler has returned.
#[inline(never)]
fn built_in_a_callee() {
    #[inline(never)]
    fn build() -> dhat::Profiler {
        let profiler = builder("built_in_a_callee.json").build();
        black_box(());
        profiler
    }
    let _profiler = build();
    recurse(2);
    allocate();
}

/// The first block is allocated further out than the profiler was built, the next ones further in.
#[inline(never)]
fn built_deep() {
    #[inline(never)]
    fn build(depth: usize) -> dhat::Profiler {
        let profiler =
            if depth == 0 { builder("built_deep.json").build() } else { build(depth - 1) };
        black_box(());
        profiler
    }
    let _profiler = build(3);
    allocate();
    recurse(3);
}

/// The profiler is built in the first turn of the loop, so that the calls from the loop are among
/// those that led to the profiler.
#[inline(never)]
fn built_in_a_loop() {
    #[inline(never)]
    fn step(turn: usize, profiler: &mut Option<dhat::Profiler>) {
        match turn {
            0 => *profiler = Some(builder("built_in_a_loop.json").build()),
            1 => allocate(),
            _ => recurse(turn),
        }
        black_box(());
    }
    let mut profiler = None;
    for turn in 0..4 {
        step(turn, &mut profiler);
    }
}
