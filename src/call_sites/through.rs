//! Cold: whether an allocation passes through a crate or a module: what a budget with `allow` does
//! not charge.
//!
//! In doubt it does not pass through it: a budget that leaves out what it should count is worse
//! than one that counts too much.

use super::code::Owner;
use super::frame::Frame;
use super::paths::package_of;
use crate::symbolize::names;

/// Whether a frame is a function of the crate or module `path`. A function that was inlined may
/// have lost its path; then its file tells, if it is a dependency's.
pub(super) fn is_of(frame: &Frame, path: &str) -> bool {
    let by_name = frame.function().and_then(|function| names::is_within(function, path));
    by_name.unwrap_or_else(|| {
        frame.parts.owner == Owner::Dependency
            && frame.file().is_some_and(|file| is_in_module(file, path))
    })
}

/// Whether a file of a dependency is surely one of the crate or module.
fn is_in_module(file: &str, path: &str) -> bool {
    let (krate, module) = path.split_once("::").unwrap_or((path, ""));
    let below = || file.rsplit_once("/src/")?.1.strip_prefix(&module.replace("::", "/"));
    package_of(file).as_deref() == Some(krate)
        && (module.is_empty() || below().is_some_and(|rest| rest.starts_with(['/', '.'])))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::site_below;
    use super::{is_in_module, is_of};

    #[test]
    fn a_frame_without_a_path_is_of_its_file_if_that_is_a_dependencys() {
        let check = |frame: &str, path: &str, expected: bool| {
            let site = site_below(frame, "p::f @ /p/src/main.rs:2");
            assert_eq!(is_of(&site.frames[0], path), expected, "{frame}: {path}");
        };
        let file = "/c/registry/src/index/log-0.4.2/src/sink.rs:3";
        check(&format!("note @ {file}"), "log", true);
        check(&format!("note @ {file}"), "log::sink", true);
        check(&format!("note @ {file}"), "p", false);
        check(&format!("p::note @ {file}"), "log", false);
        check("note @ /p/log/src/sink.rs:3", "log", false);
        check("note", "log", false);
    }

    #[test]
    fn the_file_of_a_dependency_tells_its_crate_and_perhaps_its_module() {
        let check = |file, path, expected| assert_eq!(is_in_module(file, path), expected, "{path}");
        let file = "/c/registry/src/index/once_cell-1.19.0/src/imp/std.rs";
        check(file, "once_cell", true);
        check(file, "once_cell::imp", true);
        check(file, "once_cell::imp::std", true);
        check(file, "once_cell::im", false);
        check(file, "once_cell::sync", false);
        check(file, "once", false);
        check("/v/vendor/tracing-core/src/lib.rs", "tracing_core", true);
        check("/v/vendor/tracing-core/src/lib.rs", "tracing", false);
    }
}
