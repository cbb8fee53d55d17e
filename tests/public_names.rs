//! What is public of mod-alloc, by name, signature and feature. `public_names.snap` has the list,
//! so that nothing becomes public, changes or vanishes by accident.
//!
//! The list is read from the pages that rustdoc writes, since only the compiler knows what can be
//! reached from outside, and whether a type may be sent to other threads. Hidden items are no part
//! of it.
//!
//! It builds the documentation three times, so `cargo test` leaves it out:
//!
//! ```sh
//! cargo test --test public_names -- --ignored
//! INSTA_UPDATE=always cargo test --test public_names -- --ignored # accepts what has changed
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What Cargo is told, and the feature that this adds to those before.
const FEATURES: [(&[&str], &str); 3] = [
    (&["--no-default-features"], ""),
    (&["--no-default-features", "--features", "backtraces"], "[backtraces] "),
    (&["--all-features"], "[dhat-compat] "),
];

/// Traits that only the standard library names. Which of them a page lists depends on the compiler.
const UNNAMEABLE: [&str; 3] = ["Freeze", "StructuralPartialEq", "UnsafeUnpin"];

#[test]
#[ignore = "builds the documentation three times"]
fn the_public_names_are_those_of_the_list() {
    let mut listed: BTreeMap<(String, String), &str> = BTreeMap::new();
    for (arguments, feature) in FEATURES {
        let public = public_lines(&documentation(arguments));
        let lost: Vec<_> = listed.keys().filter(|line| !public.contains(line)).collect();
        assert!(lost.is_empty(), "features only add, but {arguments:?} takes away {lost:#?}");
        for line in public {
            listed.entry(line).or_insert(feature);
        }
    }
    let mut text = String::new();
    let mut last = "";
    for ((item, line), feature) in &listed {
        if item != last {
            text += &format!("\n{item}\n");
            last = item;
        }
        text += &format!("    {feature}{line}\n");
    }
    insta::with_settings!({
        snapshot_path => ".",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("public_names", text) });
}

/// Builds the pages, and returns their folder. Each set of features has its own, for Cargo does not
/// notice that another one has written to it.
fn documentation(features: &[&str]) -> PathBuf {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("public_names").join(features.concat());
    let status = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["doc", "--quiet", "--lib", "--no-deps", "--locked", "--offline", "--target-dir"])
        .arg(&target)
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUSTDOCFLAGS")
        .status();
    assert!(status.expect("Cargo runs").success(), "no documentation with {features:?}");
    target.join("doc/mod_alloc")
}

/// All lines that say what a public item is, each with the name of the item.
fn public_lines(pages: &Path) -> BTreeSet<(String, String)> {
    let read = |page: &str| fs::read_to_string(pages.join(page)).expect(page);
    let mut lines = BTreeSet::new();
    let index = read("all.html");
    for (page, name) in links(&index) {
        let item = format!("mod_alloc::{name}");
        // `dhat/struct.Profiler.html` is the page of a `struct`.
        let kind = page.rsplit('/').next().and_then(|file| file.split('.').next());
        let kind = kind.expect("a page has a kind");
        let page = read(page);
        lines.extend(item_lines(kind, &page).into_iter().map(|line| (item.clone(), line)));
    }
    assert!(lines.len() > 100, "rustdoc writes other pages by now: {lines:#?}");
    lines
}

/// The pages and names in the list of all items.
fn links(index: &str) -> impl Iterator<Item = (&str, &str)> {
    index.split("<li><a href=\"").skip(1).filter_map(|link| {
        let (page, rest) = link.split_once("\">")?;
        let (name, _) = rest.split_once("</a>")?;
        page.ends_with(".html").then_some((page, name))
    })
}

/// The declaration of an item, its own methods, and the traits that it implements or explicitly
/// does not implement.
fn item_lines(kind: &str, page: &str) -> Vec<String> {
    let (page, _) = page.split_once("<h2 id=\"blanket-implementations\"").unwrap_or((page, ""));
    let declaration = between(page, "<pre class=\"rust item-decl\">", "</pre>");
    let declaration = declaration.map(text).filter(|text| !text.is_empty());
    let declaration = declaration.expect("rustdoc writes other pages by now");
    // The arms of a macro are not public.
    let is_macro = kind == "macro";
    let mut lines = vec![if is_macro { "macro".to_owned() } else { declaration }];
    let mut methods_of = String::new();
    for section in page.split("<section id=\"").skip(1) {
        let is = |class: &str| section.split('>').next().is_some_and(|tag| tag.ends_with(class));
        let is_impl = is("class=\"impl\"");
        if !is_impl && !is("class=\"method\"") && !is("class=\"associatedconstant\"") {
            continue;
        }
        let header = between(section, "class=\"code-header\">", "</h");
        let header = text(header.expect("a signature"));
        if !is_impl {
            lines.push(format!("{methods_of}{header}"));
        } else if header.contains(" for ") {
            if !UNNAMEABLE.iter().any(|name| header.contains(&format!(" {name} for "))) {
                lines.push(header);
            }
        } else {
            // If a type has parameters, the header says for which of them the method is there.
            methods_of = if header.contains('<') { format!("{header}: ") } else { String::new() };
        }
    }
    lines
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

/// The text of a piece of a page, on one line. It is without the button that unfolds it, and
/// without attributes but for `non_exhaustive`, which is the only one that matters to callers.
fn text(html: &str) -> String {
    let mut text = String::new();
    for tag in html.split('<') {
        let (tag, words) = tag.split_once('>').unwrap_or(("", tag));
        let is_left_out = words.starts_with("Show ") && words.ends_with(" fields")
            || tag.contains("code-attribute") && words != "#[non_exhaustive]";
        if !is_left_out {
            // What follows a block is on a line of its own.
            text += if tag == "/div" || tag.starts_with("div") { " " } else { "" };
            text += words;
        }
    }
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("ⓘ", ""),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Long signatures are broken into lines. These become one line, as the others are.
    text.replace("( ", "(").replace(", )", ")").replace(", }", " }").replace(")where", ") where")
}
