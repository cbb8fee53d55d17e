//! Cold: `Built`, how this program was built, as its path tells.

use std::env;
use std::path::Path;

/// What built this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    /// Cargo, with this profile, as its table is named in a manifest.
    Profile(String),
    /// rustdoc, as a test in the documentation.
    DocTest,
    Unknown,
}

/// What built the program of this process.
pub(crate) fn built() -> Built {
    env::current_exe().map_or(Built::Unknown, |path| of(&path))
}

/// Cargo has a folder for each profile, with a folder for tests in it.
fn of(path: &Path) -> Built {
    let mut names = path.iter().rev().map(|name| name.to_string_lossy());
    let mut next = || names.next().unwrap_or_default();
    let (file, folder, above, further) = (next(), next(), next(), next());
    if file.starts_with("rust_out") || folder.starts_with("rustdoctest") {
        return Built::DocTest;
    }
    let is_script = above == "build" && file.starts_with("build-script-");
    let profile = match &*folder {
        "deps" | "examples" => above,
        _ if is_script => further,
        "debug" | "release" => folder,
        _ => return Built::Unknown,
    };
    let table = if profile == "debug" { "dev" } else { &*profile };
    let part = if is_script { ".build-override" } else { "" };
    Built::Profile(format!("{table}{part}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{of, Built};

    #[test]
    fn the_path_tells_the_profile() {
        let profile = |name: &str| Built::Profile(name.to_owned());
        let check = |path, expected| assert_eq!(of(Path::new(path)), expected, "{path}");
        check("/p/target/debug/deps/words-3b7f9b8abf8e3895", profile("dev"));
        check("/p/target/x86_64-unknown-linux-gnu/release/examples/words", profile("release"));
        check("/p/target/bench-fast/deps/words-3b7f9b8abf8e3895", profile("bench-fast"));
        check("/p/target/release/words", profile("release"));
        let script = "/p/target/debug/build/words-3b7f9b8abf8e3895/build-script-build";
        check(script, profile("dev.build-override"));
        check("/tmp/rustdoctestA1b2C3/rust_out", Built::DocTest);
        check("/tmp/rustdoctestA1b2C3/merged_doctest_2024", Built::DocTest);
        check("/usr/bin/words", Built::Unknown);
        check("words", Built::Unknown);
    }
}
