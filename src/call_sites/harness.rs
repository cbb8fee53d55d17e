//! Cold: what the test harness allocates on the thread of a test. Unless the runner tells it not
//! to, it keeps what tests print in a vector, which grows beneath `println!`, `dbg!` and the
//! message of a panic.
//!
//! Its allocations are known by the names of their frames. In doubt an allocation is the user's: a
//! budget that leaves out what it should count is worse than one that counts too much.

use std::sync::Mutex;

use super::code::Owner;
use super::frame::Frame;
use super::names;
use crate::index::Index;
use crate::reading::Recording;
use crate::stacks::Stack;

/// Whether a chain, innermost first, is growth of the vector in which the harness keeps what is
/// printed.
pub(super) fn is_capture(frames: &[&Frame]) -> bool {
    let Some(end) = frames.iter().position(|frame| prints(frame)) else { return false };
    let within = &frames[..end];
    // Here the vector is written to. Further inside is nothing but its growth.
    let Some(start) = within.iter().position(|frame| writes(name(frame))) else { return false };
    let (growth, outside) = within.split_at(start);
    if !growth.iter().all(|frame| is_stds(frame)) {
        return false;
    }
    if is_of_panic(name(frames[end])) {
        return outside.iter().all(|frame| !frame.is_user());
    }
    // A `Display` that is printed may have a vector of its own and write to that. Then the
    // `write_fmt` that it calls is further inside than the `Display`. The harness's is the
    // outermost of all.
    let is_formatted = outside.iter().any(|frame| is_adapter(name(frame)));
    let formatting = outside.iter().skip_while(|frame| writes(name(frame)));
    let mut is_in_write_fmt = false;
    for frame in formatting {
        if is_write_fmt(frame) {
            is_in_write_fmt = true;
        } else if is_in_write_fmt || !is_formatted || !hides_no_other(frame) {
            return false;
        }
    }
    true
}

/// Whether this is a function of the harness, which calls a test.
pub(super) fn runs_tests(frame: &Frame) -> bool {
    !frame.is_user() && names::crate_of(name(frame)) == Some("test")
}

fn name(frame: &Frame) -> &str {
    frame.function().unwrap_or_default()
}

/// Where std takes the text that is printed, and hands it to the harness if that keeps it.
pub(super) fn prints(frame: &Frame) -> bool {
    let name = name(frame);
    [
        "std::io::stdio::print_to_buffer_if_capture_used",
        "std::io::stdio::_print",
        "std::io::stdio::_eprint",
    ]
    .iter()
    .any(|print| name.starts_with(print))
        || is_of_panic(name)
}

fn is_of_panic(name: &str) -> bool {
    name.starts_with("std::panicking::default_hook")
}

/// A method of `Write` for a vector, or of std's adapter, through which a formatter writes to it.
fn writes(name: &str) -> bool {
    let is_of_vec = name.contains("std::io::Write for alloc::vec::Vec<u8")
        || name.starts_with("<alloc::vec::Vec<u8") && name.contains(" as std::io::Write>");
    is_of_vec && name.ends_with("::write_all") || is_adapter(name)
}

fn is_adapter(name: &str) -> bool {
    name.starts_with("<std::io::")
        && name.contains("::Adapter<")
        && (name.ends_with("::write_str") || name.ends_with("::write_char"))
}

/// Whether this is the `write_fmt` of an `io::Write`, not of a formatter. An inlined function may
/// come without its path, but not without its file.
fn is_write_fmt(frame: &Frame) -> bool {
    let is_of_formatter = name(frame).contains("core::fmt::")
        || frame.file().is_some_and(|file| file.contains("/core/src/fmt/"));
    match frame.parts.name.as_str() {
        "write_fmt" => !is_of_formatter,
        name => name == "default_write_fmt",
    }
}

/// Without a file one cannot tell: a method of std's type may belong to anybody's trait.
fn is_stds(frame: &Frame) -> bool {
    frame.parts.owner == Owner::Std || name(frame).starts_with("<alloc::raw_vec::RawVec")
}

/// Whether no other call can hide in this frame. Where there are lines, inlined functions are
/// frames of their own. Where there are none, only std's own formatting is known.
fn hides_no_other(frame: &Frame) -> bool {
    let known =
        ["core::fmt::", "<core::fmt::Formatter>::", "<char as core::fmt::", "<str as core::fmt::"];
    frame.line().is_some() || known.iter().any(|known| name(frame).starts_with(known))
}

/// Stacks that are known not to be the harness's, by their addresses: a stack is kept for ever.
static ORDINARY: Mutex<Index> = Mutex::new(Index::EMPTY);

/// So many of them are noted at most. Others are looked at again.
const MAX_ORDINARY: usize = 1 << 16;

fn addresses(recording: &Recording) -> impl Iterator<Item = usize> + '_ {
    recording.stacks.iter().map(|(stack, _)| *stack as *const Stack as usize)
}

/// Whether what is recorded may have allocations of the harness. It is known to have none where
/// every stack was looked at before.
pub(crate) fn may_be_in(recording: &Recording) -> bool {
    // It does not wait for the lock: another thread may have held it at a fork.
    match ORDINARY.try_lock() {
        Ok(ordinary) => addresses(recording).any(|stack| ordinary.find(stack).is_none()),
        Err(_) => true,
    }
}

