//! The texts of broken budgets, as snapshots.

use std::env;
use std::hint::black_box;
use std::panic::{catch_unwind, AssertUnwindSafe, UnwindSafe};
use std::process::Command;

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, Budget, Exceeded, ModAlloc};

#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "../common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "../common/report_head.rs"]
mod report_head;
mod work;

use needs_call_sites::needs_call_sites;
use report_head::with_head_on_one_line;
use work::allocate;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// The report that `work` panics with.
fn report_of(work: impl FnOnce() + UnwindSafe) -> String {
    let panic = catch_unwind(work).expect_err("the budget is broken");
    without_lines(panic.downcast_ref::<String>().expect("a report"))
}

/// A report without the numbers of lines in this file, and without the gap before the location,
/// whose width depends on them. Where in `work` the allocations are made stays. The command is as
/// for `cargo test`.
fn without_lines(report: &str) -> String {
    let report = report.replace('\\', "/").replace(DHAT_HINT, "");
    let report = report.replace("cargo nextest run", "cargo test").replace(" --release", "");
    let report = with_head_on_one_line(&report);
    let mut parts = report.split("tests/report/main.rs:");
    let mut text = parts.next().expect("there is a first").to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        assert!(rest.len() < part.len(), "{report}");
        text.push_str("tests/report/main.rs:LINE");
        text.push_str(rest);
    }
    text
}

#[alloc_budget(max = 2, max_bytes = 1024)]
fn parses_header() {
    allocate(&[100, 200, 700]);
}

#[test]
fn attribute() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(parses_header));
}

#[test]
fn several_metrics_one_of_them_held() {
    needs_call_sites!();
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
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}

#[test]
fn exact_and_too_few() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(|| assert_allocs!(exact = 3, { allocate(&[1]) })));
}

#[test]
fn at_least_and_too_few() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(|| assert_allocs!(min = 1_000, { allocate(&[1, 2]) })));
}

#[test]
fn a_range_and_too_many() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(|| assert_allocs!(min = 1, max = 2, { allocate(&[1; 3]) })));
}

#[test]
fn no_alloc_with_a_message() {
    needs_call_sites!();
    let work = || {
        let name = "header";
        assert_no_alloc!({ allocate(&[1]) }, "while reading {name}\nand its second line");
    };
    insta::assert_snapshot!(report_of(work));
}

#[test]
fn several_runs_that_differ() {
    needs_call_sites!();
    let mut run = 0;
    let exceeded = Budget::new().exact(3).max_bytes(2).warmup(1).runs(5).check(|| {
        run += 1;
        allocate(&[1; 7][..run]);
    });
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}

#[test]
fn several_runs_that_agree() {
    needs_call_sites!();
    let exceeded = Budget::new().exact(3).runs(2).check(|| allocate(&[1]));
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}

#[test]
fn one_run_after_warm_ups() {
    needs_call_sites!();
    let exceeded = Budget::new().max(0).warmup(2).check(|| allocate(&[1]));
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}

#[test]
fn a_long_name_keeps_its_distance_from_the_location() {
    needs_call_sites!();
    mod a_module_with_a_very_long_name_that_somebody_chose {
        #[mod_alloc::alloc_budget(max = 0)]
        pub(crate) fn and_a_function_whose_name_is_long_as_well() {
            super::allocate(&[1]);
        }
    }
    use a_module_with_a_very_long_name_that_somebody_chose as long;
    let panic = catch_unwind(long::and_a_function_whose_name_is_long_as_well).expect_err("broken");
    let report = panic.downcast_ref::<String>().expect("a report");
    let lines: Vec<&str> = report.lines().take(2).collect();
    assert!(lines[0].ends_with("::and_a_function_whose_name_is_long_as_well"), "{report}");
    assert!(lines[1].replace('\\', "/").starts_with("  tests/report/main.rs:"), "{report}");
}

#[test]
fn a_vec_that_grows() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::collects_squares));
}

#[test]
fn only_bytes_are_too_many() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::keeps_copies));
}

#[test]
fn too_much_at_a_time() {
    needs_call_sites!();
    insta::assert_snapshot!("peak", report_of(work::holds_a_page));
    let both = Budget::new().max(3).max_peak_bytes(4_000).check(work::fills_a_page).unwrap_err();
    insta::assert_snapshot!("peak_and_allocations", without_lines(&both.to_string()));
    let sites = both.call_sites().sorted_by(mod_alloc::SortBy::PeakBytes);
    assert_eq!(sites.sites()[0].peak_bytes(), Some(4_000));
}

