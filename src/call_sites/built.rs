//! Cold: how this program was built, as far as its frames tell. So a report can say what to set
//! where the user's code has no lines.

use super::code::Owner;
use super::frame::Frame;
use super::site::SiteData;
use crate::files::Built;

/// Why there are no lines of the user's, and what to do about it.
pub(crate) fn without_lines(data: &SiteData, built: &Built) -> String {
    if let Some(why) = data.distinct_frames().iter().find_map(|frame| frame.parts.unasked) {
        return format!("names can't be looked up: {why}");
    }
    let setting = "`debug = \"line-tables-only\"`";
    let place = match built {
        Built::DocTest => {
            return "rustdoc builds doc tests without debug information; \
                    `RUSTDOCFLAGS=-Cdebuginfo=1` adds it"
                .to_owned()
        }
        Built::Profile(table) => format!("under `[profile.{table}]`"),
        Built::Unknown => "in the profile that this was built with".to_owned(),
    };
    if !has_names(data) {
        return format!("the program is stripped; remove `strip` {place}, and set {setting} there");
    }
    let no_debug_info = "the code has no debug information; set";
    // Std comes with lines. Where it has none, something has removed them: `strip`, or Cargo, which
    // does so where `debug` is not set.
    let mut frames = data.distinct_frames().into_iter();
    match frames.any(|frame| frame.parts.owner == Owner::Std && frame.line().is_some()) {
        true => format!("{no_debug_info} {setting} {place}"),
        false => format!("{no_debug_info} {setting} {place}, and no `strip`"),
    }
}

/// Whether functions of Rust have names, as they have unless a program is stripped.
pub(crate) fn has_names(data: &SiteData) -> bool {
    let is_of_rust = |frame: &Frame| frame.function().is_some_and(|name| name.contains("::"));
    data.distinct_frames().into_iter().any(is_of_rust)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{counts, Program};
    use super::{without_lines, Built};

    #[test]
    fn the_frames_tell_what_is_missing() {
        let check = |places, built, expected| {
            let stacks = &[(&[1, 2][..], counts(1, 0, 8))];
            let program = Program { places, stacks, ..Program::NONE };
            assert_eq!(without_lines(&program.data(), &built), expected);
        };
        let release = || Built::Profile("release".to_owned());
        check(
            "1 main\n2 ?libx.so+16",
            release(),
            "the program is stripped; remove `strip` under `[profile.release]`, and set `debug = \
             \"line-tables-only\"` there",
        );
        check(
            "1 ?p+16 unasked\n2 ?libx.so+16 unasked",
            release(),
            "names can't be looked up: it snows",
        );
        check(
            "1 p::main\n2 alloc::f",
            release(),
            "the code has no debug information; set `debug = \"line-tables-only\"` under \
             `[profile.release]`, and no `strip`",
        );
        check(
            "1 p::main\n2 alloc::f @ /rustc/5/library/alloc/src/lib.rs:1",
            Built::Unknown,
            "the code has no debug information; set `debug = \"line-tables-only\"` in the profile \
             that this was built with",
        );
        check(
            "1 p::main\n2 alloc::f",
            Built::DocTest,
            "rustdoc builds doc tests without debug information; `RUSTDOCFLAGS=-Cdebuginfo=1` \
             adds it",
        );
    }
}
