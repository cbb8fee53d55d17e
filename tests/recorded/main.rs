//! Budgets whose limit is what was recorded last. Each test has a package of its own, and runs the
//! tests of `programs` in it.
#![cfg(not(miri))]

#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
mod programs;
mod project;
#[path = "../common/report_head.rs"]
mod report_head;
mod work;

use std::fs;
use std::process::{Child, Stdio};

use mod_alloc::{Budget, ModAlloc};

use call_sites_are_here::call_sites_are_here;
use project::Project;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const PROFILE: &str = if cfg!(debug_assertions) { "[debug]" } else { "[release]" };

const TOKENS_3: &[(&str, &str)] = &[("TOKENS", "3")];
const OFF: (&str, &str) = ("MOD_ALLOC_BACKTRACE", "off");

macro_rules! assert_report {
    ($name:literal, $text:expr) => {
        let text = $text.replace(PROFILE, "[debug]").replace("cargo test --release", "cargo test");
        let text = text.replace("  DHAT profile: MOD_ALLOC_DHAT=DIR\n", "");
        // To ask for a variable allocates on some systems, and on others where it is set.
        let is_counted = |line: &&str| !line.starts_with("  not counted: ");
        let text = text.lines().filter(is_counted).collect::<Vec<_>>().join("\n");
        if call_sites_are_here() {
            insta::assert_snapshot!($name, text);
        }
    };
}

#[track_caller]
fn expect(text: &str, words: &[&str]) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.iter().for_each(|words| assert!(text.contains(words), "{words} in:\n{text}"));
}

#[test]
fn what_is_recorded_holds_and_what_differs_does_not() {
    let project = Project::new();
    assert_report!("without_a_record", project.fails("programs::by_name", &[]));
    assert_eq!(project.files(), [""; 0], "nothing is written unless it is asked for");
    project.update("programs::by_name", &[]);
    assert_report!("a_record", project.record("parses"));
    project.passes("programs::by_name", &[]);
    assert_report!("more", project.fails("programs::by_name", &[("TOKENS", "4")]));
    let fewer = [("TOKENS", "1"), ("LABELS", "1"), ("PAGE", "")];
    assert_report!("fewer", project.fails("programs::by_name", &fewer));
    assert_report!("moved", project.fails("programs::by_name", &[("TOKENS", "1"), ("PAGE", "")]));
    project.update("programs::by_name", TOKENS_3);
    project.passes("programs::by_name", TOKENS_3);
    expect(&project.record("parses"), &["5 allocations"]);
    project.fails("programs::by_name", &[]);
}

#[test]
fn what_is_written_is_said() {
    let project = Project::new();
    let said = |variables: &[(&str, &str)]| {
        let update = [variables, &[("MOD_ALLOC_UPDATE", "1")]].concat();
        let output = project.command("programs::by_name", &update).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).replace('\\', "/");
        text.replace(PROFILE, "[debug]").trim_end().to_owned()
    };
    let line = |change| format!("mod-alloc: alloc_budgets/recorded/parses.txt [debug]: {change}");
    assert_eq!(said(&[]), line("recorded 4"));
    assert_eq!(said(&[]), "");
    assert_eq!(said(TOKENS_3), line("4 -> 5"));
    let moved = said(&[("LABELS", "3")]);
    let expected = line("5, at other sites");
    assert_eq!(moved, if call_sites_are_here() { &expected } else { "" });
}

#[test]
fn the_attribute_and_the_macro_record_by_test() {
    let project = Project::new();
    expect(
        &project.fails("programs::attribute", &[]),
        &["allocation budget not recorded: ", "#[alloc_budget(recorded)]"],
    );
    expect(&project.fails("programs::block", &[]), &["assert_allocs!(recorded)"]);
    project.update("programs::attribute", &[]);
    project.update("programs::block", &[]);
    for name in ["programs.attribute", "programs.block"] {
        expect(&project.record(name), &[&format!("name: {}", name.replace('.', "::")), PROFILE]);
    }
    project.passes("programs::attribute", &[("RUST_TEST_THREADS", "1")]);
    project.passes("programs::block", &[]);
    project.fails("programs::attribute", TOKENS_3);
    project.fails("programs::block", TOKENS_3);
}

#[test]
fn other_limits_hold_or_break_as_ever() {
    let project = Project::new();
    let test = "programs::with_other_limits";
    let broken = project.run(test, &[("MOD_ALLOC_UPDATE", "1")]).expect_err("too many bytes");
    expect(&broken, &["budget exceeded", "allocations recorded 4 4 ok", "bytes 9 16 +7"]);
    assert!(!broken.contains("accept it"), "{broken}");
    expect(&project.record("programs.with_other_limits"), &["4 allocations"]);
    let few = [("TOKENS", "1"), ("LABELS", "1")];
    expect(&project.fails(test, &few), &["not as recorded", "recorded 4 2 -2", "bytes 9 8 ok"]);
    project.update(test, &few);
    project.passes(test, &few);
}