/// Of a block from before, it is not known whether it was live.
#[test]
fn a_block_from_before_that_grows() {
    needs_call_sites!();
    let mut block = Vec::<u8>::with_capacity(8);
    let exceeded = Budget::new().max_peak_bytes(100).check(|| block.reserve_exact(1_000));
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}

#[test]
fn more_sites_than_fit() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::allocates_at_many_lines));
}

#[test]
fn recursion_and_closures() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::joins_nested_lists));
}

#[alloc_budget(max = 2)]
fn grows_a_vec() {
    let mut numbers = Vec::new();
    for n in 0..100_u32 {
        numbers.push(n);
    }
    black_box(&numbers);
}

#[test]
fn a_vec_that_grows_in_a_function_with_a_budget() {
    needs_call_sites!();
    let report = report_of(grows_a_vec);
    let grew = "grew 16 > 32 > 64 > 128 > 1 more > 512: reserve 512 bytes up front";
    assert!(report.contains(grew), "{report}");
}

#[test]
fn without_call_sites_the_report_ends_with_its_table() {
    let exceeded = Budget::new().max(0).call_sites(false).check(|| allocate(&[1]));
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}

/// It runs in a process of its own, with `MOD_ALLOC_BACKTRACE`, which is read once.
#[test]
fn in_another_process() {
    if env::var_os("IN_ANOTHER_PROCESS").is_some() {
        work::collects_squares();
    }
}

#[test]
fn an_empty_value_is_none() {
    let report = catch_unwind(work::collects_squares).expect_err("the budget is broken");
    let report = report.downcast_ref::<String>().expect("a report");
    let (report, _command) = report.rsplit_once('\n').expect("several lines");
    assert!(printed_with("").contains(report));
}

/// What a test binary prints of the budget that `in_another_process` breaks.
fn printed_with(backtrace: &str) -> String {
    let this = env::current_exe().expect("a test knows its binary");
    let mut again = Command::new(this);
    again.args(["--exact", "in_another_process", "--nocapture"]);
    again.env("IN_ANOTHER_PROCESS", "1").env("MOD_ALLOC_BACKTRACE", backtrace);
    let again = again.env("RUST_BACKTRACE", "0").env("MOD_ALLOC_COLOR", "never");
    let output = again.output().expect("it runs again");
    assert!(!output.status.success(), "the budget is broken");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn short_is_what_is_shown_unless_asked() {
    let report = catch_unwind(work::collects_squares).expect_err("the budget is broken");
    let report = report.downcast_ref::<String>().expect("a report");
    let (report, _command) = report.rsplit_once('\n').expect("several lines");
    let short = printed_with("short");
    assert!(short.contains(report), "{short}");
}

#[test]
fn full_shows_all_frames() {
    needs_call_sites!();
    let full = printed_with("full");
    let has = |text: &str| assert!(full.contains(text), "{text} is not in\n{full}");
    has("  call sites, most allocations first (6 allocations at ");
    has(" at tests/report/work.rs:18:");
    has("/library/alloc/src/raw_vec/mod.rs:");
    has("\n  allocation 3, the first past the budget: tests/report/work.rs:18:17\n");
    let user = full.lines().find(|line| line.trim_start().starts_with("> ")).expect("a line");
    assert!(user.contains("collects_squares at tests/report/work.rs:18:"), "{full}");
    assert!(!full.contains("MOD_ALLOC_BACKTRACE"), "{full}");
}

#[test]
fn off_shows_the_table_alone() {
    let off = printed_with("off");
    assert!(off.contains("  allocations       2         6  +4\n"), "{off}");
    assert!(!off.contains("call sites") && !off.contains("first past"), "{off}");
}

#[test]
fn another_value_is_answered_by_those_that_there_are() {
    for value in ["1", " ", "Full", "on"] {
        let answer = printed_with(value);
        let expected = format!(
            "is `MOD_ALLOC_BACKTRACE` misspelt? It is `{value}`; the values are `short` (the \
             default), `full` and `off`"
        );
        assert!(answer.contains(&expected), "{answer}");
        assert!(!answer.contains("allocation budget exceeded"), "{answer}");
    }
}

#[test]
fn leaks() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::forgets_labels));
}