/// Notes that nothing of what is recorded is the harness's.
pub(super) fn note_ordinary(recording: &Recording) {
    if let Ok(mut ordinary) = ORDINARY.try_lock() {
        if ordinary.len() + recording.stacks.len() <= MAX_ORDINARY {
            for stack in addresses(recording) {
                let next = ordinary.len();
                ordinary.find_or_insert(stack, next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::site_below;

    /// Of frames, innermost first, above `p::f` at a line of the user's: `std` stands for a file of
    /// std's, `-` for none.
    fn is_capture(frames: &[(&str, &str)]) -> bool {
        let files = |file: &str| match file {
            "std" => " @ /rustc/5/library/std/src/io/mod.rs:1".to_owned(),
            "core" => " @ /rustc/5/library/core/src/fmt/mod.rs:1".to_owned(),
            "-" => String::new(),
            file => format!(" @ {file}"),
        };
        let frames = frames.iter().map(|(name, file)| format!("{name}{}\n", files(file)));
        site_below(&frames.collect::<String>(), "p::f @ /p/src/main.rs:2").is_capture
    }

    const GROWTH: (&str, &str) = ("<alloc::raw_vec::RawVecInner>::finish_grow", "-");
    const ADAPTER: (&str, &str) = (
        "<std::io::default_write_fmt::Adapter<alloc::vec::Vec<u8>> as core::fmt::Write>::write_str",
        "-",
    );
    const FMT: (&str, &str) = ("core::fmt::write", "-");
    const WRITE_FMT: (&str, &str) = ("std::io::default_write_fmt", "std");
    const PRINT: (&str, &str) = ("std::io::stdio::print_to_buffer_if_capture_used", "-");
    const DISPLAY: (&str, &str) = ("<p::P as core::fmt::Display>::fmt", "/p/src/main.rs:5");

    #[test]
    fn the_buffer_grows_beneath_what_prints() {
        assert!(is_capture(&[GROWTH, ADAPTER, PRINT]));
        assert!(is_capture(&[GROWTH, ADAPTER, FMT, PRINT]));
        let older = "<std::io::Write::write_fmt::Adapter<T> as core::fmt::Write>::write_str";
        assert!(is_capture(&[
            GROWTH,
            (older, "std"),
            FMT,
            WRITE_FMT,
            ("std::io::stdio::_eprint", "std")
        ]));
        let write_all =
            "std::io::impls::<impl std::io::Write for alloc::vec::Vec<u8,A>>::write_all";
        assert!(is_capture(&[GROWTH, (write_all, "std"), WRITE_FMT, PRINT]));
        assert!(is_capture(&[GROWTH, ADAPTER, DISPLAY, FMT, WRITE_FMT, PRINT]));
        let of_formatter = ("write_fmt", "core");
        assert!(is_capture(&[GROWTH, ADAPTER, FMT, of_formatter, DISPLAY, FMT, WRITE_FMT, PRINT]));
        let hook = ("std::panicking::default_hook::{closure}", "-");
        assert!(is_capture(&[GROWTH, (write_all, "-"), ("std::thread::current::with", "-"), hook]));
    }

    #[test]
    fn what_the_user_allocates_is_the_users() {
        assert!(!is_capture(&[GROWTH]));
        assert!(!is_capture(&[GROWTH, ADAPTER, FMT, WRITE_FMT]));
        assert!(!is_capture(&[
            GROWTH,
            ("alloc::fmt::format", "std"),
            DISPLAY,
            FMT,
            WRITE_FMT,
            PRINT
        ]));
        // A vector of its own, in a `Display` that is printed.
        assert!(!is_capture(&[GROWTH, ADAPTER, FMT, WRITE_FMT, DISPLAY, FMT, WRITE_FMT, PRINT]));
        assert!(!is_capture(&[
            GROWTH,
            ADAPTER,
            ("write_fmt", "std"),
            DISPLAY,
            FMT,
            WRITE_FMT,
            PRINT
        ]));
        let write_all = "<alloc::vec::Vec<u8> as std::io::Write>::write_all";
        assert!(!is_capture(&[GROWTH, (write_all, "std"), DISPLAY, FMT, WRITE_FMT, PRINT]));
        let writer = ("<p::W as std::io::Write>::write_all", "/p/src/main.rs:7");
        assert!(!is_capture(&[GROWTH, writer, ADAPTER, FMT, WRITE_FMT, PRINT]));
        // In a build without debug information, it may hide in what has no line.
        assert!(!is_capture(&[
            GROWTH,
            ADAPTER,
            ("<p::P as core::fmt::Display>::fmt", "-"),
            FMT,
            PRINT
        ]));
        assert!(!is_capture(&[
            GROWTH,
            ADAPTER,
            ("<&T as core::fmt::Debug>::fmt", "-"),
            FMT,
            PRINT
        ]));
        let mine = ("<alloc::vec::Vec<u8> as p::Grow>::grow", "-");
        assert!(!is_capture(&[mine, ADAPTER, PRINT]));
    }
}
