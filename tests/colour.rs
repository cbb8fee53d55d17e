//! Reports in colour: what is printed has codes, and nothing else has. The tests run those below in
//! a process of its own, as the variables are read once.

use std::hint::black_box;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::process::{Command, Stdio};

use mod_alloc::{alloc_budget, assert_allocs, assert_growth, assert_no_alloc, measure, ModAlloc};

#[path = "common/again.rs"]
mod again;

use again::this_binary;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// What broken numbers begin with.
const BROKEN: &str = "\x1b[1;31m";

/// This binary, for one of the tests below, with these variables and none that may decide.
fn run(test: &str, variables: &[(&str, &str)]) -> Command {
    let mut run = this_binary();
    run.args(["--exact", &format!("run::{test}"), "--ignored", "--nocapture"]);
    for name in ["CARGO_TERM_COLOR", "CI", "GITHUB_ACTIONS", "MOD_ALLOC_COLOR", "NO_COLOR"] {
        run.env_remove(name);
    }
    run.env("TERM", "xterm").envs(variables.iter().copied());
    run
}

const ALWAYS: (&str, &str) = ("MOD_ALLOC_COLOR", "always");

/// What it prints; and whether it passes.
fn printed(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let (status, text) = again::run(&mut run(test, variables));
    (status.success(), text)
}

#[test]
fn where_the_output_is_no_terminal_it_is_plain_unless_asked() {
    let check = |variables: &[(&str, &str)], is_coloured: bool| {
        let (passes, text) = printed("breaks", variables);
        assert!(!passes && text.contains("allocation budget exceeded"), "{text}");
        assert_eq!(text.contains(BROKEN), is_coloured, "{variables:?}: {text}");
        assert_eq!(text.contains('\x1b'), is_coloured, "{variables:?}: {text}");
    };
    check(&[], false);
    check(&[ALWAYS], true);
    check(&[("CARGO_TERM_COLOR", "always")], true);
    check(&[("CARGO_TERM_COLOR", "always"), ("CI", "true")], false);
    check(&[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")], false);
}

/// By `script` of util-linux, which has no other interface on other systems.
#[cfg(target_os = "linux")]
#[test]
fn in_a_terminal_it_is_coloured() {
    let version = Command::new("script").arg("--version").output();
    if !version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).contains("util-linux"))
    {
        println!("skipped: in_a_terminal_it_is_coloured: `script` of util-linux is not here");
        return;
    }
    let check = |options: &str, variables: &[(&str, &str)], is_coloured: bool| {
        let binary = run("breaks", variables);
        let this = binary.get_program().to_string_lossy();
        let test = format!("'{this}' --exact run::breaks --ignored {options}");
        let mut terminal = Command::new("script");
        for (name, value) in binary.get_envs() {
            match value {
                Some(value) => terminal.env(name, value),
                None => terminal.env_remove(name),
            };
        }
        terminal.args(["-qec", &test, "/dev/null"]).stdin(Stdio::null());
        let text = again::run(&mut terminal).1;
        assert!(text.contains("allocation budget exceeded"), "{text}");
        let is_report_coloured = text.contains("\x1b[1mallocation budget exceeded");
        assert_eq!(is_report_coloured, is_coloured, "{options} {variables:?}: {text}");
    };
    for options in ["", "--nocapture"] {
        check(options, &[], true);
        check(options, &[("NO_COLOR", "1")], false);
        check(options, &[("CI", "true")], false);
        check(options, &[("TERM", "dumb")], false);
        check(options, &[("CARGO_TERM_COLOR", "never")], false);
        check(options, &[("MOD_ALLOC_COLOR", "never")], false);
    }
}

#[test]
fn who_catches_the_panic_gets_plain_text() {
    for test in ["panics_as_expected", "is_caught", "is_joined"] {
        let (passes, text) = printed(test, &[ALWAYS]);
        assert!(passes && text.contains(BROKEN), "{test}: {text}");
    }
}

#[test]
fn every_kind_of_report_is_coloured() {
    for test in ["breaks_a_block", "grows"] {
        let (passes, text) = printed(test, &[ALWAYS]);
        assert!(!passes && text.contains(BROKEN), "{test}: {text}");
    }
    let (passes, text) = printed("breaks", &[ALWAYS, ("MOD_ALLOC_ON_BREAK", "warn")]);
    assert!(passes && text.contains(BROKEN), "{text}");
}

#[test]
fn the_head_is_that_of_any_panic() {
    let head = |variables| {
        let text = printed("breaks", variables).1;
        let head = text.lines().find(|line| line.starts_with("thread '")).expect("a head");
        let (thread, place) = head.split_once("' ").expect("a name");
        let (_, place) = place.split_once("panicked at ").expect("a place");
        format!("{thread} {place}")
    };
    let plain = head(&[]);
    assert!(plain.starts_with("thread 'run::breaks tests/colour.rs:"), "{plain}");
    assert_eq!(head(&[ALWAYS]), plain);
}