#[test]
fn retained_blocks_and_allocations() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(|| drop(work::builds_a_page())));
}

#[test]
fn what_was_not_counted() {
    needs_call_sites!();
    let exceeded = work::leaves_a_thread_attached(Budget::new().max(2));
    insta::assert_snapshot!(text_of(exceeded));
}

// Not at the top: lines above are numbered in the snapshots.
#[path = "../common/again.rs"]
mod again;
#[path = "../common/waker.rs"]
mod waker;

#[test]
fn the_line_of_the_attribute_is_no_caller() {
    needs_call_sites!();
    use std::future::Future;
    use std::task::Context;

    let report = report_of(|| {
        let waker = waker::idle();
        let _ = std::pin::pin!(work::awaits()).poll(&mut Context::from_waker(&waker));
    });
    insta::assert_snapshot!("an_async_function", report);
    insta::assert_snapshot!("a_function_that_runs_twice", report_of(work::repeats));
}

/// What the report says more with the feature `dhat-compat`.
const DHAT_HINT: &str = "  DHAT profile: MOD_ALLOC_DHAT=DIR\n";

#[rustfmt::skip]
#[alloc_budget(max = 0)] fn on_the_attributes_line() { allocate(&[100]); }

#[test]
fn a_call_on_the_line_of_the_attribute_is_a_caller() {
    needs_call_sites!();
    let report = report_of(on_the_attributes_line);
    assert!(
        report.contains("called from tests/report/main.rs:LINE on_the_attributes_line\n"),
        "{report}"
    );
}

#[alloc_budget(max = 0)]
fn grows_a_text() {
    use std::fmt::Write;
    let mut text = String::new();
    for n in 0..100 {
        write!(text, "{n},").expect("it always succeeds");
    }
    black_box(&text);
}

#[test]
fn a_text_that_several_stacks_of_a_line_grow_in_turn() {
    needs_call_sites!();
    let report = report_of(grows_a_text);
    assert!(report.contains("grew 8 > 5 more > 512"), "{report}");
}

/// What the first run makes for later use, the next run does not make.
#[test]
fn a_first_use() {
    needs_call_sites!();
    use std::sync::OnceLock;
    static NAME: OnceLock<String> = OnceLock::new();
    static OTHER: OnceLock<String> = OnceLock::new();
    let work = |name: &'static OnceLock<String>| {
        move || {
            black_box(name.get_or_init(|| "name".to_owned()));
            drop(black_box(vec![1]));
        }
    };
    let hint =
        "\n  1 allocation of what is set up once (OnceLock, thread_local!, ..): try `warmup = 1`\n";
    let cold = Budget::new().max(1).check(work(&NAME)).expect_err("two allocations");
    assert!(cold.to_string().contains(hint), "{cold}");
    let next = Budget::new().max(0).check(work(&NAME)).expect_err("one allocation");
    assert!(!next.to_string().contains("warmup"), "{next}");
    let warm = Budget::new().max(0).warmup(1).check(work(&OTHER)).expect_err("one allocation");
    assert!(!warm.to_string().contains("try"), "{warm}");
}

#[test]
fn advice_is_for_those_who_can_take_it() {
    needs_call_sites!();
    use std::collections::HashMap;
    use std::path::Path;
    let report = |work: &dyn Fn()| Budget::new().max(0).check(work).unwrap_err().to_string();
    let advice = ": reserve the capacity up front\n";
    let long = "x".repeat(200);
    let formatted = report(&|| drop(black_box(format!("{:?} {:?}", black_box(&*long), 5))));
    let replaced = report(&|| drop(black_box(long.replace('x', "abc"))));
    let joined = report(&|| drop(black_box(Path::new(black_box("/a")).join(&*long))));
    for text in [formatted, replaced, joined] {
        assert!(text.contains("  grew ") && !text.contains(advice), "{text}");
    }
    let mapped = report(&|| {
        let mut map = HashMap::new();
        for n in 0..100 {
            map.insert(n, n);
        }
        black_box(&map);
    });
    assert!(mapped.contains(&format!("  grew a table 6 times{advice}")), "{mapped}");
}

