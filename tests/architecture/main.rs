//! Checks by the sources that the structure is what ARCHITECTURE.md says: imports run one way, hot
//! code imports no cold code, and hot code neither allocates nor locks, formats or panics.
//!
//! - [`source`]: the tokens of a file, without what only tests compile;
//! - [`modules`]: the modules, and what they name;
//! - [`imports`]: which file imports which; [`circles`]: where that leads back;
//! - [`hot`]: what hot code may not do;
//! - [`documents`]: the files that the documents name; [`links`]: where their links lead;
//! - [`messages`]: the messages that the guide explains;
//! - [`targets`]: which files name targets;
//! - [`text`]: the length of lines, and what `unsafe` code relies on;
//! - `planted`: that each check finds the faults that it is there for.

mod circles;
mod documents;
mod hot;
mod imports;
mod links;
mod messages;
mod modules;
mod planted;
mod source;
mod targets;
mod text;
#[path = "../../src/tokens.rs"]
mod tokens;

use imports::Imports;
use modules::Crates;
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const HOT: &str = "//! Hot: ";
const COLD: &str = "//! Cold: ";
/// For the root of a crate, whose `//!` is for users.
const COLD_ROOT: &str = "// Cold: ";

/// The files below a folder whose names end so, past what is built there.
fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if path.is_dir() {
            if name != "target" {
                files.extend(files_below(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    files
}

/// Every source file below some folders of the repository by its name, with its text.
fn sources(folders: &[&str]) -> BTreeMap<String, String> {
    texts(folders, &[".rs"])
}

/// The same of the files whose names end so.
fn texts(folders: &[&str], endings: &[&str]) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let below = |folder: &&str| files_below(&root.join(folder), endings);
    let files: Vec<PathBuf> = folders.iter().flat_map(below).collect();
    assert!(files.len() > 10, "the sources are found");
    files.iter().map(|path| (name(path), fs::read_to_string(path).expect("UTF-8"))).collect()
}

/// What a file is called in the repository.
fn name(path: &Path) -> String {
    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("of the repository");
    path.to_string_lossy().replace('\\', "/")
}

fn is_hot(text: &str) -> bool {
    text.starts_with(HOT)
}

/// One crate, or several whose sources lie together.
struct Place {
    sources: BTreeMap<String, String>,
    /// The root of each crate, and the name that the others have for it.
    roots: Vec<(String, Option<&'static str>)>,
}

impl Place {
    fn library() -> Place {
        Place { sources: sources(&["src"]), roots: vec![("src/lib.rs".to_owned(), None)] }
    }

    fn macros() -> Place {
        let roots = vec![("macros/src/lib.rs".to_owned(), None)];
        Place { sources: sources(&["macros/src"]), roots }
    }

    fn benches() -> Place {
        let sources = sources(&["benches/src", "benches/driver"]);
        let mut roots = vec![
            ("benches/src/lib.rs".to_owned(), Some("workloads")),
            ("benches/driver/main.rs".to_owned(), None),
        ];
        let binaries = sources.keys().filter(|name| name.starts_with("benches/src/bin/"));
        roots.extend(binaries.map(|name| (name.clone(), None)));
        Place { sources, roots }
    }

    fn crates(&self, with_tests: bool) -> Crates {
        let mut crates = Crates::default();
        for (root, library) in &self.roots {
            crates.add(root, *library, &self.sources, with_tests);
        }
        crates
    }
}

fn assert_none(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n{}", faults.join("\n"));
}

#[test]
fn every_file_says_whether_it_is_hot_or_cold() {
    for (name, text) in sources(&["src", "macros/src"]) {
        let is_cold = text.starts_with(COLD) || text.starts_with(COLD_ROOT);
        let says = is_cold || (is_hot(&text) && name.starts_with("src/"));
        assert!(says, "the first line of {name} says neither Hot nor Cold");
    }
}

#[test]
fn every_file_is_a_module_that_the_check_sees() {
    for place in [Place::library(), Place::macros(), Place::benches()] {
        let crates = place.crates(true);
        let all: BTreeSet<&str> = place.sources.keys().map(String::as_str).collect();
        assert_eq!(crates.files(), all);
        assert_none("files that a `mod` names are not there", crates.missing());
    }
}

/// The imports of all crates, file by file.
fn all_imports() -> Imports {
    let places = [Place::library(), Place::macros(), Place::benches()];
    places.iter().flat_map(|place| place.crates(false).imports()).collect()
}

fn imports_between_modules() -> Imports {
    circles::between_modules(&Place::library().crates(false).imports())
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_none("files that import each other", &circles::found(&all_imports()));
}

#[test]
fn imports_between_top_level_modules_run_one_way() {
    let circles = circles::found(&imports_between_modules());
    assert_none("top-level modules that import each other", &circles);
}

/// `cargo test --test architecture -- --ignored --nocapture`
#[test]
#[ignore = "it checks nothing, but shows people the imports between top-level modules"]
fn the_imports_are_drawn() {
    println!("{}", circles::drawn(&imports_between_modules()));
}

#[test]
fn hot_files_import_no_cold_ones() {
    let place = Place::library();
    let imports = place.crates(false).imports();
    let is_hot = |file: &str| is_hot(&place.sources[file]);
    let hot = imports.iter().filter(|(file, _)| is_hot(file)).map(|(_, imported)| imported.len());
    assert!(hot.sum::<usize>() > 50, "the check finds imports");
    assert_none("hot files that import cold ones", &hot::cold_imports(&imports, is_hot));
}

#[test]
fn hot_files_neither_allocate_nor_lock_format_or_panic() {
    let place = Place::library();
    let crates = place.crates(false);
    let mut faults = Vec::new();
    for file in crates.files() {
        let text = &place.sources[file];
        if is_hot(text) {
            let found = hot::faults(&Source::without_tests(text));
            faults.extend(found.iter().map(|(line, what)| format!("{file}:{line}: {what}")));
        }
    }
    assert_none("what hot files may not do", &faults);
}

#[test]
fn no_line_is_longer_than_100_columns() {
    let folders = [".ci", "benches", "examples", "macros/src", "src", "tests"];
    // Snapshots, expected errors and input of tests are as they are.
    let endings = [".c", ".cjs", ".md", ".rs", ".sh", ".toml", "run"];
    let mut faults = Vec::new();
    for (name, text) in texts(&folders, &endings) {
        faults.extend(text::long_lines(&text).iter().map(|line| format!("{name}:{line}")));
    }
    assert_none("lines of more than 100 columns", &faults);
}

#[test]
fn files_with_unsafe_code_say_what_it_relies_on() {
    let sources = sources(&["src"]);
    let faults = sources.iter().filter(|(_, text)| text::lacks_facts(text));
    let faults: Vec<String> = faults.map(|(name, _)| name.clone()).collect();
    assert_none("files without a paragraph `Relies on: ..` in their first comment", &faults);
}

#[test]
fn targets_are_named_in_few_places() {
    assert_none("conditions that name a target", &targets::faults(&sources(&["src"])));
}

#[test]
fn stacks_are_walked_where_places_are_known() {
    let sources = sources(&["src"]);
    let [walk, symbolize] = ["walk", "symbolize"]
        .map(|folder| targets::choice(&Source::whole(&sources[&format!("src/{folder}/mod.rs")])));
    assert!(walk.len() > 3, "the targets are found");
    assert_eq!(walk, symbolize, "what is chosen in `walk` and in `symbolize`");
}

#[test]
fn the_documents_name_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(name)).expect(name);
        let missing = documents::missing(root, &text);
        faults.extend(missing.iter().map(|file| format!("{name}: {file}")));
    }
    assert_none("named, but not there", &faults);
}

