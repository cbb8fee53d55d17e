//! Cold: what std allocates to start a thread, and frees when the thread ends. It is known by the
//! names of its frames.

use std::panic::Location;
use std::sync::Mutex;

use super::code::Owner;
use super::frame::Frame;
use super::of_recording::of_recording;
use super::site::SiteData;
use crate::counters;
use crate::index::WordMap;
use crate::reading::{CompactCounts, Recording};
use crate::stacks::{SiteCounts, Stack};

/// Whether what is allocated at this stack may be freed by the end of a thread. In doubt it may.
pub(crate) fn may_be_thread_start(stack: &'static Stack) -> bool {
    /// The answers so far, by the address of the stack, which is kept for ever.
    static KNOWN: Mutex<WordMap<bool>> = Mutex::new(WordMap::EMPTY);
    let address = stack as *const Stack as usize;
    counters::ignored(|_| {
        // It does not wait for the lock: another thread may have held it at a fork.
        if let Some(known) = KNOWN.try_lock().ok().and_then(|known| known.get(address).copied()) {
            return known;
        }
        let mut recording = Recording::default();
        let counts = SiteCounts { allocs: 1, ..SiteCounts::ZERO };
        recording.stacks.push((stack, CompactCounts::of(&counts)));
        let sites = of_recording(&recording, Location::caller());
        let data = sites.data();
        let may_be = data.sites.iter().all(|site| may_be(&data.frames(site)));
        if let Ok(mut known) = KNOWN.try_lock() {
            known.get_or_insert(address, may_be);
        }
        may_be
    })
}

/// Whether what is allocated here, innermost frame first, may be freed by the end of a thread.
fn may_be(frames: &[&Frame]) -> bool {
    for frame in frames {
        let name = frame.function().unwrap_or_default().trim_start_matches('<');
        if is_of_threads(name, frame.file()) {
            return true;
        }
        let is_named_std = ["alloc::", "core::", "std::"].iter().any(|std| name.starts_with(std));
        match frame.parts.owner {
            Owner::Std => {}
            Owner::Unknown if is_named_std => {}
            // Without debug information one does not see calls of std that were inlined.
            _ => return frame.line().is_none(),
        }
    }
    true
}

/// An inlined function may come without its path, but not without its file.
fn is_of_threads(name: &str, file: Option<&str>) -> bool {
    let is_named = name.starts_with("std::thread::") && !name.starts_with("std::thread::local::");
    let is_there = |file: &str| {
        file.contains("/std/src/thread/") && !file.ends_with("/std/src/thread/local.rs")
    };
    is_named || file.is_some_and(is_there)
}

/// Whether code starts threads: then there are sites where that is allocated for.
pub(crate) fn starts_threads(data: &SiteData) -> bool {
    let starts = data.chains.list.map(&mut starts_thread);
    data.sites.iter().filter(|site| data.has_any(site, &starts)).any(|site| {
        // Only what the user's line called. Further out are the callers of the user's code.
        let mut called = data.frames(site).into_iter().take_while(|frame| !frame.is_user());
        called.any(starts_thread)
    })
}

/// All of std's ways to start a thread lead through one function. The new thread runs in a closure
/// of that function, and is no start of one.
fn starts_thread(frame: &Frame) -> bool {
    let is_way = frame.parts.name.starts_with("spawn_unchecked") && !frame.parts.is_closure;
    is_way && frame.parts.owner == Owner::Std
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{counts, site_below, Program};
    use super::starts_threads;

    /// Of a block at these frames, innermost first, below a line of the user's that has a number
    /// if `has_lines`.
    fn may_be(frames: &str, has_lines: bool) -> bool {
        let user = if has_lines { "p::f @ /p/src/main.rs:2" } else { "p::f" };
        super::may_be(&site_below(frames, user).frames.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_starts_a_thread_is_freed_at_its_end_and_what_the_user_allocates_is_not() {
        let arc = "alloc::sync::Arc<T>::new @ /rustc/5/library/alloc/src/sync.rs:1\n";
        let spawn = "std::thread::Builder::spawn @ /rustc/5/library/std/src/thread/mod.rs:1\n";
        let inlined = "spawn_unchecked @ /rustc/5/library/std/src/thread/lifecycle.rs:1\n";
        let with = "std::thread::local::LocalKey<T>::with @ \
                    /rustc/5/library/std/src/thread/local.rs:1\n";
        for start in [spawn, inlined, "<std::thread::Builder>::spawn_unchecked\n"] {
            assert!(may_be(&format!("{arc}{start}"), true), "{start}");
            assert!(may_be(&format!("{arc}{start}"), false), "{start}");
        }
        let mine = format!("{arc}2 p::inner @ /p/src/main.rs:5\n{spawn}");
        let precompiled = "<alloc::raw_vec::RawVecInner>::try_allocate_in\n";
        for others in ["", arc, with, precompiled, &mine] {
            assert!(!may_be(others, true), "{others}");
        }
        assert!(may_be(arc, false), "it may have been inlined");
    }

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
            assert_eq!(starts_threads(&program.data()), expected, "{inner} {outer}");
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
