//! The structure that the design promises: each file says whether it is hot or cold, and hot code, which runs inside the
//! allocator, imports no cold code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const HOT: &str = "//! Hot: ";
const COLD: &str = "//! Cold: ";
/// For the crate root, whose `//!` is for users.
const COLD_ROOT: &str = "// Cold: ";

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Every file of the crate by its name below `src/`, with its text.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = source_files(&root);
    assert!(files.len() > 20, "the sources are found");
    let name =
        |path: &Path| path.strip_prefix(&root).expect("below").to_string_lossy().replace('\\', "/");
    files.iter().map(|path| (name(path), fs::read_to_string(path).expect("UTF-8"))).collect()
}

fn is_hot(text: &str) -> bool {
    text.starts_with(HOT)
}

/// What of a file runs in the user's program: all but its tests.
fn code<'a>(name: &str, text: &'a str) -> &'a str {
    if name.ends_with("tests.rs") || name.contains("/tests/") {
        return "";
    }
    text.split("#[cfg(test)]").next().expect("a first part")
}

/// The modules of the crate, top-level names, that a text names in code.
fn named_modules(text: &str) -> Vec<String> {
    let code = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    let mut modules = Vec::new();
    for line in code {
        for (at, _) in line.match_indices("crate::") {
            if at > 0 && line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
            {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            modules.push(if end == 0 { rest.to_owned() } else { rest[..end].to_owned() });
        }
    }
    modules
}

#[test]
fn every_file_says_whether_it_is_hot_or_cold() {
    for (name, text) in sources() {
        let says = is_hot(&text) || text.starts_with(COLD) || text.starts_with(COLD_ROOT);
        assert!(says, "the first line of src/{name} says neither Hot nor Cold");
    }
    let macros = Path::new(env!("CARGO_MANIFEST_DIR")).join("macros/src");
    for path in source_files(&macros) {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let says = text.starts_with(COLD) || text.starts_with(COLD_ROOT);
        assert!(says, "the first line of {} does not say Cold", path.display());
    }
}

#[test]
fn hot_files_import_no_cold_ones() {
    let sources = sources();
    let is_hot_module = |module: &str| {
        ["{module}.rs", "{module}/mod.rs"]
            .iter()
            .filter_map(|file| sources.get(&file.replace("{module}", module)))
            .any(|text| is_hot(text))
    };
    let mut imports = 0;
    for (name, text) in sources.iter().filter(|(_, text)| is_hot(text)) {
        let code = code(name, text);
        for module in named_modules(code) {
            imports += 1;
            assert!(is_hot_module(&module), "src/{name} is hot, and names `crate::{module}`");
        }
        // Below a folder, `super` must not lead out of it, unless the folder is all hot.
        let folder = name.split_once('/').map(|(folder, _)| format!("{folder}/"));
        let all_hot = folder.is_some_and(|folder| {
            sources
                .iter()
                .filter(|(name, _)| name.starts_with(&folder))
                .all(|(_, text)| is_hot(text))
        });
        assert!(all_hot || !code.contains("super::"), "src/{name} is hot beside cold files");
    }
    assert!(imports > 0, "the check finds imports");
}

#[test]
fn the_check_finds_what_it_looks_for() {
    assert_eq!(named_modules("use crate::report;"), ["report"]);
    assert_eq!(
        named_modules("    let x = crate::scope::open(1, crate::count::Kind::Scope);"),
        ["scope", "count"]
    );
    assert_eq!(named_modules("// crate::report\n//! [`crate::report`]\n$crate::x"), [""; 0]);
    assert_eq!(named_modules("use crate::{count, report};"), ["{count, report};"]);
}

#[test]
fn hot_files_neither_format_nor_lock_nor_panic() {
    for (name, text) in sources().iter().filter(|(_, text)| is_hot(text)) {
        let code = code(name, text);
        for (at, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") || line.contains("() = assert!") {
                continue;
            }
            for word in [
                "panic!", "assert!", "format!", "unwrap()", "expect(", "Mutex", "RwLock", "Box<",
                "Box::", "Vec<", "String",
            ] {
                let own = ["System", "Stable"].map(|own| format!("{own}{word}"));
                let found = line.contains(word) && !own.iter().any(|own| line.contains(own));
                assert!(!found, "src/{name}:{} is hot, and says `{word}`: {line}", at + 1);
            }
        }
    }
}
