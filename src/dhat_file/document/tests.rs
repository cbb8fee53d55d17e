//! Cold: tests of DHAT files, on made-up profiles.

use super::{text_of, Process};
use crate::blocks::PointNumbers;
use crate::counters::Blocks;
use crate::reading::{DhatKind, DhatProfile};
use crate::stacks::{made_up_stack, Stack};
use crate::symbolize::{Place, Symbol};

fn symbol(function: &str, place: &str) -> Symbol {
    let mut parts = place.split(':');
    let file = parts.next().filter(|file| !file.is_empty()).map(str::to_owned);
    let mut number = || parts.next().map(|number| number.parse().expect("a number"));
    let line = number();
    Symbol {
        function: Some(function.to_owned()),
        file: file.map(Into::into),
        line,
        column: number(),
    }
}

/// What is at the addresses of these tests, innermost function first.
fn place(address: usize) -> Place {
    let known = |symbols: &[(&str, &str)]| {
        Place::Known(symbols.iter().map(|(function, place)| symbol(function, place)).collect())
    };
    match address {
        0x1 => known(&[("main", "")]),
        0x2 => {
            known(&[("core::ops::FnOnce::call_once::h0123456789abcdef", "/r/core/src/ops.rs:7:5")])
        }
        // The opening: `main` calls the library.
        0x10 => known(&[("app::main::h0123456789abcdef", "/p/app/src/main.rs:3:5")]),
        0x11 => known(&[(
            "mod_alloc::dhat::profiler::Profiler::new_heap",
            "/m/src/dhat/profiler.rs:1:1",
        )]),
        // The same `main`, later.
        0x20 => known(&[
            ("app[1f]::inlined", "/p/app/src/a.rs:5:9"),
            ("app[1f]::main", "/p/app/src/main.rs:4:5"),
        ]),
        0x21 => known(&[("app::main", "/p/app/src/main.rs:5:5")]),
        0x30 => known(&[
            (
                "<alloc::alloc::Global as core::alloc::Allocator>::allocate",
                "/r/alloc/src/alloc.rs:1:1",
            ),
            ("alloc::vec::Vec<T,A>::push", "/r/alloc/src/vec/mod.rs:2:2"),
        ]),
        0x31 => known(&[("alloc::alloc::alloc", "/r/alloc/src/alloc.rs:3:3")]),
        0x32 => known(&[("__rustc[9]::__rust_alloc", "/p/app/src/main.rs:1:1")]),
        0x33 => known(&[("__rustc[9]::__rust_realloc", "/p/app/src/main.rs:1:1")]),
        0x40 => Place::Unknown { module: "lib\"x\".so".to_owned(), offset: 0x40 },
        _ => Place::Unknown { module: String::new(), offset: address },
    }
}

fn text(profile: &DhatProfile) -> String {
    let process = Process { command: "target/debug/app \"a b\"".to_owned(), id: 42 };
    text_of(profile, &process, |addresses| addresses.iter().copied().map(place).collect())
}

fn blocks(blocks: u64, bytes: u64) -> Blocks {
    Blocks { blocks, bytes }
}

fn numbers(count: u64, bytes: u64) -> PointNumbers {
    PointNumbers {
        total: blocks(count, bytes),
        live: blocks(1, 2),
        max: blocks(3, 4),
        at_peak: blocks(5, 6),
        lifetimes: 7_999,
    }
}