#[test]
fn the_map_has_every_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the map");
    let named = documents::names(&map);
    let folders = documents::folders(root);
    assert!(folders.len() > 10, "the folders are found");
    let unnamed = folders.into_iter().filter(|folder| !named.contains(&folder.as_str()));
    assert_none("folders that ARCHITECTURE.md does not name", &unnamed.collect::<Vec<_>>());
}

#[test]
fn the_list_of_examples_has_each() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let list = fs::read_to_string(examples.join("README.md")).expect("the list");
    let entries = fs::read_dir(&examples).expect("examples");
    let paths = entries.map(|entry| entry.expect("an example").path());
    let programs = paths.filter(|path| path.is_dir() || path.extension() == Some("rs".as_ref()));
    let names =
        programs.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let (listed, unlisted): (Vec<_>, Vec<_>) =
        names.partition(|name| list.contains(&format!("- `{name}`")));
    assert!(listed.len() > 10, "the examples are found");
    assert_none("examples that examples/README.md does not list", &unlisted);
}

/// The documents of the repository, by name.
fn all_documents() -> BTreeMap<String, String> {
    let files = files_below(Path::new(env!("CARGO_MANIFEST_DIR")), &[".md"]);
    files.iter().map(|path| (name(path), fs::read_to_string(path).expect("UTF-8"))).collect()
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = all_documents();
    let mut faults = Vec::new();
    for name in documents.keys().filter(|name| *name != GUIDE_LABELS) {
        faults.extend(links::faults(name, &documents, |file| root.join(file).exists()));
    }
    assert_none("links that lead nowhere", &faults);
}

