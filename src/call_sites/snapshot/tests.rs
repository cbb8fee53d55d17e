//! Cold: tests of `snapshot`.

use super::super::fixture::{counts, Program};
use super::text;
use crate::walk::Stop;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `tests/t.rs` opens the scope and calls `src/p.rs`: as four builds of the same code show it.
const DEBUG_LEGACY: Program<'_> = Program {
    places: "
        1 t::parses::{{closure}}::h0123456789abcdef @ /users/u/p/tests/t.rs:10:1
        2 t::parses::h0123456789abcdef @ /users/u/p/tests/t.rs:12:5
        3 mod_alloc::scope::AllocScope::with_call_sites @ /m/src/scope/mod.rs:9
        4 t::parses::h0123456789abcdef @ /users/u/p/tests/t.rs:13:9
        5 p::parse::h0123456789abcdef @ /users/u/p/src/p.rs:30:9
        6 p::tokens::hfedcba9876543210 @ /users/u/p/src/p.rs:40:9
        7 core::iter::Iterator::map::h0123456789abcdef @ /rustc/5/library/core/src/iter.rs:9
        8 p::tokens::{{closure}}::h0123456789abcdef @ /users/u/p/src/p.rs:41:9
        9 <p::M as p::T>::go::h0123456789abcdef @ /users/u/p/src/p.rs:50:9
        10 core::ptr::drop_in_place<p::M>::h0123456789abcdef @ /users/u/p/src/p.rs:5
        11 <p::M as core::ops::drop::Drop>::drop::h0123456789abcdef @ /users/u/p/src/p.rs:60
        12 serde_json::from_str @ /users/u/.cargo/registry/src/i/serde_json-1.0.0/src/de.rs:9
        13 __rust_alloc
    ",
    location: "tests/t.rs",
    openings: &[&[1, 2, 3]],
    stacks: &[
        (&[1, 4, 5, 6, 7, 8, 13], counts(9, 0, 9)),
        (&[1, 4, 5, 5, 5, 6, 13], counts(1, 2, 672)),
        (&[1, 4, 5, 12, 9, 13], counts(1, 0, 1)),
        (&[1, 4, 9, 13], counts(2, 0, 2)),
        (&[1, 4, 10, 11, 13], counts(0, 2, 1)),
        (&[1, 4, 13], counts(1_000, 0, 1)),
    ],
    ..Program::NONE
};