/// Nobody can filter tests by the name of such a thread.
#[test]
fn the_command_on_a_thread_of_the_users_names_no_test() {
    needs_call_sites!();
    let work = || Budget::new().max(0).check(|| allocate(&[1])).unwrap_err().to_string();
    let thread = std::thread::Builder::new().name("worker".to_owned()).spawn(work);
    let report = thread.expect("a thread").join().expect("it does not panic");
    assert_eq!(report.lines().last(), Some("  full stacks: MOD_ALLOC_BACKTRACE=full"));
}

#[test]
fn a_run_that_breaks_the_budget_is_compared_with_the_first() {
    needs_call_sites!();
    let mut run = 0;
    let exceeded = Budget::new().max(1).runs(4).check(|| {
        run += 1;
        allocate(&[1; 5][..[1, 1, 5, 2][run - 1]]);
    });
    let report = text_of(exceeded.unwrap_err());
    let changes = "from run 1 to run 3:\n    +4 at tests/report/work.rs allocate: 1 -> 5\n";
    assert!(report.contains(changes), "{report}");
}

/// Not in release builds: `line-tables-only` has no paths for the test's own functions.
#[cfg(debug_assertions)]
#[test]
fn what_is_allowed_is_listed() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::reads_and_logs));
}

#[test]
fn one_block_that_is_too_large() {
    needs_call_sites!();
    insta::assert_snapshot!(report_of(work::reserves_a_page));
}

/// What the error prints, which is what a panic with it says.
fn text_of(exceeded: Exceeded) -> String {
    let text = exceeded.to_string();
    let fail = AssertUnwindSafe(|| mod_alloc::__private::fail(exceeded));
    let panic = catch_unwind(fail).expect_err("the budget is broken");
    assert_eq!(panic.downcast_ref::<String>(), Some(&text));
    without_lines(&text)
}

/// All tests here again, with colours and without.
#[test]
fn in_colour_the_layout_is_the_same() {
    let this_test = "in_colour_the_layout_is_the_same";
    let printed = |colour: &str| {
        let mut again = again::this_binary();
        again.args(["--nocapture", "--test-threads=1", "--skip", this_test]);
        let (status, text) = again::run(again.env("MOD_ALLOC_COLOR", colour));
        assert!(status.success(), "{text}");
        text
    };
    let (coloured, plain) = (printed("always"), printed("never"));
    assert!(!plain.contains('\x1b'), "{plain}");
    let uncoloured = without_codes(&coloured);
    assert_eq!(reports_in(&uncoloured), reports_in(&plain));
    // Every style is there.
    for code in ["1m", "1;31m", "36m", "2m"] {
        assert!(coloured.contains(&format!("\x1b[{code}")), "{code}: {coloured}");
    }
}

/// Without the lines of the standard library and of the harness.
fn reports_in(text: &str) -> Vec<&str> {
    let is_of_report = |line: &&str| line.starts_with("  ") || line.starts_with("allocation ");
    let lines: Vec<&str> = text.lines().filter(is_of_report).collect();
    let reports = lines.iter().filter(|line| line.starts_with("allocation ")).count();
    assert!(reports > 5, "{reports}: {text}");
    assert!(lines.len() > 300 || !call_sites_are_here::call_sites_are_here(), "{text}");
    lines
}

fn without_codes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('m').expect("a code ends");
        plain.push_str(rest);
    }
    plain
}

#[alloc_budget(
    max = 0,
    max_bytes = 100_000,
    max_peak_bytes = 4096,
    max_block_bytes = 12_345,
    max_reallocs = 3,
    max_deallocs = 9,
    warmup = 1,
    runs = 2,
    call_sites = false
)]
fn with_many_limits() {
    allocate(&[1]);
}

#[test]
fn many_limits_take_several_lines() {
    insta::assert_snapshot!(report_of(with_many_limits));
    let budget = Budget::new().max(0).max_bytes(100_000).max_peak_bytes(4096).call_sites(false);
    let budget = budget.max_block_bytes(12_345).max_reallocs(3).max_deallocs(9).warmup(1);
    let exceeded = budget.check(|| allocate(&[1]));
    insta::assert_snapshot!("many_limits_of_a_value", text_of(exceeded.unwrap_err()));
}

#[test]
fn nothing_at_all() {
    let exceeded = Budget::new().exact(3).call_sites(false).check(|| ());
    insta::assert_snapshot!(text_of(exceeded.unwrap_err()));
}
