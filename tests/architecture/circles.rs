//! Circles in a graph of imports.

use crate::imports::Imports;
use std::collections::{BTreeMap, VecDeque};

/// The imports between the top-level modules of a crate. Each is a folder, or a file beside the
/// root.
pub(crate) fn between_modules(imports: &Imports) -> Imports {
    let mut between = Imports::new();
    for (file, imported) in imports {
        let from = between.entry(top_level(file)).or_default();
        for (other, names) in
            imported.iter().filter(|(other, _)| top_level(other) != top_level(file))
        {
            from.entry(top_level(other)).or_default().extend(names.iter().cloned());
        }
    }
    between
}

/// The module below the first folder that a file is in: `src/a/b.rs` and `src/a.rs` are in `a`.
fn top_level(file: &str) -> String {
    let below = file.split_once('/').map_or(file, |(_, below)| below);
    let module = below.split_once('/').map_or(below, |(folder, _)| folder);
    module.strip_suffix(".rs").unwrap_or(module).to_owned()
}

/// The shortest way along imports from one file to another, or through others back to itself.
fn way(imports: &Imports, from: &str, to: &str) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        for next in imports.get(at).into_iter().flat_map(BTreeMap::keys) {
            if next == to {
                let mut way = vec![to.to_owned(), at.to_owned()];
                let mut at = at;
                while at != from {
                    at = before[at];
                    way.push(at.to_owned());
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(next.as_str()) {
                before.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The graph as text, a line for each import.
pub(crate) fn drawn(imports: &Imports) -> String {
    let lines = imports.iter().flat_map(|(file, imported)| {
        imported.keys().map(|other| in_words(imports, &[file.clone(), other.clone()]) + "\n")
    });
    lines.collect()
}

/// For each file in a circle, a shortest one that it is in.
pub(crate) fn found(imports: &Imports) -> Vec<String> {
    let circles = imports.keys().filter_map(|file| way(imports, file, file));
    circles.map(|way| in_words(imports, &way)).collect()
}

/// `a.rs -> b.rs (Names) -> a.rs (Names)`
fn in_words(imports: &Imports, way: &[String]) -> String {
    let mut words = way[0].clone();
    for step in way.windows(2) {
        let names: Vec<&str> = imports[&step[0]][&step[1]].iter().map(String::as_str).collect();
        words += &format!(" -> {} ({})", step[1], names.join(", "));
    }
    words
}
