//! Cold: whether code starts threads. Its call sites tell, since a thread that starts another one
//! allocates for that.

use super::code::Owner;
use super::frame::Frame;
use super::site::Site;

pub(crate) fn starts_threads(sites: &[Site]) -> bool {
    // Only what the user's line called. Further out are the callers of the user's code.
    let mut called = sites.iter().map(|site| {
        let frames = site.frames().iter();
        frames.take_while(|frame| !frame.is_user())
    });
    called.any(|mut frames| frames.any(starts_thread))
}

/// All of std's ways to start a thread lead through one function. The new thread runs in a closure
/// of that function, and is no start of one.
fn starts_thread(frame: &Frame) -> bool {
    let is_way = frame.parts.name.starts_with("spawn_unchecked") && !frame.parts.is_closure;
    is_way && frame.parts.owner == Owner::Std
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{counts, Program};
    use super::starts_threads;

    #[test]
    fn a_thread_is_started_where_a_line_of_the_users_leads_to_it() {
        let check = |inner: &str, outer: &str, expected| {
            let places = format!(
                "1 {outer} @ /rustc/5/library/std/src/thread/mod.rs:1\n2 {inner} @ \
                 /rustc/5/library/std/src/thread/mod.rs:2\n2 p::f @ /p/src/main.rs:2\n"
            );
            let stacks = &[(&[1, 2][..], counts(1, 0, 8))];
            let program =
                Program { places: &places, location: "src/main.rs", stacks, ..Program::NONE };
            assert_eq!(starts_threads(&program.data().sites), expected, "{inner} {outer}");
        };
        let start = "std::thread::Builder::spawn_unchecked_";
        let within = "std::thread::Builder::spawn_unchecked_::{closure}";
        check(start, within, true);
        check("std::thread::lifecycle::spawn_unchecked::<p::f::{closure#0}, ()>", within, true);
        check("std::thread::current", within, false);
        check("std::thread::current", start, false);
        check("std::process::Command::spawn", within, false);
    }
}
