//! Cold: what the user can do about a site, as far as its frames tell: reserve the capacity of what
//! grows, or use once beforehand what is only made once.

use super::code::Owner;
use super::frame::Frame;

/// Functions that make a collection or a text of the caller's grow: the caller can reserve its
/// capacity. Nobody can reserve it within `format!` or `Path::join`.
const GROWING: [&str; 33] = [
    "add_assign",
    "append",
    "collect",
    "entry",
    "extend",
    "extend_from_slice",
    "extend_from_within",
    "from_iter",
    "insert",
    "insert_str",
    "push",
    "push_back",
    "push_front",
    "push_str",
    "read_line",
    "read_to_end",
    "read_to_string",
    "read_until",
    "replace_range",
    "reserve",
    "reserve_exact",
    "resize",
    "resize_with",
    "rustc_entry",
    "splice",
    "try_reserve",
    "try_reserve_exact",
    "write",
    "write_all",
    "write_char",
    "write_fmt",
    "write_str",
    "extend_one",
];

/// Whether the capacity of what grows here can be reserved at the user's line, that of the
/// innermost of the user's frames.
pub(crate) fn can_reserve(frames: &[&Frame]) -> bool {
    let Some(leading) = frames.iter().position(|frame| frame.is_user()) else { return false };
    let Some(called) = leading.checked_sub(1).map(|called| &frames[called]) else { return false };
    let name = called.parts.name.as_str();
    // A `Display` writes to a text that is not its own.
    let is_of_formatter = frames[leading].parts.name == "fmt" && name.starts_with("write");
    called.parts.owner == Owner::Std && GROWING.contains(&name) && !is_of_formatter
}

/// Whether a hash table grows here. It is not reallocated, but made anew.
pub(crate) fn is_table_growth(frames: &[&Frame]) -> bool {
    let mut inner = frames.iter().take_while(|frame| !frame.is_user());
    inner.any(|frame| frame.parts.name == "reserve_rehash")
}

/// Whether what is called by this frame is made once, by a `OnceLock` or a thread-local, say, that
/// is set up at its first use. The next run does not make it again.
///
/// It goes by the files, not by the names: a name may have such a type among its generic arguments.
pub(crate) fn is_first_use(frame: &Frame) -> bool {
    let file = frame.file().unwrap_or_default();
    match frame.parts.owner {
        Owner::Std => {
            let locks = ["/std/src/sync/once_lock.rs", "/std/src/sync/lazy_lock.rs", "/once.rs"];
            let is_set_up = frame.parts.name.contains("init");
            locks.iter().any(|lock| file.ends_with(lock))
                || file.contains("/thread_local/") && is_set_up
        }
        Owner::Dependency => file.contains("/once_cell-"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::site_below;
    use super::{can_reserve, is_first_use, is_table_growth};
    use crate::call_sites::Frame;

    /// Asks `what` of a site in a line of the user's that calls these, the outermost last.
    fn of(what: fn(&[&Frame]) -> bool, called: &[&str]) -> bool {
        let site = site_below(&called.join("\n"), "p::f @ /p/src/main.rs:2");
        what(&site.frames.iter().collect::<Vec<_>>())
    }

    const GROW: &str =
        "alloc::raw_vec::RawVec<T,A>::grow_one @ /rustc/5/library/alloc/src/raw_vec/mod.rs:1";
    const PUSH: &str = "alloc::vec::Vec<T,A>::push @ /rustc/5/library/alloc/src/vec/mod.rs:1";

    #[test]
    fn the_line_that_calls_a_collection_can_reserve() {
        let check =
            |called: &[&str], expected| assert_eq!(of(can_reserve, called), expected, "{called:?}");
        check(&[GROW, PUSH], true);
        check(&[GROW, "push<u8> @ /rustc/5/library/alloc/src/vec/mod.rs:1"], true);
        let insert = "std::collections::HashMap<K,V>::insert @ \
                      /rustc/5/library/std/src/collections/hash/map.rs:1";
        check(&[insert], true);
        check(&[GROW, PUSH, "alloc::fmt::format @ /rustc/5/library/alloc/src/fmt.rs:1"], false);
        check(&[GROW, PUSH, "std::path::Path::join @ /rustc/5/library/std/src/path.rs:1"], false);
        check(&[GROW, PUSH, "x::parse @ /c/registry/src/i/x-1.0.0/src/lib.rs:1"], false);
        check(&["x::push @ /c/registry/src/i/x-1.0.0/src/lib.rs:1"], false);
        check(&[], false);
        let write = "write_fmt @ /rustc/5/library/core/src/fmt/mod.rs:1";
        check(&[GROW, write], true);
        check(&[GROW, write, "<p::S as core::fmt::Display>::fmt @ /p/src/main.rs:3", write], false);
    }

    #[test]
    fn a_table_grows_where_it_is_hashed_anew() {
        let rehash = "hashbrown::raw::RawTable<T,A>::reserve_rehash @ \
                      /rust/deps/hashbrown-0.14.5/src/raw/mod.rs:1";
        assert!(of(is_table_growth, &[rehash]));
        assert!(!of(is_table_growth, &[GROW, PUSH]));
    }

    #[test]
    fn what_is_set_up_at_first_use_is_known_by_its_file() {
        let check = |function: &str, file: &str, expected| {
            let called = format!("{function} @ {file}:1");
            let is_set_up = |frames: &[&Frame]| frames.iter().any(|frame| is_first_use(frame));
            assert_eq!(of(is_set_up, &[&called]), expected, "{called}");
        };
        let std = |file: &str| format!("/rustc/5/library/std/src/{file}");
        check("initialize<T>", &std("sync/once_lock.rs"), true);
        check("std::sync::lazy_lock::LazyLock<T>::force", &std("sync/lazy_lock.rs"), true);
        check("std::sync::once::Once::call_once", &std("sync/poison/once.rs"), true);
        check("get_or_init_slow<T>", &std("sys/thread_local/native/lazy.rs"), true);
        check("try_initialize<T>", &std("sys/common/thread_local/fast_local.rs"), true);
        let once_cell = "/c/registry/src/i/once_cell-1.0.0/src/imp.rs";
        check("once_cell::imp::OnceCell<T>::initialize", once_cell, true);
        check("with<T>", &std("thread/local.rs"), false);
        check("{closure}", &std("sys/thread_local/native/mod.rs"), false);
        let vec = "/rustc/5/library/alloc/src/vec/mod.rs";
        check("alloc::vec::Vec<std::sync::OnceLock<T>>::push", vec, false);
    }
}
