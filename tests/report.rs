//! The texts of broken budgets, as snapshots.

use std::hint::black_box;
use std::panic::{catch_unwind, UnwindSafe};

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate(sizes: &[usize]) {
    for &size in sizes {
        drop(black_box(Vec::<u8>::with_capacity(size)));
    }
}

/// The report that `work` panics with.
fn report_of(work: impl FnOnce() + UnwindSafe) -> String {
    let panic = catch_unwind(work).expect_err("the budget is broken");
    without_line(panic.downcast_ref::<String>().expect("a report"))
}

/// A report without the number of the source line, and without the gap before the location, whose width depends on it.
fn without_line(report: &str) -> String {
    let report = report.replace('\\', "/");
    let (before, after) = report.split_once("tests/report.rs:").expect("a location");
    let digits = after.find(|c: char| !c.is_ascii_digit()).expect("a line break");
    assert!(digits > 0, "{report}");
    let before = before.trim_end_matches(' ');
    format!("{before}  tests/report.rs:LINE{}", &after[digits..])
}

#[alloc_budget(max = 2, max_bytes = 1024)]
fn parses_header() {
    allocate(&[100, 200, 700]);
}

#[test]
fn attribute() {
    insta::assert_snapshot!(report_of(parses_header));
}

#[test]
fn several_metrics_one_of_them_held() {
    let exceeded = Budget::new()
        .max(1)
        .max_bytes(5_000_000)
        .max_peak_bytes(1_000)
        .max_reallocs(0)
        .max_deallocs(9)
        .check(|| {
            let mut block = black_box(Vec::<u8>::with_capacity(1_000_000));
            block.reserve_exact(1_234_567);
        });
    insta::assert_snapshot!(without_line(&exceeded.unwrap_err().to_string()));
}

#[test]
fn exact_and_too_few() {
    insta::assert_snapshot!(report_of(|| assert_allocs!(exact = 3, { allocate(&[1]) })));
}

#[test]
fn at_least_and_too_few() {
    insta::assert_snapshot!(report_of(|| assert_allocs!(min = 1_000, { allocate(&[1, 2]) })));
}

#[test]
fn a_range_and_too_many() {
    insta::assert_snapshot!(report_of(|| assert_allocs!(min = 1, max = 2, { allocate(&[1; 3]) })));
}

#[test]
fn no_alloc_with_a_message() {
    let work = || {
        let name = "header";
        assert_no_alloc!({ allocate(&[1]) }, "while reading {name}\nand its second line");
    };
    insta::assert_snapshot!(report_of(work));
}

#[test]
fn several_runs_that_differ() {
    let mut run = 0;
    let exceeded = Budget::new().exact(3).max_bytes(2).warmup(1).runs(5).check(|| {
        run += 1;
        allocate(&[1; 7][..run]);
    });
    insta::assert_snapshot!(without_line(&exceeded.unwrap_err().to_string()));
}

#[test]
fn several_runs_that_agree() {
    let exceeded = Budget::new().exact(3).runs(2).check(|| allocate(&[1]));
    insta::assert_snapshot!(without_line(&exceeded.unwrap_err().to_string()));
}

#[test]
fn one_run_after_warm_ups() {
    let exceeded = Budget::new().max(0).warmup(2).check(|| allocate(&[1]));
    insta::assert_snapshot!(without_line(&exceeded.unwrap_err().to_string()));
}

#[test]
fn a_long_name_keeps_its_distance_from_the_location() {
    mod a_module_with_a_very_long_name_that_somebody_chose {
        #[mod_alloc::alloc_budget(max = 0)]
        pub(crate) fn and_a_function_whose_name_is_long_as_well() {
            super::allocate(&[1]);
        }
    }
    let work = a_module_with_a_very_long_name_that_somebody_chose::and_a_function_whose_name_is_long_as_well;
    insta::assert_snapshot!(report_of(work));
}
