//! Planted conditions that name a target, and innocent ones.

use crate::source::Source;
use crate::targets::{choice, faults, named, MAY_NAME};
use std::collections::BTreeMap;

fn lines(text: &str) -> Vec<usize> {
    named(&Source::whole(text))
}

#[test]
fn a_condition_that_names_a_target_is_found() {
    for text in [
        "#[cfg(unix)]\nfn f() {}",
        "#![cfg(all(test, not(windows)))]",
        "#[cfg_attr(\n    not(miri), path = \"a.rs\")]\n#[cfg(target_os = \"linux\")]\nmod a;",
        "fn f() -> bool {\n    cfg!(any(miri, target_arch = \"x86_64\"))\n}",
        "#[cfg(test)]\nmod tests {\n    #[cfg(target_env = \"gnu\")]\n    fn f() {}\n}",
        "#[cfg(target_vendor = \"apple\")]\nmod apple;",
        "#[cfg_attr(target_family = \"wasm\", allow(dead_code))]\nmod idle;",
        "#[cfg(target_abi = \"sim\")]\nmod simulated;",
    ] {
        assert_eq!(lines(text).len(), 1, "{text}");
    }
    assert_eq!(lines("\n#[cfg(unix)]\nfn f() {}\n#[cfg(windows)]\nfn f() {}"), [2, 4]);
}

#[test]
fn what_names_no_target_is_not() {
    for text in [
        "#[cfg(all(test, not(miri), feature = \"backtraces\"))]\nfn f() {}",
        "#[cfg(target_pointer_width = \"64\")]\nfn f() {}",
        "#[cfg_attr(target_env = \"musl\", ignore = \"it has none\")]\n#[test]\nfn f() {}",
        "// #[cfg(unix)]\nuse std::os::unix::fs; fn f() { slice.windows(2); let cfg = unix; }",
        "const TEXT: &str = \"#[cfg(unix)]\";",
    ] {
        assert_eq!(lines(text), [0; 0], "{text}");
    }
}

#[test]
fn a_file_may_name_targets_if_it_is_listed_and_does() {
    let text = |place: &str| {
        let file = if place.ends_with('/') { format!("{place}a.rs") } else { place.to_owned() };
        (file, "#[cfg(unix)]\nfn f() {}".to_owned())
    };
    let mut sources: BTreeMap<_, _> = MAY_NAME.iter().map(|(place, _)| text(place)).collect();
    assert_eq!(faults(&sources), [""; 0]);
    sources.insert("src/walk/elf/mod.rs".to_owned(), "\n#[cfg(unix)]\nmod a;".to_owned());
    sources.insert("src/walk/mod.rs".to_owned(), "mod a;".to_owned());
    assert_eq!(faults(&sources), ["src/walk/elf/mod.rs:2", "src/walk/mod.rs names none"]);
}

#[test]
fn choices_are_read_whole_and_alone() {
    let choice = |text: &str| choice(&Source::whole(text));
    let one = "#[cfg(test)]\nmod a;\n#[cfg_attr(unix, path = \"b.rs\")]\nmod target;";
    assert_eq!(choice(one), ["cfg_attr ( unix , path = \"b.rs\" )"]);
    assert_eq!(choice(&one.replace("mod target", "pub(crate) mod target")), choice(one));
    assert_ne!(choice(&one.replace("unix", "not(unix)")), choice(one));
    assert_eq!(choice("mod other;"), [""; 0]);
}
