//! What a check says, as snapshots.
#![cfg(all(feature = "backtraces", target_os = "linux", target_arch = "x86_64", not(miri)))]

use std::panic::catch_unwind;

use mod_alloc::{assert_growth, Growth, Order, Outgrown};

use crate::work::{cubed, few, in_turn, joined, lines, values};

/// A report without the numbers of lines in this file, and without the gap before them.
fn without_lines(report: &str) -> String {
    let report = report.replace('\\', "/");
    let (head, rest) = report.split_once('\n').expect("several lines");
    let (name, location) = head.rsplit_once(' ').expect("a location");
    let (file, line) = location.rsplit_once(':').expect("a line");
    assert!(line.parse::<u32>().is_ok(), "{location}");
    format!("{}  {file}:LINE\n{rest}", name.trim_end())
}

fn report_of(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(work).expect_err("it grows too fast");
    without_lines(panic.downcast_ref::<String>().expect("a report"))
}

fn outgrown(result: Result<(), Outgrown>) -> String {
    without_lines(&result.expect_err("it grows too fast").to_string())
}

#[test]
fn sites_that_outgrow() {
    insta::assert_snapshot!(report_of(|| {
        assert_growth!(
            max = O(log n),
            max_bytes = O(n),
            max_peak_bytes = O(n),
            sizes = [64, 512, 4_096],
            |n| {
                let text = lines(n);
                move || joined(&text)
            },
            "{} to join",
            "values"
        );
    }));
}

#[test]
fn retained_blocks_that_outgrow() {
    let growth = Growth::new().max_retained(Order::Logarithmic).sizes(&[100, 1_000, 10_000]);
    insta::assert_snapshot!(outgrown(growth.check(|n| {
        let text = lines(n);
        move || values(&text)
    })));
}

#[test]
fn faster_than_any_order() {
    let growth = Growth::new().max(Order::Constant).max_bytes(Order::Quadratic);
    let sizes = &[8, 16, 32, 64];
    insta::assert_snapshot!(outgrown(growth.sizes(sizes).check(|n| move || cubed(n))));
}

#[test]
fn sites_that_outgrow_together() {
    let growth = Growth::new().max(Order::Constant).sizes(&[64, 4_096]);
    insta::assert_snapshot!(outgrown(growth.check(|n| move || in_turn(n))));
}

#[test]
fn sizes_that_are_too_close() {
    let growth = Growth::new().max(Order::Linear).sizes(&[100, 700]);
    insta::assert_snapshot!(outgrown(growth.check(|_| || ())));
}

#[test]
fn numbers_that_are_too_small() {
    let growth = Growth::new().max(Order::Linear).sizes(&[64, 512, 4_096]);
    insta::assert_snapshot!(outgrown(growth.check(|n| move || few(n))));
}
