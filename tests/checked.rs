//! What is said of budgets beside their reports: the file of `MOD_ALLOC_REPORT`, annotations of
//! GitHub Actions, and warnings in place of panics. The tests run this binary again.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, Budget, ModAlloc};

#[path = "common/again.rs"]
mod again;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/ready.rs"]
mod ready;
#[path = "common/waker.rs"]
mod waker;

use again::{run, this_binary};
use call_sites_are_here::call_sites_are_here;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate(times: u64) {
    (0..times).for_each(|n| drop(black_box(Box::new(n))));
}

// ---------------------------------------------------------------- what runs in the other process

const HOLDS: u32 = line!() + 1;
#[alloc_budget(max = 2, max_bytes = 100)]
#[test]
#[ignore = "run by the tests below"]
fn holds() {
    allocate(1);
}

const BREAKS: u32 = line!() + 1;
#[alloc_budget(max = 2)]
#[test]
#[ignore = "run by the tests below"]
fn breaks() {
    allocate(3);
}

#[test]
#[ignore = "run by the tests below"]
fn breaks_in_each_way() {
    #[alloc_budget(max = 0)]
    fn value() -> u64 {
        allocate(1);
        5
    }
    #[alloc_budget(max = 0)]
    async fn future() -> u64 {
        allocate(1);
        6
    }
    #[alloc_budget(max = 0, runs = 2)]
    fn repeated() -> u64 {
        allocate(1);
        7
    }
    for _ in 0..2 {
        assert_eq!(value(), 5);
        assert_eq!(ready::output_of_first_poll(future()), 6);
        assert_eq!(repeated(), 7);
        let sum = assert_no_alloc!(
            {
                allocate(1);
                8
            },
            "the message {}",
            1
        );
        assert_eq!(sum, 8);
        assert_allocs!(max = 0, warmup = 1, { allocate(1) });
        assert_eq!(
            Budget::new().max(0).enforce(|| {
                allocate(1);
                9
            }),
            9
        );
        let enforced = Budget::new().max(0).enforce_future(async {
            allocate(1);
            10
        });
        assert_eq!(ready::output_of_first_poll(enforced), 10);
        assert!(Budget::new().max(0).check(|| allocate(1)).is_err());
    }
    println!("to the end");
}

#[test]
#[ignore = "run by the tests below"]
fn many_budgets() {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| (0..250).for_each(|_| Budget::new().max(9).enforce(|| allocate(1))))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

// ---------------------------------------------------------------- the tests

fn again(test: &str) -> Command {
    let mut again = this_binary();
    again.args(["--ignored", "--exact", "--nocapture", "--test-threads=1", test]);
    again.env_remove("GITHUB_ACTIONS");
    again
}

/// A file that is not there yet.
fn file(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("mod-alloc-{}-{name}.jsonl", std::process::id()));
    let _ = fs::remove_file(&file); // Of an earlier process of the same number.
    file
}

