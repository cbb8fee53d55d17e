//! The snapshot text of the call sites of a program that has every kind of function which builds
//! write down differently.
//!
//! There is one snapshot, and every build must give it. `.ci/snapshot-text.sh` runs this in two
//! folders, at several opt-levels, with each kind of debug information and with another toolchain.

#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "../common/needs_call_sites.rs"]
mod needs_call_sites;
#[allow(clippy::complexity, clippy::perf, clippy::style)]
// What clippy would simplify is what is tested.
mod program;

use mod_alloc::ModAlloc;

use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

#[test]
fn the_text_is_the_same_in_every_build() {
    needs_call_sites!();
    insta::assert_snapshot!(program::run().to_string());
}

#[test]
fn the_text_is_the_same_in_every_run() {
    needs_call_sites!();
    let first = program::run().to_string();
    assert!(program::run().to_string() == first);
}

#[test]
fn nothing_in_the_text_hangs_on_the_build() {
    needs_call_sites!();
    let text = program::run().to_string();
    for varying in ["::", "{", "__", "<<", "\\", "/rustc", ".rs:", "h0", "dyn ", " as "] {
        assert!(!text.contains(varying), "{varying} is in\n{text}");
    }
}
