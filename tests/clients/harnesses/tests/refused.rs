//! If `#[alloc_budget]` would count its harness, it does not compile, and says what to do.

use std::path::Path;
use std::process::Command;

#[test]
fn budgets_that_would_count_the_harness_are_refused() {
    let cargo = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--locked", "--test", "refusals", "--features", "refused"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("CARGO_TERM_COLOR", "never")
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(cargo.stderr).expect("UTF-8");
    let below = |attribute: &str, counted: &str| {
        let of = format!("error: `#[alloc_budget]` must stand above `{attribute}`: below it, ");
        assert!(text.contains(&format!("{of}it would count {counted} too")), "{attribute}: {text}");
    };
    below("#[tokio::test]", "the set-up of the runtime");
    below("#[serial]", "the wait for other tests");
    below("#[parallel(group)]", "the wait for other tests");
    below("#[test_log::test]", "the set-up of the log");
    below("#[quickcheck]", "all cases, and the making of them,");
    let within = |name: &str| {
        let error = format!("error: `#[alloc_budget]` within `{name}!` would count the whole run");
        text.matches(&error).count()
    };
    assert_eq!((within("proptest"), within("quickcheck")), (2, 1), "{text}");
    assert!(text.contains("due to 8 previous errors"), "{text}");
}
