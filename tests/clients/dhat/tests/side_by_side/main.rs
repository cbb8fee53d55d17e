//! Programs with the crate dhat and with `mod_alloc::dhat`, as child processes. What they print is
//! the same, and so is what is in the files that they save. What may differ is taken out in
//! `frame.rs` (names), `profile.rs` (times) and `difference.rs` (lifetimes).

mod child;
mod difference;
mod frame;
mod planted;
mod profile;
mod viewer;

use std::fs;

use child::{Outcome, Running, Side};
use frame::Detail;
use profile::Point;

/// Runs the program on both sides, at the same time, and compares.
#[track_caller]
fn run(test: &str, arguments: &[&str], variables: &[(&str, &str)]) -> [Outcome; 2] {
    let outcomes = start(test, arguments, variables).map(Running::finish);
    let differences = difference::outcomes(&outcomes[0], &outcomes[1]);
    assert!(differences.is_empty(), "{arguments:?}\n{}", differences.join("\n"));
    outcomes
}

fn start(test: &str, arguments: &[&str], variables: &[(&str, &str)]) -> [Running; 2] {
    [Side::Dhat, Side::ModAlloc].map(|side| Running::start(side, test, arguments, variables))
}

#[track_caller]
fn figures(point: &Point) -> [u64; 8] {
    ["tb", "tbk", "mb", "mbk", "gb", "gbk", "eb", "ebk"].map(|name| point.figures[name])
}

#[test]
fn a_heap_profile_has_the_documented_figures() {
    for outcome in run("heap", &["heap"], &[]) {
        let points = &outcome.profiles["dhat-heap.json"].points;
        let mut all: Vec<_> = points.iter().map(figures).collect();
        all.sort_unstable();
        let [bytes, grown_within, grown, large] = all[..] else { panic!("{all:?}") };
        assert_eq!(bytes, [10, 10, 1, 1, 0, 0, 0, 0]);
        assert_eq!(grown_within, [32, 1, 32, 1, 32, 1, 32, 1]);
        assert_eq!(grown, [600, 2, 400, 1, 400, 1, 0, 0]);
        assert_eq!(large, [1000, 1, 1000, 1, 1000, 1, 0, 0]);
        let before_the_end = "before the end: HeapStats { total_blocks: 14, total_bytes: 1642, \
            curr_blocks: 2, curr_bytes: 432, max_blocks: 3, max_bytes: 1432 }";
        assert!(outcome.output.contains(before_the_end), "{}", outcome.output);
        for point in points {
            assert!(
                point.frames.iter().any(|frame| frame.function == "program::programs::heap::run"),
                "{}",
                point.chain(Detail::Frames)
            );
        }
    }
}

#[test]
fn lifetimes_are_those_of_the_blocks() {
    const SLEPT: u64 = 2_000;
    let [dhat, mod_alloc] = run("lifetimes", &["heap"], &[]);
    let lifetimes = |outcome: &Outcome, bytes: u64| {
        let points = &outcome.profiles["dhat-heap.json"].points;
        let point = points.iter().find(|point| point.figures["tb"] == bytes);
        point.and_then(|point| point.lifetimes).expect("a point of these bytes, with lifetimes")
    };
    for outcome in [&dhat, &mod_alloc] {
        assert!(lifetimes(outcome, 1000) >= SLEPT);
        assert!(lifetimes(outcome, 32) >= SLEPT);
    }
    // It was reallocated after the sleep. In dhat, the life of a block begins there.
    assert!(lifetimes(&mod_alloc, 600) >= SLEPT);
}

#[test]
fn addresses_are_those_the_calls_return_to() {
    let offsets = run("addresses", &["heap"], &[]).map(|outcome| {
        let function = fs::read_to_string(outcome.folder.join("address_of_blocks")).unwrap();
        let function = u64::from_str_radix(function.trim_start_matches("0x"), 16).unwrap();
        let points = &outcome.profiles["dhat-heap.json"].points;
        let frames = points.iter().flat_map(|point| &point.frames);
        let inside = frames.filter(|frame| frame.function == "program::programs::heap::blocks");
        let mut offsets: Vec<_> =
            inside.map(|frame| frame.address.wrapping_sub(function)).collect();
        offsets.sort_unstable();
        offsets
    });
    assert_eq!(offsets[0], offsets[1]);
    assert_eq!(offsets[0].len(), 2);
}

#[test]
fn environment_variables_for_backtraces_change_nothing() {
    for (name, value) in [
        ("RUST_BACKTRACE", "full"),
        ("RUST_BACKTRACE", "0"),
        ("RUST_LIB_BACKTRACE", "0"),
        ("MOD_ALLOC_BACKTRACE", "off"),
    ] {
        run("variables", &["heap"], &[(name, value)]);
    }
}

#[test]
fn the_current_folder_changes_no_path() {
    run("elsewhere", &["elsewhere"], &[]);
}

#[test]
fn a_test_that_holds_saves_nothing() {
    for outcome in run("testing", &["testing"], &[]) {
        assert!(outcome.profiles.is_empty());
        assert!(outcome.errors.is_empty());
    }
}

#[test]
fn each_assertion_that_fails_saves_a_profile_and_panics() {
    for outcome in run("assertions", &["assertions"], &[]) {
        assert_eq!(outcome.profiles.len(), 10);
    }
}

#[test]
fn each_misuse_panics() {
    // The figures are not compared: dhat does not count what its own panics allocate.
    let [dhat, mod_alloc] = start("misuse", &["misuse"], &[]).map(Running::finish);
    assert_eq!(dhat.output, mod_alloc.output);
}

#[test]
fn a_program_can_use_the_types_in_the_same_ways() {
    run("interface", &["interface"], &[]);
}

#[test]
fn profilers_follow_one_another_and_end_in_every_way() {
    run("endings", &["endings"], &[]);
}

#[test]
fn events_of_ad_hoc_profiles_are_counted_where_they_are() {
    for outcome in run("ad_hoc", &["ad_hoc"], &[]) {
        for (file, profile) in &outcome.profiles {
            for point in &profile.points {
                let event = |function: &str| function.ends_with("dhat::ad_hoc_event");
                assert!(
                    point.frames.iter().any(|frame| event(&frame.function)),
                    "{file}: {}",
                    point.chain(Detail::Frames)
                );
            }
        }
    }
}

#[test]
fn backtraces_are_trimmed_at_the_same_frames() {
    run("trimming", &["trimming"], &[]);
}

#[test]
fn threads_that_allocate_in_turn_are_profiled_together() {
    run("threads", &["threads"], &[]);
}

#[test]
fn threads_that_allocate_at_once_are_profiled_as_far_as_order_does_not_matter() {
    let outcomes = start("at_once", &["at_once"], &[]).map(Running::finish);
    let [dhat, mod_alloc] = outcomes.map(|mut outcome| {
        outcome.profiles.retain(|file, _| file == "all_within.json");
        for profile in outcome.profiles.values_mut() {
            for point in &mut profile.points {
                point.figures.retain(|name, _| ["tb", "tbk", "eb", "ebk"].contains(&name.as_str()));
            }
        }
        outcome.errors.clear();
        outcome
    });
    assert_eq!(dhat.profiles.len(), 1);
    let differences = difference::outcomes(&dhat, &mod_alloc);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn programs_out_of_a_seed_have_the_same_profiles() {
    for seed in 0..10 {
        run("random", &["random", &seed.to_string(), "10"], &[]);
    }
}