#[test]
fn each_budget_is_a_line_of_the_report_file() {
    let file = file("lines");
    for test in ["holds", "breaks"] {
        let (_, printed) = run(again(test).env("MOD_ALLOC_REPORT", &file));
        assert!(!printed.contains("mod-alloc:"), "{printed}");
    }
    let text = fs::read_to_string(&file).expect("it was written");
    fs::remove_file(&file).expect("it is ours");
    let lines: Vec<&str> = text.lines().collect();
    let [held, broken] = lines[..] else { panic!("{text}") };
    let head = |name: &str, line: u32, held: bool| {
        format!(
            "{{\"name\":\"{name}\",\"file\":\"tests/checked.rs\",\"line\":{line},\"column\":1,\
             \"held\":{held},\"thread\":\"{name}\",\"binary\":\"checked\",\"runs\":1,\
             \"metrics\":[{{\"name\":\"allocations\",\"max\":2,\"measured\":"
        )
    };
    let metrics = r#"1},{"name":"bytes","max":100,"measured":8}]}"#;
    assert_eq!(held, head("holds", HOLDS, true) + metrics);
    assert!(broken.starts_with(&(head("breaks", BREAKS, false) + "3}]")), "{broken}");
    if call_sites_are_here() {
        let site = r#""sites":[{"file":"tests/checked.rs","line":28,"column":"#;
        assert!(broken.contains(site), "{broken}");
        assert!(broken.ends_with(r#""allocations":3,"reallocations":0,"bytes":24}]}"#), "{broken}");
    }
}

#[test]
fn lines_of_many_threads_and_processes_stay_whole() {
    let file = file("whole");
    let start = || {
        let mut again = again("many_budgets");
        again.env("MOD_ALLOC_REPORT", &file).spawn().expect("it runs")
    };
    let processes: Vec<_> = (0..3).map(|_| start()).collect();
    for mut process in processes {
        assert!(process.wait().expect("it ends").success());
    }
    let text = fs::read_to_string(&file).expect("it was written");
    fs::remove_file(&file).expect("it is ours");
    assert_eq!(text.lines().count(), 3 * 4 * 250);
    for line in text.lines() {
        assert!(line.starts_with(r#"{"name":"many_budgets""#), "{line}");
        assert!(line.ends_with(r#""max":9,"measured":1}]}"#), "{line}");
    }
}

#[test]
fn a_file_that_cannot_be_written_fails_the_first_budget() {
    let (_, printed) = run(again("holds").env("MOD_ALLOC_REPORT", "no/such/folder.jsonl"));
    let question = "can `MOD_ALLOC_REPORT` be written? It is `no/such/folder.jsonl`: No such file";
    assert!(printed.contains(question), "{printed}");
}

#[test]
fn misspelt_values_are_named_with_those_that_there_are() {
    let check = |name, value, expected| {
        let (status, printed) = run(again("holds").env(name, value));
        assert!(!status.success() && printed.contains(expected), "{printed}");
    };
    let report = "is `MOD_ALLOC_REPORT` misspelt? It is `yes`; the values are `0` (the default) \
                  and `1`, or a file, with a `.` or a `/` in it";
    check("MOD_ALLOC_REPORT", "yes", report);
    let on_break = "is `MOD_ALLOC_ON_BREAK` misspelt? It is `wran`; the values are `panic` (the \
                    default) and `warn`";
    check("MOD_ALLOC_ON_BREAK", "wran", on_break);
}

#[test]
fn a_warning_is_printed_once_for_each_place_and_the_values_go_on() {
    let (status, printed) = run(again("breaks_in_each_way").env("MOD_ALLOC_ON_BREAK", "warn"));
    assert!(status.success() && printed.contains("to the end"), "{printed}");
    assert_eq!(printed.matches("allocation budget exceeded: ").count(), 7, "{printed}");
    assert_eq!(printed.matches("\n  the message 1\n").count(), 1, "{printed}");
}

#[test]
fn by_default_and_by_its_name_a_broken_budget_panics() {
    for value in ["", "panic"] {
        let (status, printed) = run(again("breaks_in_each_way").env("MOD_ALLOC_ON_BREAK", value));
        assert!(!status.success() && printed.contains("panicked at"), "{printed}");
    }
}

#[test]
fn an_annotation_leads_to_the_line_that_allocates() {
    let (_, printed) = run(again("breaks").env("GITHUB_ACTIONS", "true"));
    let line = printed.lines().find(|line| line.starts_with("::error ")).expect("an annotation");
    let title = "title=allocation budget exceeded%3A breaks::allocations 3 (budget 2)";
    assert!(line.ends_with(title), "{line}");
    let place = match call_sites_are_here() {
        true => "tests/checked.rs,line=28,col=".to_owned(),
        false => format!("tests/checked.rs,line={BREAKS},col=1,"),
    };
    assert!(line.contains(&place), "{line}");

    let (_, printed) = run(&mut again("breaks"));
    assert!(!printed.contains("::error"), "{printed}");
    let (_, printed) = run(again("holds").env("GITHUB_ACTIONS", "true"));
    assert!(!printed.contains("::error"), "{printed}");
}

#[test]
fn an_annotation_is_below_the_folder_of_the_workflow() {
    let workspace = std::env::current_dir().expect("there is one");
    let mut breaks = again("breaks");
    breaks.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", workspace.parent().expect("one"));
    let (_, printed) = run(&mut breaks);
    let folder = workspace.file_name().expect("a name").to_string_lossy().into_owned();
    let file = match call_sites_are_here() {
        true => format!("::error file={folder}/tests/checked.rs,"),
        false => "::error file=tests/checked.rs,".to_owned(),
    };
    assert!(printed.contains(&file), "{printed}");
}