/// Where a label leads on the repository's site is said by the page, and where in the
/// documentation, by this file.
const GUIDE_LABELS: &str = "src/guide/labels.md";

#[test]
fn the_labels_of_the_guide_lead_to_the_same_pages_in_the_documentation() {
    let documents = all_documents();
    let modules = links::defined(&documents[GUIDE_LABELS]);
    let mut faults = Vec::new();
    let pages = documents.iter().filter(|(name, _)| name.starts_with("src/guide/"));
    for (name, text) in pages.filter(|(name, _)| *name != GUIDE_LABELS) {
        for (label, file) in links::defined(text) {
            let page = file.strip_suffix(".md").map(|page| format!("crate::guide::{page}"));
            if page.is_none() || page.as_ref() != modules.get(&label) {
                faults.push(format!("{name}: [{label}] is {file}, and {:?}", modules.get(&label)));
            }
        }
    }
    let index = links::defined(&documents["src/guide/README.md"]);
    let unlisted = modules.keys().filter(|label| !index.contains_key(*label));
    faults.extend(unlisted.map(|label| format!("src/guide/README.md lacks [{label}]")));
    assert_none("labels that differ", &faults);
}

const TROUBLESHOOTING: &str = "src/guide/troubleshooting.md";

/// What is no message of a misuse: parts of reports that are as expected, and texts for those who
/// work on the library. Each is the beginning of one.
const NO_MISUSE: &[&str] = &[
    "# What a test allocates, recorded",
    "(outside of the user's code)",
    ": reserve the capacity up front",
    "`call` calls its work once",
    "`runs` is at least 1",
    "a million take 48 MB",
    "all stacks at n",
    "allocation {}, the first past",
    "at no known site",
    "code without a name",
    "dhat: The data has been saved",
    "dhat: Total:",
    "lines of a doc test are counted",
    "mod-alloc: {name} holds its budget",
    "note: Some details are omitted",
    "of what is set up once",
    "this is a bug in mod-alloc",
    "what is joined is text",
    // Parts of errors of the macros, and what they advise.
    "all cases, and the making of them",
    "measure a Rust function",
    "remove `const`",
    "the set-up of",
    "the wait for other tests",
    "{events} at the same sites",
];

#[test]
fn every_message_is_explained_in_the_guide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join(TROUBLESHOOTING)).expect("the page");
    let (mut messages, mut variables) = (BTreeSet::new(), BTreeSet::new());
    let library = Place::library();
    for name in library.crates(false).files() {
        messages.extend(messages::sentences(&library.sources[name]));
        variables.extend(messages::variables(&library.sources[name]));
    }
    // Of its errors, those that name other crates are in no file of expected errors.
    messages.extend(messages::sentences(&Place::macros().sources["macros/src/misuse.rs"]));
    let is_no_misuse = |message: &String| NO_MISUSE.iter().any(|text| message.starts_with(text));
    let idle = NO_MISUSE.iter().filter(|text| !messages.iter().any(|m| m.starts_with(**text)));
    let idle: Vec<String> = idle.map(|text| (*text).to_owned()).collect();
    assert_none("not in the sources: take them off the list", &idle);
    messages.retain(|message| !is_no_misuse(message));
    for text in texts(&["macros/tests/ui"], &[".stderr"]).values() {
        messages.extend(messages::errors(text));
    }
    let missing: Vec<String> = messages::missing(&page, &messages).into_iter().cloned().collect();
    assert_none(&format!("messages that {TROUBLESHOOTING} does not have"), &missing);
    variables.retain(|variable| !page.contains(&format!("\n| `{variable}` |")));
    let unlisted: Vec<String> = variables.into_iter().collect();
    assert_none(&format!("variables that {TROUBLESHOOTING} does not list"), &unlisted);
}