fn profile(kind: DhatKind, points: &[(Option<&'static Stack>, PointNumbers)]) -> DhatProfile {
    DhatProfile {
        kind,
        points: points.to_vec(),
        openings: vec![made_up_stack(&[0x1, 0x2, 0x10, 0x11])],
        is_trimmed: true,
        peak_at: 2_500,
        end: 1_000_999,
    }
}

#[test]
fn a_heap_profile_has_all_that_the_format_has() {
    let points = [
        // An allocation and a reallocation that read the same once they are trimmed.
        (Some(made_up_stack(&[0x1, 0x2, 0x20, 0x30, 0x31, 0x32])), numbers(1, 100)),
        (Some(made_up_stack(&[0x1, 0x2, 0x20, 0x30, 0x33])), numbers(2, 200)),
        // Of another thread, through a library without symbols, from code that no file has.
        (Some(made_up_stack(&[0x50, 0x40, 0x32])), numbers(1, 1_000)),
        (None, numbers(9, 9)),
    ];
    let expected = r#"{"dhatFileVersion":2
,"mode":"rust-heap"
,"verb":"Allocated"
,"bklt":true,"bkacc":false
,"tu":"µs","Mtu":"s","tuth":10
,"cmd":"target/debug/app \"a b\""
,"pid":42
,"tg":2,"te":1000
,"pps":
 [{"tb":1000,"tbk":1,"tl":7,"mb":4,"mbk":3,"gb":6,"gbk":5,"eb":2,"ebk":1,"fs":[1,2,3]}
 ,{"tb":300,"tbk":3,"tl":15,"mb":8,"mbk":6,"gb":12,"gbk":10,"eb":4,"ebk":2,"fs":[4,5,6,7]}
 ,{"tb":9,"tbk":9,"tl":7,"mb":4,"mbk":3,"gb":6,"gbk":5,"eb":2,"ebk":1,"fs":[8]}
 ]
,"ftbl":
 ["[root]"
 ,"0x32: __rustc::__rust_alloc (app/src/main.rs:1:1)"
 ,"0x40: ??? (in lib\"x\".so)"
 ,"0x50: ???"
 ,"0x30: <alloc::alloc::Global as core::alloc::Allocator>::allocate (alloc/src/alloc.rs:1:1)"
 ,"0x30: alloc::vec::Vec<T,A>::push (src/vec/mod.rs:2:2)"
 ,"0x20: app::inlined (app/src/a.rs:5:9)"
 ,"0x20: app::main (app/src/main.rs:4:5)"
 ,"[not attributed]"
 ]
}
"#;
    let expected = expected.replace("lib\"x\"", "lib\\\"x\\\"");
    assert_eq!(text(&profile(DhatKind::Heap, &points)), expected);
}

/// A stack loses what it shares with the opening at its outer end, and nothing further in.
#[test]
fn what_lies_above_the_opening_is_not_shown() {
    let shown = |stack: &'static Stack| {
        let points = [(Some(stack), numbers(1, 1))];
        // The profiler was built below a call of `inlined`.
        let openings = vec![made_up_stack(&[0x1, 0x2, 0x20, 0x10, 0x11])];
        let text = text(&DhatProfile { openings, ..profile(DhatKind::Heap, &points) });
        let frames = text.split_once("[\"[root]\"").expect("frames").1.to_owned();
        ["main (???", "call_once", "inlined", "main.rs:4:5", "main.rs:5:5", "Vec<"]
            .map(|frame| frames.contains(frame))
    };
    let [yes, no] = [true, false];
    let recursive = made_up_stack(&[0x1, 0x2, 0x21, 0x20, 0x30]);
    assert_eq!(shown(recursive), [no, no, yes, yes, yes, yes]);
    let below = made_up_stack(&[0x1, 0x2, 0x20, 0x21, 0x30]);
    assert_eq!(shown(below), [no, no, no, no, yes, yes]);
    let cut = below.innermost(4).expect("memory");
    assert_eq!(shown(cut), [no, no, no, no, yes, yes]);
    let of_another_thread = made_up_stack(&[0x2, 0x20, 0x21, 0x30]);
    assert_eq!(shown(of_another_thread), [no, no, no, no, yes, yes]);
    let of_no_thread_like_it = made_up_stack(&[0x40, 0x21, 0x30]);
    assert_eq!(shown(of_no_thread_like_it), [no, no, no, no, yes, yes]);
}

#[test]
fn without_trimming_all_frames_are_shown() {
    let points = [(Some(made_up_stack(&[0x1, 0x2, 0x21, 0x31, 0x32])), numbers(1, 1))];
    let text = text(&DhatProfile { is_trimmed: false, ..profile(DhatKind::Heap, &points) });
    assert!(text.contains("\"fs\":[1,2,3,4,5]"), "{text}");
    assert!(
        text.contains(",\"0x2: core::ops::FnOnce::call_once (core/src/ops.rs:7:5)\""),
        "{text}"
    );
    assert!(text.contains(",\"0x1: main (???:0:0)\""), "{text}");
}

#[test]
fn allocations_alone_have_no_lifetimes() {
    let points = [(Some(made_up_stack(&[0x1, 0x2, 0x21, 0x31])), numbers(2, 30))];
    let text = text(&profile(DhatKind::Allocations, &points));
    let (head, rest) = text.split_once(",\"pps\":\n").expect("points");
    assert!(head.contains("\"mode\":\"rust-heap\"") && head.contains("\"bklt\":false"), "{head}");
    assert!(!head.contains("\"tg\"") && !head.contains("tuth") && head.contains("\"te\":1000"));
    assert!(rest.starts_with(" [{\"tb\":30,\"tbk\":2,\"fs\":[1,2]}\n ]\n"), "{rest}");
}

#[test]
fn events_have_units() {
    let points = [(Some(made_up_stack(&[0x1, 0x2, 0x21])), numbers(2, 30))];
    let text = text(&profile(DhatKind::AdHoc, &points));
    let expected =
        ",\"bklt\":false,\"bkacc\":false\n,\"bu\":\"unit\",\"bsu\":\"units\",\"bksu\":\"events\"\n";
    assert!(text.contains("\"mode\":\"rust-ad-hoc\"") && text.contains(expected), "{text}");
    assert!(text.contains("[{\"tb\":30,\"tbk\":2,\"fs\":[1]}\n"), "{text}");
}

#[test]
fn a_profile_of_nothing_is_a_file_too() {
    let text = text(&profile(DhatKind::Heap, &[]));
    assert!(text.ends_with(",\"pps\":\n [\n ]\n,\"ftbl\":\n [\"[root]\"\n ]\n}\n"), "{text}");
}