#[test]
fn budgets_of_one_test_have_a_section_each() {
    let project = Project::new();
    project.update("programs::several", &[]);
    let record = project.record("programs.several");
    let second = PROFILE.replace(']', " 2]");
    expect(&record, &["4 allocations", &second, "2 allocations"]);
    project.passes("programs::several", &[]);
    let fewer = project.fails("programs::several", &[("TOKENS", "3"), ("LABELS", "1")]);
    expect(&fewer, &[&second, "recorded 2 3 +1"]);
    project.update("programs::several", &[("TOKENS", "3"), ("LABELS", "1")]);
    assert_eq!(project.record("programs.several").matches('[').count(), 2);
}

#[test]
fn a_budget_that_runs_several_times_must_allocate_as_often_each_time() {
    let project = Project::new();
    project.update("programs::in_a_loop", &[]);
    let record = project.record("programs.in_a_loop");
    project.passes("programs::in_a_loop", &[]);
    expect(&project.fails("programs::in_a_loop", TOKENS_3), &["recorded 2 3 +1", "accept it"]);
    for update in ["1", "lower"] {
        let variables = [("TOKENS", "1"), ("MOD_ALLOC_UPDATE", update)];
        let refused = project.fails("programs::in_a_loop", &variables);
        expect(
            &refused,
            &["not recorded: it makes 1 allocation, and an earlier run in this process made 2."],
        );
        assert_eq!(project.record("programs.in_a_loop"), record);
    }
    project.update("programs::runs", &[]);
    expect(&project.record("runs"), &["2 allocations"]);
    expect(&project.record("programs.runs"), &["4 allocations"]);
    project.passes("programs::runs", &[]);
    project.fails("programs::runs", TOKENS_3);
}

#[test]
fn futures_and_errors_are_recorded_too() {
    let project = Project::new();
    project.passes("programs::an_error", &[]);
    project.update("programs::a_future", &[]);
    expect(&project.record("future"), &["4 allocations"]);
    expect(&project.record("programs.a_future"), &["4 allocations"]);
    project.passes("programs::a_future", &[]);
    project.fails("programs::a_future", TOKENS_3);
}

#[test]
fn what_the_harness_keeps_of_the_printed_is_in_no_record() {
    let project = Project::new();
    let run = |arguments: &[&str], update| {
        let mut command = project.command("programs::prints", &[("LINES", "50"), update]);
        command.args(arguments).output().expect("it runs").status.success()
    };
    let (update, no_update) = (("MOD_ALLOC_UPDATE", "1"), ("MOD_ALLOC_UPDATE", "0"));
    if call_sites_are_here() {
        assert!(run(&[], update));
        let kept = project.record("programs.prints");
        assert!(run(&["--nocapture"], update));
        assert_eq!(project.record("programs.prints"), kept);
        assert!(run(&["--nocapture"], no_update) && run(&[], no_update));
        expect(&kept, &["4 allocations"]);
    }
}

#[test]
fn a_test_that_fails_records_nothing() {
    let project = Project::new();
    let printed = project.run("programs::panics", &[("MOD_ALLOC_UPDATE", "1")]);
    expect(&printed.expect_err("it panics"), &["for another reason"]);
    assert_eq!(project.files(), [""; 0]);
}

#[test]
fn on_threads_that_are_no_tests_the_function_has_the_record() {
    let project = Project::new();
    project.update("programs::on_other_threads", &[]);
    let file = "ROOT/alloc_budgets/recorded/programs.on_other_threads.txt";
    assert_eq!(project.files(), [file]);
    project.passes("programs::on_other_threads", &[]);
}

#[test]
fn two_budgets_of_the_same_name_are_an_error() {
    let project = Project::new();
    let printed = project.run("programs::two_of_the", &[("MOD_ALLOC_UPDATE", "1")]);
    expect(
        &printed.expect_err("both are one"),
        &["two budgets are recorded as `twice`, at tests/"],
    );
}

#[test]
fn any_name_has_a_file_of_its_own_below_the_folder() {
    let project = Project::new();
    project.update("programs::odd_names", &[]);
    let files = project.files();
    assert_eq!(files.len(), 8, "{files:#?}");
    for file in &files {
        let name = file.strip_prefix("ROOT/alloc_budgets/recorded/").expect(file);
        assert!(!name.contains('/') && name.len() < 140, "{name}");
    }
    project.passes("programs::odd_names", &[]);
    project.fails("programs::odd_names", TOKENS_3);
}

