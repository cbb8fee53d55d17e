//! Cold: `Refusal`, why a binary cannot be measured, in words that name the remedy. All texts of it
//! are here.

use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) enum Refusal {
    /// Nothing is counted at all. `library` is the dynamic library that this code is a part of, if
    /// there is one.
    NotInstalled { library: Option<PathBuf> },
    /// A `ModAlloc` counts, but not what this code allocates.
    NotHere { counted: i64 },
    /// The standard library's own allocations do not reach the global allocator. It is a part of
    /// `file`, if that is known.
    StdIsDynamic { file: Option<PathBuf> },
    /// Each allocation is counted several times.
    CountsTwice { times: u64 },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled { library: None } => write!(
                f,
                "mod-alloc has nothing to count: is `ModAlloc` this binary's \
                 `#[global_allocator]`? Add these two lines at the root of the test, example or \
                 benchmark (inside of a doc test; in a library's `src/lib.rs`, with \
                 `#[cfg(test)]` above them):{LINES}"
            ),
            Self::NotInstalled { library: Some(library) } => write!(
                f,
                "mod-alloc has nothing to count: this code is a part of the dynamic library {}. \
                 Is `ModAlloc` its `#[global_allocator]`? Add these two lines at the root of its \
                 crate:{LINES}",
                name(library)
            ),
            Self::NotHere { counted } => write!(
                f,
                "mod-alloc does not count this code: a `ModAlloc` has counted {counted} \
                 allocations in this process, but none of this code's. Is it a `static` without \
                 `#[global_allocator]`, or inside an allocator that does not hand on every \
                 request? The binary needs these two lines, and no other global allocator:{LINES}"
            ),
            Self::StdIsDynamic { file } => write!(
                f,
                "mod-alloc cannot count what the standard library allocates in this binary, in \
                 `format!` for example: it is linked dynamically{}, with an allocator of its own, \
                 whatever the `#[global_allocator]` is. Remove `-C prefer-dynamic` from the \
                 compiler's flags (in `RUSTFLAGS` or `.cargo/config.toml`), and build what the \
                 tests depend on without `crate-type = [\"dylib\"]` (Bevy: without the feature \
                 `dynamic_linking`)",
                file.as_ref().map(|file| format!(" ({})", name(file))).unwrap_or_default()
            ),
            Self::CountsTwice { times } => write!(
                f,
                "mod-alloc counts one allocation {times} times: does a `ModAlloc` wrap another \
                 `ModAlloc`, or an allocator that itself allocates through the global one? Write \
                 `ModAlloc::with(inner)` around an allocator that does neither"
            ),
        }
    }
}

const LINES: &str = "

    #[global_allocator]
    static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();";

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    format!("`{}`", name.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::Refusal::{self, CountsTwice, NotHere, NotInstalled, StdIsDynamic};

    #[test]
    fn every_case_has_its_own_question_and_its_own_remedy() {
        let check = |refusal: Refusal, parts: &[&str]| {
            let text = refusal.to_string();
            for part in parts {
                assert!(text.contains(part), "{part:?} is not in: {text}");
            }
        };
        let lines = "\n    static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();";
        let file = |name: &str| Some(["/lib", name].iter().collect());
        check(NotInstalled { library: None }, &["this binary's `#[global_allocator]`?", lines]);
        check(
            NotInstalled { library: file("libplugin.so") },
            &[
                "the dynamic library `libplugin.so`. Is `ModAlloc` its `#[global_allocator]`?",
                lines,
            ],
        );
        check(NotHere { counted: 3 }, &["has counted 3 allocations", "none of this code's", lines]);
        let remedies = "`-C prefer-dynamic` from the compiler's flags";
        check(StdIsDynamic { file: None }, &["linked dynamically, with", remedies, "[\"dylib\"]"]);
        check(StdIsDynamic { file: file("libstd-01.so") }, &["dynamically (`libstd-01.so`), with"]);
        check(CountsTwice { times: 2 }, &["one allocation 2 times", "wrap another"]);
    }
}
