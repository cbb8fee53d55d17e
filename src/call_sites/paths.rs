//! Cold: paths of source files as texts: how they are made plain and shortened, and what they say
//! of whose code it is.

use std::borrow::Cow;

use crate::files::with_slashes;

/// Whether a path below the root leads to a package of others, or to what a build script wrote,
/// whose folder has another name in each profile. Folders above the root tell nothing: users keep
/// their checkouts wherever they like.
pub(super) fn is_foreign(path: &str) -> bool {
    let folders: Vec<&str> = path.split('/').collect();
    let has = |names: &[&str]| folders.windows(names.len()).any(|folders| folders == names);
    // `build/x-0a1b2c3d4e5f6071/out`; a later Cargo will write `build/x/0a1b2c3d4e5f6071/out`.
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_written = |folders: &[&str]| match folders {
        ["build", folder, "out", ..] => folder.contains('-'),
        ["build", _, folder, "out"] => is_hash(folder),
        _ => false,
    };
    is_vendored(&folders)
        || has(&["registry", "src"])
        || has(&["git", "checkouts"])
        || folders.windows(4).any(is_written)
}

/// Whether it is below `vendor/PACKAGE`. A module may be named `vendor` as well.
fn is_vendored(folders: &[&str]) -> bool {
    let is_of_sources = |folder: &&str| matches!(*folder, "src" | "tests" | "examples" | "benches");
    folders.iter().enumerate().any(|(at, folder)| {
        let (before, after) = (&folders[..at], &folders[at + 1..]);
        let is_module = before.iter().any(is_of_sources) && after.get(1) != Some(&"src");
        *folder == "vendor" && after.len() > 1 && !is_module
    })
}