#[test]
fn only_the_section_of_the_build_is_read_or_written() {
    let project = Project::new();
    project.update("programs::by_name", &[]);
    let record = project.record("parses");
    let other = if cfg!(debug_assertions) { "[release]" } else { "[debug]" };
    let odd = format!("\n\n{other}\n \t anything < at < all  \n\n");
    for text in [format!("{record}{odd}"), format!("{record}{odd}").replace('\n', "\r\n")] {
        project.write("parses", &text);
        project.passes("programs::by_name", &[]);
        project.update("programs::by_name", &[]);
        assert_eq!(project.record("parses"), text);
        project.fails("programs::by_name", TOKENS_3);
        project.update("programs::by_name", TOKENS_3);
        let updated = project.record("parses");
        assert!(updated.ends_with(&text[text.find(other).expect("there")..]), "{updated}");
        assert_eq!(updated.contains("\r\n"), text.contains("\r\n"));
        project.passes("programs::by_name", TOKENS_3);
    }
}

#[test]
fn a_damaged_record_is_an_error_and_stays_as_it_is() {
    let project = Project::new();
    project.update("programs::by_name", &[]);
    let record = project.record("parses");
    let check = |from: &str, to: &str, words: &str| {
        let text = record.replacen(from, to, 1);
        assert_ne!(text, record);
        project.write("parses", &text);
        for update in ["", "1", "lower"] {
            let message = project.fails("programs::by_name", &[("MOD_ALLOC_UPDATE", update)]);
            let file = "ROOT/alloc_budgets/recorded/parses.txt:";
            expect(&message, &[words, file, "delete it and record anew"]);
            assert_eq!(project.record("parses"), text);
        }
    };
    check("4 allo", "<<<<<<< HEAD\n4 allo", ".txt:7: a merge conflict.");
    check("4 allo", "4x allo", ".txt:7: a number is expected in `4x allocations");
    check("\n[", "\n[debug]\n[release]\n[", "is there twice");
    check("name: parses", "name: others", ".txt:3: it is of the name `others`, not `parses`");
    check("package: project", "package: x", ".txt:4: it is of the package `x`, not `project`");
}

#[test]
fn nothing_is_written_in_ci() {
    let project = Project::new();
    for (ci, update) in [("true", "1"), ("1", "lower"), ("yes", "1")] {
        let variables = [("CI", ci), ("MOD_ALLOC_UPDATE", update)];
        let message = project.fails("programs::by_name", &variables);
        expect(
            &message,
            &["`MOD_ALLOC_UPDATE` is set where `CI` is, and nothing is written there"],
        );
    }
    expect(&project.fails("programs::by_name", &[("CI", "true")]), &["has no record yet"]);
    assert_eq!(project.files(), [""; 0]);
    for none in ["", "false", "0"] {
        project.update("programs::by_name", &[("CI", none)]);
    }
    project.passes("programs::by_name", &[("CI", "true"), ("MOD_ALLOC_UPDATE", "")]);
    project.passes("programs::by_name", &[("CI", "true"), ("MOD_ALLOC_UPDATE", "0")]);
    let message = project.fails("programs::by_name", &[("MOD_ALLOC_UPDATE", "yes")]);
    expect(
        &message,
        &["is `MOD_ALLOC_UPDATE` misspelt? It is `yes`; the values are `0` (the default)"],
    );
}

#[test]
fn lower_accepts_fewer_allocations_only() {
    let project = Project::new();
    let lower = |tokens| [("MOD_ALLOC_UPDATE", "lower"), ("TOKENS", tokens)];
    let refused = project.fails("programs::by_name", &lower("2"));
    expect(&refused, &["`MOD_ALLOC_UPDATE=lower` changes records that there are", "accept it"]);
    project.update("programs::by_name", &[]);
    let record = project.record("parses");
    let refused = project.fails("programs::by_name", &lower("3"));
    expect(&refused, &["accepts fewer allocations only", "recorded 4 5 +1", "accept it"]);
    project.passes("programs::by_name", &lower("2"));
    assert_eq!(project.record("parses"), record);
    project.passes("programs::by_name", &lower("1"));
    expect(&project.record("parses"), &["3 allocations"]);
}

#[test]
fn the_number_decides_and_an_update_records_other_sites() {
    let project = Project::new();
    project.update("programs::by_name", &[]);
    let record = project.record("parses");
    project.passes("programs::by_name", &[("PAGE", "")]);
    project.update("programs::by_name", &[("PAGE", "")]);
    assert_eq!(project.record("parses") != record, call_sites_are_here());
}