const DEBUG_V0: Program<'_> = Program {
    places: "
        1 t[0a1b]::parses::{closure#0} @ /elsewhere/tests/t.rs:10:1
        2 t[0a1b]::parses @ /elsewhere/tests/t.rs:12:5
        3 <mod_alloc[1c]::scope::AllocScope>::with_call_sites @ /m/src/scope/mod.rs:9
        4 t[0a1b]::parses @ /elsewhere/tests/t.rs:13:9
        5 p[0a1c]::parse::<&alloc[5c]::string::String> @ /elsewhere/src/p.rs:30:9
        6 p[0a1c]::tokens::<[u8; 4]> @ /elsewhere/src/p.rs:40:9
        7 <core[2]::Map<p[0a1c]::tokens::{closure#0}>>::next @ /rustc/6/library/core/src/iter.rs:9
        8 p[0a1c]::tokens::<[u8; 4]>::{closure#0} @ /elsewhere/src/p.rs:41:9
        9 <p[0a1c]::M as p[0a1c]::T>::go @ /elsewhere/src/p.rs:50:9
        10 core[2]::ptr::drop_in_place::<p[0a1c]::M> @ /elsewhere/src/p.rs:5
        11 <p[0a1c]::M as core[2]::ops::drop::Drop>::drop @ /elsewhere/src/p.rs:60
        12 serde_json[3]::from_str @ /elsewhere/vendor/serde_json/src/de.rs:9
        13 __rustc[4]::__rust_alloc
    ",
    ..DEBUG_LEGACY
};

/// Everything is inlined, without paths: closures have their names from the source.
const RELEASE: Program<'_> = Program {
    places: "
        1 start
        2 new @ MANIFEST/src/scope/mod.rs:9
        2 with_call_sites @ MANIFEST/src/scope/mod.rs:9
        2 parses @ SOURCES/tests/t.rs:12:5
        2 {closure#0} @ SOURCES/tests/t.rs:10:1
        3 {closure#0} @ SOURCES/src/p.rs:41:9
        3 map<fn()> @ /rustc/5/library/core/src/iter.rs:9
        3 tokens<[u8; 4]> @ SOURCES/src/p.rs:40:9
        3 parse<&alloc::string::String> @ SOURCES/src/p.rs:30:9
        3 parses @ SOURCES/tests/t.rs:13:9
        3 {closure#0} @ SOURCES/tests/t.rs:10:1
        4 tokens<[u8; 4]> @ SOURCES/src/p.rs:40:9
        4 parse<&alloc::string::String> @ SOURCES/src/p.rs:30:9
        4 parse<&alloc::string::String> @ SOURCES/src/p.rs:31:9
        4 parses @ SOURCES/tests/t.rs:13:9
        4 {closure#0} @ SOURCES/tests/t.rs:10:1
        5 go @ SOURCES/src/p.rs:50:9
        5 from_str @ /users/u/.cargo/registry/src/i/serde_json-1.0.0/src/de.rs:9
        5 parse<&alloc::string::String> @ SOURCES/src/p.rs:30:9
        5 parses @ SOURCES/tests/t.rs:13:9
        5 {closure#0} @ SOURCES/tests/t.rs:10:1
        6 go @ SOURCES/src/p.rs:50:9
        6 parses @ SOURCES/tests/t.rs:13:9
        6 {closure#0} @ SOURCES/tests/t.rs:10:1
        7 drop @ SOURCES/src/p.rs:60
        7 drop_in_place<p::M> @ /rustc/5/library/core/src/ptr/mod.rs:5
        7 parses @ SOURCES/tests/t.rs:13:9
        7 {closure#0} @ SOURCES/tests/t.rs:10:1
        8 parses @ SOURCES/tests/t.rs:13:9
        8 {closure#0} @ SOURCES/tests/t.rs:10:1
        13 __rust_alloc
    ",
    location: "tests/t.rs",
    openings: &[&[1, 2]],
    stacks: &[
        (&[1, 8, 13], counts(1_000, 0, 1)),
        (&[1, 7, 13], counts(1, 1, 1)),
        (&[1, 6, 13], counts(2, 0, 2)),
        (&[1, 5, 13], counts(1, 0, 1)),
        (&[1, 4, 13], counts(1, 2, 672)),
        (&[1, 3, 13], counts(9, 0, 9)),
    ],
    ..Program::NONE
};

/// A folder of source files, that places may name `SOURCES`.
struct Folder(std::path::PathBuf);

impl Folder {
    /// `files` are paths and texts; the texts begin at the line that comes with them.
    fn new(files: &[(&str, usize, &str)]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mod-alloc-sources-{}-{number}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        for (path, line, text) in files {
            let path = folder.0.join(path);
            let parent = path.parent().expect("it has one");
            std::fs::create_dir_all(parent).expect("a folder to write to");
            let text = format!("{}{text}\n", "\n".repeat(line - 1));
            std::fs::write(path, text).expect("a folder to write to");
        }
        folder
    }

    fn text(&self, program: Program<'_>) -> Result<String, String> {
        let folder = self.0.to_str().expect("a plain path");
        let places = &program.places.replace("SOURCES", folder);
        text(&Program { places, ..program }.data())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // Of a failing test it may stay.
    }
}

#[test]
fn all_builds_of_the_same_code_give_the_same_text() {
    let expected = "\
1,017 allocations at 5 sites
1,000  tests/t.rs parses
   12  src/p.rs tokens < src/p.rs parse < tests/t.rs parses
    2  src/p.rs drop < tests/t.rs parses
    2  src/p.rs go < tests/t.rs parses
    1  src/p.rs go < src/p.rs parse < tests/t.rs parses
";
    for program in [DEBUG_LEGACY, DEBUG_V0] {
        assert_eq!(text(&program.data()).as_deref(), Ok(expected));
    }
    let sources = [
        ("tests/t.rs", 9, "fn parses()\n{ || (); }"),
        ("src/p.rs", 40, "fn tokens() {\n        || ()\n}"),
    ];
    assert_eq!(Folder::new(&sources).text(RELEASE).as_deref(), Ok(expected));
}

#[test]
fn without_a_name_in_the_build_or_in_the_source_there_is_no_text() {
    let refusal = Folder::new(&[]).text(RELEASE).expect_err("names are missing");
    assert!(refusal.contains("src/p.rs, can't be read. Set `debug = true`"), "{refusal}");
}

#[test]
fn a_closure_that_another_function_of_its_file_calls_keeps_its_name_where_it_is_known() {
    let of_macros = Folder::new(&[("src/p.rs", 9, ""), ("src/other.rs", 9, "")]);
    let check = |closure: &str, file: &str, expected: &str| {
        let places = &format!(
            "1 p::opener @ SOURCES/src/p.rs:1\n2 p::opener @ SOURCES/src/p.rs:2\n\
             3 p::helper @ SOURCES/src/p.rs:3\n4 {closure} @ SOURCES/src/{file}:4\n\
             5 p::opener @ SOURCES/src/p.rs:5"
        );
        let stacks = &[(&[2, 3, 4][..], counts(1, 0, 1))];
        let program =
            Program { places, location: "src/p.rs", openings: &[&[1]], stacks, ..Program::NONE };
        let text = of_macros.text(program).expect("a text");
        assert_eq!(text, format!("1 allocation at 1 site\n   1  {expected}\n"));
    };
    let rest = "src/p.rs helper < src/p.rs opener";
    check("p::opener::{closure#0}", "p.rs", &format!("src/p.rs opener < {rest}"));
    check("{closure#0}", "p.rs", rest);
    check("{closure#0}", "other.rs", &format!("src/other.rs helper < {rest}"));
    let initialiser = format!("src/other.rs thread_local! < {rest}");
    check("p::LOCAL::__init", "other.rs", &initialiser);
    check("__rust_std_internal_init_fn", "other.rs", &initialiser);
}

#[test]
fn a_closure_that_another_file_calls_belongs_to_its_own() {
    let places = "1 p::opener @ SOURCES/src/p.rs:1\n2 p::opener @ SOURCES/src/p.rs:2\n\
                  3 p::helper @ SOURCES/src/other.rs:3\n4 {closure#0} @ SOURCES/src/p.rs:4";
    let stacks = &[(&[2, 3, 4][..], counts(1, 0, 1))];
    let program =
        Program { places, location: "src/p.rs", openings: &[&[1]], stacks, ..Program::NONE };
    let of_macros = Folder::new(&[("src/p.rs", 9, "")]);
    let text = of_macros.text(program).expect("a text");
    assert!(text.ends_with("  src/p.rs opener < src/other.rs helper < src/p.rs opener\n"));
}

#[test]
fn recursion_shows_once() {
    let places = "
        1 t::main @ /p/t.rs:1
        2 t::main @ /p/t.rs:2
        3 t::expr @ /p/t.rs:3
        4 t::expr @ /p/t.rs:4
        5 t::factor @ /p/t.rs:5
        6 t::factor::{{closure}} @ /p/t.rs:6
        7 t::main::{{closure}} @ /p/t.rs:7
    ";
    let stacks: &[&[usize]] =
        &[&[2, 4], &[2, 3, 5, 4], &[2, 3, 5, 3, 5, 4], &[2, 3, 5], &[2, 3, 5, 6, 3, 5], &[2, 3, 7]];
    let stacks: Vec<_> = stacks.iter().map(|stack| (*stack, counts(1, 0, 1))).collect();
    let program =
        Program { places, location: "t.rs", openings: &[&[1]], stacks: &stacks, ..Program::NONE };
    let expected = "6 allocations at 3 sites\n   3  t.rs expr < t.rs main\n   \
                    2  t.rs factor < t.rs expr < t.rs main\n   \
                    1  t.rs main < t.rs expr < t.rs main\n";
    assert_eq!(text(&program.data()).as_deref(), Ok(expected));
}

#[test]
fn sites_outside_of_the_users_code_are_one() {
    let program = Program {
        places: "
            1 t::main @ /p/src/main.rs:1
            2 std::thread::start @ /rustc/5/library/std/src/thread/mod.rs:2
            3 x::run @ /c/registry/src/i/x-1.0.0/src/lib.rs:1
            4 ?libc.so.6+16
        ",
        location: "src/main.rs",
        openings: &[&[1]],
        stacks: &[(&[2], counts(1, 0, 1)), (&[2, 3], counts(2, 0, 1)), (&[4], counts(3, 0, 1))],
        ..Program::NONE
    };
    let expected = "6 allocations at 1 site\n   6  (outside of the user's code)\n";
    assert_eq!(text(&program.data()).as_deref(), Ok(expected));
}

#[test]
fn what_is_missing_is_said() {
    let program = Program {
        places: "1 t::main @ /p/src/main.rs:1\n2 t::deep @ /p/src/main.rs:2",
        location: "src/main.rs",
        openings: &[&[1]],
        stacks: &[(&[2], counts(1, 0, 1))],
        stop: Stop::TooDeep,
        unattributed: counts(10_000, 1, 5),
        ..Program::NONE
    };
    let expected = "10,002 allocations at 1 site\n     1  src/main.rs deep < ..\n\
                    10,001  (not attributed: no room for more stacks)\n";
    assert_eq!(text(&program.data()).as_deref(), Ok(expected));
}

#[test]
fn nothing_is_also_a_text() {
    assert_eq!(text(&Program::NONE.data()).as_deref(), Ok("0 allocations at 0 sites\n"));
}

#[test]
fn what_could_not_be_compared_is_refused_with_the_remedy() {
    let check = |program: Program<'_>, remedy: &str| {
        let refusal = text(&program.data()).expect_err("nothing to compare");
        assert!(refusal.contains(remedy), "{refusal}");
    };
    let places = "1 t::main\n2 t::main\n3 alloc::f @ /rustc/5/library/alloc/src/lib.rs:1";
    let stacks = &[(&[2, 3][..], counts(1, 0, 1))];
    let stripped = Program { places, openings: &[&[1]], stacks, ..Program::NONE };
    check(stripped, "`debug = \"line-tables-only\"`");
    check(Program { unavailable: Some("of the moon"), ..DEBUG_LEGACY }, "of the moon");
}
