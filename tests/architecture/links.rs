//! Links of Markdown that lead nowhere: to files and headings that are not there, and labels that
//! are not defined. Addresses of other sites are left alone.

use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with the links of the document `name`. `documents` are all texts by their names,
/// and `is_there` knows the other files.
pub(crate) fn faults(
    name: &str,
    documents: &BTreeMap<String, String>,
    is_there: impl Fn(&str) -> bool,
) -> Vec<String> {
    let Links { inline, labels, defined } = links(&documents[name]);
    let mut faults = Vec::new();
    for target in inline.iter().chain(defined.values()).filter(|target| !target.contains(':')) {
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let file = if file.is_empty() { name.to_owned() } else { beside(name, file) };
        let headings = || documents.get(&file).map(|text| headings(text)).unwrap_or_default();
        if !is_there(&file) {
            faults.push(format!("{name}: there is no {file}"));
        } else if !heading.is_empty() && !headings().contains(heading) {
            faults.push(format!("{name}: {file} has no heading #{heading}"));
        }
    }
    let undefined = labels.iter().filter(|label| !defined.contains_key(*label));
    faults.extend(undefined.map(|label| format!("{name}: the label [{label}] is not defined")));
    let idle = defined.keys().filter(|label| !labels.contains(*label));
    faults.extend(idle.map(|label| format!("{name}: nothing links to the label [{label}]")));
    faults
}

/// The labels that a document defines, with what they lead to.
pub(crate) fn defined(document: &str) -> BTreeMap<String, String> {
    links(document).defined
}

struct Links {
    /// Of `[text](target)`, the targets.
    inline: Vec<String>,
    /// Of `[label]`, the labels.
    labels: BTreeSet<String>,
    defined: BTreeMap<String, String>,
}

fn links(document: &str) -> Links {
    let mut defined = BTreeMap::new();
    let mut text = String::new();
    // Headings have no links, and keep the brackets that others take for a label.
    for line in prose(document).filter(|line| !line.starts_with('#')) {
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((label, target)) = definition {
            // Of two definitions, the first counts.
            defined.entry(label.to_owned()).or_insert_with(|| target.to_owned());
        } else {
            text += line.trim();
            // A link may go on in the next line.
            text.push(' ');
        }
    }
    let code_apart: Vec<&str> = text.split('`').collect();
    let text: String = code_apart.into_iter().step_by(2).collect();
    let (mut inline, mut labels) = (Vec::new(), BTreeSet::new());
    for (before, after) in text.match_indices(']').map(|(at, _)| text.split_at(at)) {
        if let Some(target) = after.strip_prefix("](") {
            inline.extend(target.split(')').next().map(str::to_owned));
        } else if let Some((_, label)) = before.rsplit_once('[') {
            labels.insert(label.to_owned());
        }
    }
    Links { inline, labels, defined }
}

/// The lines outside blocks of code, which stand between fences, or four columns to the right.
fn prose(document: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    document.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence && !line.starts_with("    ")
    })
}

/// The headings of a document, as links name them: in small letters, with dashes for spaces and
/// without other signs.
fn headings(document: &str) -> BTreeSet<String> {
    let mut headings = BTreeSet::new();
    for line in prose(document).filter(|line| line.starts_with('#')) {
        let mut heading = String::new();
        for letter in line.trim_start_matches('#').trim().chars() {
            match letter {
                ' ' => heading.push('-'),
                '-' | '_' => heading.push(letter),
                _ if letter.is_alphanumeric() => heading.extend(letter.to_lowercase()),
                _ => {}
            }
        }
        headings.insert(heading);
    }
    headings
}

/// The name of a file that a document names from where it lies.
fn beside(document: &str, file: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