#[test]
fn without_call_sites_numbers_are_compared() {
    let project = Project::new();
    project.update("programs::by_name", &[OFF]);
    expect(&project.record("parses"), &["4 allocations, call sites unknown"]);
    project.passes("programs::by_name", &[]);
    project.passes("programs::by_name", &[OFF]);
    let message = project.fails("programs::by_name", TOKENS_3);
    expect(
        &message,
        &["which sites have changed is not known: it was recorded without call sites"],
    );
    project.update("programs::by_name", &[]);
    let record = project.record("parses");
    project.update("programs::by_name", &[OFF]);
    assert_eq!(project.record("parses"), record, "what was known stays");
    let message = project.fails("programs::by_name", &[OFF, ("TOKENS", "3")]);
    expect(&message, &["recorded 4 5 +1", "which sites have changed is not known"]);
}

#[test]
fn programs_that_read_reports_are_told_what_is_recorded() {
    let project = Project::new();
    let variables =
        |tokens| [("GITHUB_ACTIONS", "true"), ("MOD_ALLOC_REPORT", "./log"), ("TOKENS", tokens)];
    let printed = project.run("programs::by_name", &variables("2")).expect_err("no record");
    expect(&printed, &["::error ", "allocations 4 (budget not recorded)"]);
    project.update("programs::by_name", &variables("2"));
    let printed = project.run("programs::by_name", &variables("3")).expect_err("one more");
    expect(&printed, &["::error ", "allocations 5 (budget recorded 4)"]);
    let log = fs::read_to_string(project.path("log")).expect("lines");
    let metrics = log.lines().map(|line| {
        let (_, metrics) = line.split_once("\"metrics\":[").expect("metrics");
        metrics.split_once(']').expect("an end").0
    });
    let expected = [
        "{\"name\":\"allocations\",\"measured\":4}",
        "{\"name\":\"allocations\",\"measured\":4}",
        "{\"name\":\"allocations\",\"min\":4,\"max\":4,\"measured\":5}",
    ];
    assert_eq!(metrics.collect::<Vec<_>>(), expected);
}

#[test]
fn the_folder_may_be_another_one() {
    let project = Project::new();
    let elsewhere = project.path("elsewhere");
    let elsewhere = ("MOD_ALLOC_RECORDS", elsewhere.to_str().expect("text"));
    project.update("programs::by_name", &[elsewhere]);
    project.update("programs::by_name", &[("MOD_ALLOC_RECORDS", "relative/to/the package")]);
    let names = ["elsewhere", "relative/to/the package"];
    assert_eq!(project.files(), names.map(|name| format!("ROOT/{name}/recorded/parses.txt")));
    expect(&project.fails("programs::by_name", &[]), &["has no record yet"]);
    expect(
        &project.fails("programs::by_name", &[elsewhere, TOKENS_3[0]]),
        &["since ROOT/elsewhere"],
    );
}

#[test]
fn without_cargo_a_macro_knows_the_package_and_a_name_does_not() {
    let project = Project::new();
    let message = project.fails("programs::by_name", &[("CARGO_MANIFEST_DIR", "")]);
    expect(&message, &["where are the records?", "or set `MOD_ALLOC_RECORDS=FOLDER`"]);
    let message = project.fails("programs::attribute", &[("CARGO_MANIFEST_DIR", "")]);
    expect(&message, &["alloc_budgets/recorded/programs.attribute.txt", "has no record yet"]);
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let project = Project::new();
    fs::write(project.path("alloc_budgets"), "").expect("writable");
    let message = project.fails("programs::by_name", &[("MOD_ALLOC_UPDATE", "1")]);
    expect(&message, &["can't be", "ROOT/alloc_budgets/recorded/parses.txt"]);
}

#[test]
fn two_hundred_tests_record_side_by_side_in_several_processes() {
    let project = Project::new();
    let run = |variables: &[(&str, &str)]| {
        let mut command = project.command("programs::many::", variables);
        command.args(["--test-threads=8"]).stdout(Stdio::null()).spawn().expect("it starts")
    };
    let succeeds = |mut child: Child| child.wait().expect("it ends").success();
    let update = [("MOD_ALLOC_UPDATE", "1"), OFF];
    let processes: Vec<_> = (0..3).map(|_| run(&update)).collect();
    assert!(processes.into_iter().all(succeeds));
    let files = project.files();
    assert_eq!(files.len(), 200);
    assert!(files.iter().all(|file| file.ends_with(".txt")), "{files:#?}");
    expect(&project.record("programs.many.t.j"), &["21 allocations"]);
    assert!(succeeds(run(&[])));
    assert!(!succeeds(run(TOKENS_3)));
    assert!(succeeds(run(&[("MOD_ALLOC_UPDATE", "1")])));
    assert!(succeeds(run(&[])));
}

#[test]
#[should_panic(expected = "Of `recorded` and `max`, `min` or `exact`, keep one")]
fn recorded_contradicts_a_number() {
    Budget::new().max(1).recorded("a").enforce(|| ());
}

#[test]
#[should_panic(expected = "a record needs a name")]
fn a_name_is_not_empty() {
    let _ = Budget::new().recorded("");
}
