//! What a check says, as snapshots.
#![cfg(feature = "backtraces")]

use std::env;
use std::panic::catch_unwind;
use std::process::Command;

use mod_alloc::{assert_growth, Growth, Order, Outgrown};

use crate::needs_call_sites::needs_call_sites;
use crate::report_head::with_head_on_one_line;
use crate::work::{cubed, few, in_turn, joined, lines, values};

/// A report without the numbers of lines in this file, and without the gap before them. The command
/// is as for `cargo test`.
fn without_lines(report: &str) -> String {
    let report = report.replace('\\', "/");
    let report = report.replace("cargo nextest run", "cargo test").replace(" --release", "");
    let report = with_head_on_one_line(&report);
    let (head, rest) = report.split_once('\n').expect("several lines");
    let (head, _) = head.rsplit_once(':').expect("a line");
    format!("{head}:LINE\n{rest}")
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
    needs_call_sites!();
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
    needs_call_sites!();
    let growth = Growth::new().max_retained(Order::Logarithmic).sizes(&[100, 1_000, 10_000]);
    insta::assert_snapshot!(outgrown(growth.check(|n| {
        let text = lines(n);
        move || values(&text)
    })));
}

#[test]
fn faster_than_any_order() {
    needs_call_sites!();
    let growth = Growth::new().max(Order::Constant).max_bytes(Order::Quadratic);
    let sizes = &[8, 16, 32, 64];
    insta::assert_snapshot!(outgrown(growth.sizes(sizes).check(|n| move || cubed(n))));
}

#[test]
fn sites_that_outgrow_together() {
    needs_call_sites!();
    let growth = Growth::new().max(Order::Constant).sizes(&[64, 4_096]);
    insta::assert_snapshot!(outgrown(growth.check(|n| move || in_turn(n))));
}

#[test]
fn the_largest_block() {
    needs_call_sites!();
    let growth = Growth::new().max_block_bytes(Order::Linear).sizes(&[8, 16, 32, 64]);
    insta::assert_snapshot!(outgrown(growth.check(|n| move || cubed(n))));
}

#[test]
fn threads_that_are_not_attached() {
    needs_call_sites!();
    let growth = Growth::new().max(Order::Constant).sizes(&[64, 512]);
    let report = outgrown(growth.check(|n| {
        move || {
            std::thread::spawn(move || lines(n)).join().expect("it returns");
            values(&lines(n))
        }
    }));
    let end = "\n\n  not counted: what the threads allocate that it starts \
               (`AllocScope::current()`\n  attaches them)";
    assert!(report.ends_with(end), "{report}");
}

#[test]
fn sizes_that_are_too_close() {
    needs_call_sites!();
    let growth = Growth::new().max(Order::Linear).sizes(&[100, 700]);
    insta::assert_snapshot!(outgrown(growth.check(|_| || ())));
}

#[test]
fn numbers_that_are_too_small() {
    needs_call_sites!();
    let growth = Growth::new().max(Order::Linear).sizes(&[64, 512, 4_096]);
    insta::assert_snapshot!(outgrown(growth.check(|n| move || few(n))));
}

/// What this binary prints of the growth that `in_another_process` checks.
fn printed_with(backtrace: &str) -> String {
    let this = env::current_exe().expect("a test knows its binary");
    let mut again = Command::new(this);
    again.args(["--exact", "reports::in_another_process", "--nocapture"]);
    again.env("IN_ANOTHER_PROCESS", "1").env("MOD_ALLOC_BACKTRACE", backtrace);
    let again = again.env("RUST_BACKTRACE", "0").env("MOD_ALLOC_COLOR", "never");
    let output = again.output().expect("it runs again");
    assert!(!output.status.success(), "it grows too fast");
    String::from_utf8(output.stderr).expect("text")
}

/// Does nothing unless it is run by `printed_with`.
#[test]
fn in_another_process() {
    needs_call_sites!();
    if env::var_os("IN_ANOTHER_PROCESS").is_some() {
        assert_growth!(max_bytes = O(n), sizes = [64, 512], |n| {
            let text = lines(n);
            move || joined(&text)
        });
    }
}

#[test]
fn full_shows_all_stacks_of_the_last_size() {
    needs_call_sites!();
    let full = printed_with("full");
    let has = |text: &str| assert!(full.contains(text), "{text} is not in\n{full}");
    has("\n  bytes: 1 call site grows faster than O(n)\n    tests/growth/work.rs:14 joined: ");
    has("\n  all stacks at n = 512, most bytes first\n\n    512 allocations, 787,968 bytes\n");
    has(" at tests/growth/work.rs:14:");
    has("/library/alloc/src/");
}

#[test]
fn off_shows_the_numbers() {
    needs_call_sites!();
    let off = printed_with("off");
    let has = |text: &str| assert!(off.contains(text), "{text} is not in\n{off}");
    has("\n  fits       O(n^2)\n");
    has("\n\n  no call sites: the environment has MOD_ALLOC_BACKTRACE=off\n");
    assert!(!off.contains("work.rs"), "{off}");
}