#[test]
fn a_stack_trace_is_there_if_it_is_asked_for() {
    let stack = |style| printed("breaks", &[ALWAYS, ("RUST_BACKTRACE", style)]).1;
    let (none, short, full) = (stack("0"), stack("1"), stack("full"));
    assert!(!none.contains("stack backtrace"), "{none}");
    assert!(short.contains("\nstack backtrace:\n") && short.contains("run::breaks"), "{short}");
    assert!(!short.contains("run_test_in_process"), "the harness: {short}");
    assert!(short.contains("\nnote: Some details are omitted, run with "), "{short}");
    assert!(full.contains("run_test_in_process"), "{full}");
}

#[test]
fn other_panics_are_left_to_the_hook_that_is_there() {
    let has = |text: &str, what: &str, expected: bool| {
        assert_eq!(text.contains(what), expected, "{what}: {text}");
    };
    let (passes, text) = printed("has_a_hook", &[ALWAYS]);
    assert!(passes, "{text}");
    has(&text, BROKEN, true);
    has(&text, "hook: allocation budget exceeded", false);
    has(&text, "hook: another panic", true);
    let (passes, text) = printed("has_a_hook", &[]);
    assert!(passes, "{text}");
    has(&text, "hook: allocation budget exceeded", true);
    has(&text, "hook: another panic", true);
}

#[test]
fn what_is_printed_counts_nowhere() {
    let (passes, text) = printed("is_measured", &[ALWAYS]);
    assert!(passes && text.contains(BROKEN), "{text}");
}

#[test]
fn a_closed_output_changes_nothing() {
    let mut run = run("panics_as_expected", &[ALWAYS]);
    let mut child = run.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
    drop(child.stderr.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn another_value_is_answered_by_those_that_there_are() {
    let (_, text) = printed("breaks", &[("MOD_ALLOC_COLOR", "yes")]);
    let answer = "is `MOD_ALLOC_COLOR` misspelt? It is `yes`; the values are `auto` (the \
                  default), `always` and `never`";
    assert!(text.contains(answer), "{text}");
}

mod run {
    use super::*;

    fn allocate() {
        drop(black_box(vec![1]));
    }

    #[alloc_budget(max = 0)]
    #[test]
    #[ignore = "for another process"]
    fn breaks() {
        allocate();
    }

    #[test]
    #[ignore = "for another process"]
    fn breaks_a_block() {
        assert_allocs!(max_bytes = 1, { allocate() }, "in a {}", "block");
    }

    #[test]
    #[ignore = "for another process"]
    fn grows() {
        assert_growth!(max = O(1), |n| move || (0..n).for_each(|_| allocate()));
    }

    #[test]
    #[ignore = "for another process"]
    #[should_panic(expected = "allocation budget exceeded: run::panics_as_expected")]
    fn panics_as_expected() {
        assert_no_alloc!(allocate());
    }

    fn is_plain(text: &str) -> bool {
        text.starts_with("allocation budget exceeded: ") && !text.contains('\x1b')
    }

    #[test]
    #[ignore = "for another process"]
    fn is_caught() {
        let panic = catch_unwind(|| assert_no_alloc!(allocate())).expect_err("it breaks");
        assert!(is_plain(panic.downcast_ref::<String>().expect("a report")));
    }

    #[test]
    #[ignore = "for another process"]
    fn is_joined() {
        let thread = std::thread::spawn(|| assert_no_alloc!(allocate()));
        let panic = thread.join().expect_err("it breaks");
        assert!(is_plain(panic.downcast_ref::<String>().expect("a report")));
    }

    #[test]
    #[ignore = "for another process"]
    fn has_a_hook() {
        set_hook(Box::new(|panic| {
            let text = panic.payload().downcast_ref::<String>().map(|text| &**text);
            let text = text.or(panic.payload().downcast_ref::<&str>().copied());
            eprintln!("hook: {}", text.expect("a text"));
        }));
        let broken = catch_unwind(|| assert_no_alloc!(allocate()));
        let another = catch_unwind(|| panic!("another panic"));
        drop(take_hook());
        assert!(broken.is_err() && another.is_err());
    }

    /// The payload's text, its box, and the exception itself.
    #[test]
    #[ignore = "for another process"]
    fn is_measured() {
        let (broken, stats) = measure(|| catch_unwind(|| assert_no_alloc!(allocate())));
        assert!(broken.is_err());
        assert!(stats.alloc_count <= 1 + 3, "{stats}");
    }
}
