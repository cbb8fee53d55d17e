//! Call sites in other packages. The line of the user that called them comes first, and the
//! function of the package is named.

use mod_alloc::{assert_no_alloc, AllocScope, Budget, CallSites, Exceeded, ModAlloc, Site};
use regex::Regex;
use serde::Deserialize;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &str = include_str!("../fixtures/packages.json");

/// The line that it is on, and the value of the expression.
macro_rules! here {
    ($work:expr) => {
        (line!(), $work)
    };
}

#[derive(Deserialize)]
struct Listing {
    packages: Vec<Package>,
}

#[derive(Deserialize)] #[rustfmt::skip]
struct Package { name: String, keywords: Vec<String> }

/// Checks that each site was called from `line` of this file, and that the chain of calls has no
/// other line of this file, apart from those of `others`.
#[track_caller]
fn assert_called_from(sites: &CallSites, line: u32, others: &[u32]) {
    assert!(!sites.sites().is_empty());
    for site in sites.sites() {
        let mut lines: Vec<_> = site.user_frames().filter_map(|frame| frame.line()).collect();
        assert!(site.user_frames().all(|frame| frame.file() == Some(file!())), "{sites:#}");
        lines.retain(|line| !others.contains(line));
        lines.dedup();
        assert_eq!(lines.first(), Some(&line), "{sites:#}");
    }
}

/// The rows of the report without columns: `file:line  function, in package::function`.
fn rows(exceeded: &Exceeded) -> Vec<String> {
    let report = exceeded.to_string();
    let is_row = |line: &&str| line.contains(" B  tests/call_sites.rs:");
    let start = |line: &str| line.find("tests/call_sites.rs").expect("it is there");
    let mut rows = Vec::new();
    for row in report.lines().filter(is_row) {
        let mut words: Vec<&str> = row[start(row)..].split_whitespace().collect();
        words[0] = words[0].rsplit_once(':').expect("a column").0;
        rows.push(words.join(" "));
    }
    assert!(!rows.is_empty(), "{report}");
    rows
}

#[test]
fn a_parser_is_reported_at_the_line_that_calls_it() {
    let budget = Budget::new().max(0);
    let mut line = 0;
    let exceeded = budget.check(|| {
        let (here, parsed) = here!(serde_json::from_str::<serde_json::Value>(TEXT));
        line = here;
        parsed.map(|value| value.is_object()).unwrap_or(false)
    });
    let exceeded = exceeded.unwrap_err();
    let sites = exceeded.call_sites();
    assert_called_from(&sites, line, &[]);
    let caller = format!(
        "tests/call_sites.rs:{line} a_parser_is_reported_at_the_line_that_calls_it::{{closure}}"
    );
    for row in rows(&exceeded) {
        assert!(row.starts_with(&format!("{caller}, in serde")), "{row:?}\n{exceeded}");
    }
    let excerpt = format!("{line} | let (here, parsed) = here!(serde_json::");
    assert!(exceeded.to_string().contains(&excerpt), "{exceeded}");
}

/// The code that `derive` writes is the user's, at the line of the type.
#[test]
fn derived_code_leads_to_the_line_that_calls_the_parser() {
    let scope = AllocScope::with_call_sites();
    let (line, listing) = here!(serde_json::from_str::<Listing>(TEXT));
    let sites = scope.call_sites();
    let listing = listing.unwrap();
    assert_eq!(sites.alloc_count(), scope.exit().alloc_count);
    assert_eq!(listing.packages.len(), 16);
    assert!(listing.packages.iter().any(|package| package.keywords.len() > package.name.len() / 9));
    for site in sites.sites() {
        assert!(site.user_frames().any(|frame| frame.line() == Some(line)), "{sites:#}");
        assert!(packages(site).contains("serde_json-"), "{sites:#}");
    }
}

#[test]
fn a_regex_is_reported_at_the_line_that_calls_it() {
    let scope = AllocScope::with_call_sites();
    let (line, versions) = here!(Regex::new(r"(\d+)\.(\d+)\.(\d+)").unwrap());
    let sites = scope.call_sites();
    assert_eq!(sites.alloc_count(), scope.exit().alloc_count);
    assert_called_from(&sites, line, &[]);
    assert!(sites.sites().len() > 50, "compiling it has many steps: {}", sites.sites().len());

    let scope = AllocScope::with_call_sites();
    let (line, found) = here!(versions.captures(TEXT).is_some());
    let sites = scope.call_sites();
    assert!(found);
    assert_called_from(&sites, line, &[]);
    assert!(
        sites.sites().iter().any(|site| packages(site).contains("regex-automata-")),
        "{sites:#}"
    );
}

/// When a package calls back, the line of the closure comes first, as if the caller were one's own
/// code.
#[test]
fn a_closure_that_a_package_calls_leads() {
    let scope = AllocScope::with_call_sites();
    let versions = mod_alloc::uncounted(|| Regex::new(r"\d+").unwrap());
    mod_alloc::uncounted(|| versions.is_match(TEXT));
    let scope_of_closure = AllocScope::with_call_sites();
    let mut line = 0;
    let replaced = versions.replace(TEXT, |found: &regex::Captures<'_>| {
        let (here, text) = here!(std::hint::black_box(found[0].to_owned()));
        line = here;
        text
    });
    let sites = scope_of_closure.call_sites();
    assert!(replaced.len() == TEXT.len());
    let leads = |site: &&Site| site.user_frames().next().and_then(|f| f.line()) == Some(line);
    let of_closure: Vec<_> = sites.sites().iter().filter(leads).collect();
    assert_eq!(of_closure.iter().map(|site| site.alloc_count()).sum::<u64>(), 1, "{sites:#}");
    assert_eq!(of_closure[0].user_frames().count(), 2, "{sites:#}");
    drop(scope);
}

/// The paths of all frames.
fn packages(site: &Site) -> String {
    site.frames().iter().filter_map(|frame| frame.file()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_snapshot_text_names_nothing_of_other_packages() {
    let scope = AllocScope::with_call_sites();
    let value: serde_json::Value = serde_json::from_str(TEXT).unwrap();
    let sites = scope.call_sites();
    assert_eq!(
        sites.to_string().lines().nth(1).map(|line| line.trim_start().split_once("  ").unwrap().1),
        Some("tests/call_sites.rs the_snapshot_text_names_nothing_of_other_packages"),
    );
    assert_eq!(sites.to_string().lines().count(), 2);
    drop(value);
}

#[test]
#[should_panic(expected = ", in regex::")]
fn a_broken_budget_says_which_package_it_was() {
    let versions = Regex::new(r"\d").unwrap();
    assert_no_alloc!(versions.find_iter(TEXT).count());
}