/// Whether there is a folder `NAME-1.2.3`, such as Cargo makes for packages that it has fetched.
/// Users rarely name a folder so.
pub(super) fn has_version(path: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let folders = path.split('/').rev().skip(1);
    folders.filter_map(|folder| after_name(folder)).any(|version| {
        let mut parts = version.splitn(3, '.');
        parts.next().is_some_and(is_number)
            && parts.next().is_some_and(is_number)
            && parts.next().is_some_and(|patch| patch.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The version in the name of a package's folder.
fn after_name(folder: &str) -> Option<&str> {
    let is_version = |at: usize| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    folder.match_indices('-').find(|&(at, _)| is_version(at)).map(|(at, _)| &folder[at + 1..])
}

pub(super) fn is_of_std(file: &str) -> bool {
    file.starts_with("/rustc/")
        || file.contains("/lib/rustlib/src/")
        || file.starts_with("/usr/src/rustc-") // As Debian builds it.
}

/// Whether a file may be of a std that somebody has built. It may as well be of a user who has
/// named a folder so.
pub(super) fn may_be_of_std(file: &str) -> bool {
    ["alloc", "core", "std"]
        .iter()
        .any(|package| file.contains(&format!("/library/{package}/src/")))
}

/// Whether a file is this library's. Inlined functions may come without their crate, so the library
/// is known by its folder, too.
pub(super) fn is_of_library(file: &str) -> bool {
    let this_file = with_slashes(file!());
    let by_compiler = this_file.strip_suffix("call_sites/paths.rs");
    let folder = option_env!("CARGO_MANIFEST_DIR").map(with_slashes);
    let by_cargo = folder.and_then(|folder| file.strip_prefix(&*folder));
    by_compiler.is_some_and(|folder| file.starts_with(folder))
        || by_cargo.is_some_and(|below| below.starts_with("/src/"))
}

/// The path without `.` and, where that can be, without `..`.
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let mut folders: Vec<&str> = Vec::new();
    for folder in path.split('/') {
        match folder {
            "." | "" => {}
            ".." if folders.last().is_some_and(|last| *last != "..") => {
                folders.pop();
            }
            ".." if path.starts_with('/') => {}
            _ => folders.push(folder),
        }
    }
    let mut normal = String::from(if path.starts_with('/') { "/" } else { "" });
    for (at, folder) in folders.into_iter().enumerate() {
        normal.push_str(if at == 0 { "" } else { "/" });
        normal.push_str(folder);
    }
    Cow::Owned(normal)
}

/// Whether there is nothing to leave out, as in nearly all paths. Written by hand to be fast in
/// debug builds.
fn is_normal(path: &str) -> bool {
    let bytes = path.as_bytes();
    // Of the folder or file that is being read.
    let (mut length, mut dots) = (0, 0);
    let mut at = usize::from(path.starts_with('/'));
    while at < bytes.len() {
        match bytes[at] {
            b'/' if length == dots && length <= 2 => return false,
            b'/' => (length, dots) = (0, 0),
            b'.' => (length, dots) = (length + 1, dots + 1),
            _ => length += 1,
        }
        at += 1;
    }
    length != dots || length > 2
}

/// The package that a file of a dependency belongs to: `serde_json` of
/// `.../registry/src/index/serde_json-1.0.1/src/de.rs`.
pub(super) fn package_of(file: &str) -> Option<String> {
    let before = &file[..file.rfind("/src/")?];
    let (rest, folder) = before.rsplit_once('/').unwrap_or(("", before));
    // `checkouts/NAME-HASH/REVISION`
    let repository = rest.rsplit_once('/').filter(|(above, _)| above.ends_with("/checkouts"));
    let name = match repository.and_then(|(_, repository)| repository.rsplit_once('-')) {
        Some((name, _)) => name,
        None => {
            after_name(folder).map_or(folder, |version| &folder[..folder.len() - version.len() - 1])
        }
    };
    Some(name.replace('-', "_"))
}

/// A path of code that is not the user's, without what differs between machines:
/// `alloc/src/vec/mod.rs`.
pub(super) fn short_path(file: &str) -> &str {
    let after = |marker: &str| file.rfind(marker).map(|at| &file[at + marker.len()..]);
    if is_of_std(file) {
        return after("/library/").unwrap_or(file);
    }
    let of_index = after("/registry/src/").or_else(|| after("/git/checkouts/"));
    of_index
        .and_then(|path| path.split_once('/'))
        .map(|(_, path)| path)
        .or_else(|| after("/vendor/"))
        .unwrap_or(file)
}

/// The folder that an absolute path lies in.
pub(super) fn folder_of(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(slash) => &path[..slash],
    }
}

#[cfg(test)]
mod tests {
    use super::{has_version, is_of_library, normal, package_of, short_path};

    #[test]
    fn files_of_this_library_are_known_in_both_ways() {
        assert!(is_of_library(file!()), "as the compiler names it");
        assert!(is_of_library(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")));
        assert!(!is_of_library(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/budget.rs")));
    }

    #[test]
    fn the_folder_of_a_fetched_package_has_a_version() {
        for path in
            ["serde_json-1.0.154/src/de.rs", "x/a-b-0.1.0-rc.1/src/lib.rs", "a-1.2.3+x/b.rs"]
        {
            assert!(has_version(path), "{path}");
        }
        for path in
            ["src/a-1.2.3", "a-1.2/src/lib.rs", "a-b/src/lib.rs", "v1.2.3/a.rs", "a-1.x.3/b"]
        {
            assert!(!has_version(path), "{path}");
        }
    }

    #[test]
    fn paths_are_shortened_to_what_is_the_same_everywhere() {
        assert_eq!(normal("/a/./b//../c"), "/a/c");
        assert_eq!(normal("../a/.."), "..");
        assert_eq!(normal("./a/.b/..c/d./...//"), "a/.b/..c/d./...");
        for path in ["a/b.rs", "/a/.b/..c/d./.../e", "/"] {
            assert_eq!(normal(path), path);
        }
        assert_eq!(short_path("/rustc/5/library/alloc/src/vec/mod.rs"), "alloc/src/vec/mod.rs");
        let registry = "/users/u/.cargo/registry/src/index.crates.io-1/serde_json-1.0.1/src/de.rs";
        assert_eq!(short_path(registry), "serde_json-1.0.1/src/de.rs");
        assert_eq!(package_of(registry).as_deref(), Some("serde_json"));
        let checkout = "/users/u/.cargo/git/checkouts/x-y-0a1b/2c3d/src/a.rs";
        assert_eq!(short_path(checkout), "2c3d/src/a.rs");
        assert_eq!(package_of(checkout).as_deref(), Some("x_y"));
        let in_folder = "/users/u/.cargo/git/checkouts/x-y-0a1b/2c3d/core/src/a.rs";
        assert_eq!(package_of(in_folder).as_deref(), Some("core"));
        assert_eq!(package_of("/p/vendor/x-y/src/a/src/b.rs").as_deref(), Some("a"));
        assert_eq!(package_of("/p/vendor/x-y-2.0.0/src/a.rs").as_deref(), Some("x_y"));
    }
}
