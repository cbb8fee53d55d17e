//! Cold: tests of how call sites are made of a recording.

use super::super::fixture::{counts, Program};
use super::super::frame::leading;
use super::super::frame::Frame;
use super::super::site::Site;
use crate::stacks::{Growth, SiteCounts};
use crate::walk::Stop;

/// The frames of each site, innermost first.
fn chains(program: &Program<'_>) -> Vec<Vec<String>> {
    let frames = |site: &Site| site.frames.iter().map(ToString::to_string).collect();
    program.data().listed().iter().map(frames).collect()
}

const HARNESS: Program<'_> = Program {
    places: "
        1 core::ops::function::FnOnce::call_once @ /rustc/5/library/core/src/ops/function.rs:250
        2 t::parses::{{closure}}::h0123456789abcdef @ /p/tests/t.rs:10:1
        3 t::parses::h0123456789abcdef @ /p/tests/t.rs:12:5
        4 mod_alloc::scope::AllocScope::with_call_sites::h0123456789abcdef @ /m/src/scope/mod.rs:9
        5 t::parses::h0123456789abcdef @ /p/tests/t.rs:13:9
        6 t::parse::h0123456789abcdef @ /p/tests/t.rs:30:9
        7 alloc::vec::Vec<T>::push::h0123456789abcdef @ /rustc/5/library/alloc/src/vec/mod.rs:9
        8 __rust_alloc
        9 <mod_alloc::ModAlloc as core::alloc::GlobalAlloc>::alloc @ /m/src/allocator.rs:3
    ",
    location: "tests/t.rs",
    openings: &[&[1, 2, 3, 4]],
    ..Program::NONE
};

/// In an optimised build one address is in several functions, some without their paths.
const INLINED: Program<'_> = Program {
    places: "
        1 core::ops::function::FnOnce::call_once @ /rustc/5/library/core/src/ops/function.rs:250
        2 with_call_sites @ MANIFEST/src/scope/mod.rs:9
        2 parses @ /p/tests/t.rs:12:5
        2 {closure#0} @ /p/tests/t.rs:10:1
        2 call_once<t::parses::{closure_env#0}> @ /rustc/5/library/core/src/ops/function.rs:250
        3 push<u8> @ /rustc/5/library/alloc/src/vec/mod.rs:9
        3 parse @ /p/tests/t.rs:30:9
        3 parses @ /p/tests/t.rs:13:9
        3 {closure#0} @ /p/tests/t.rs:10:1
        3 call_once<t::parses::{closure_env#0}> @ /rustc/5/library/core/src/ops/function.rs:250
        4 alloc @ MANIFEST/src/allocator.rs:3
        4 finish_grow @ /rustc/5/library/alloc/src/raw_vec.rs:5
        5 push<u8> @ /rustc/5/library/alloc/src/vec/mod.rs:9
        5 {closure#1} @ /p/tests/t.rs:12:30
        5 check<t::parses::{closure_env#1}> @ MANIFEST/src/budget/mod.rs:80
        5 parses @ /p/tests/t.rs:12:5
        5 {closure#0} @ /p/tests/t.rs:10:1
        5 call_once<t::parses::{closure_env#0}> @ /rustc/5/library/core/src/ops/function.rs:250
    ",
    location: "tests/t.rs",
    openings: &[&[1, 2]],
    ..Program::NONE
};

#[test]
fn what_is_above_the_opener_and_below_the_allocation_is_left_out() {
    let stacks = &[(&[1, 2, 5, 6, 7, 8, 9][..], counts(1, 0, 8))];
    let expected = [
        "alloc::vec::Vec<T>::push at /rustc/5/library/alloc/src/vec/mod.rs:9",
        "t::parse at tests/t.rs:30:9",
        "t::parses at tests/t.rs:13:9",
    ];
    assert_eq!(chains(&Program { stacks, ..HARNESS }), [expected]);
}

#[test]
fn what_is_left_out_is_the_same_where_the_opener_tells_at_the_end_of_the_scope() {
    // On the line of an allocation, where only the opener tells how far to cut.
    const DROPS: &str = "
        19 t::parses::h0123456789abcdef @ /p/tests/t.rs:13:9
        20 core::ptr::drop_in_place<mod_alloc::budget::enforce::Guard>::h0123456789abcdef
        21 <mod_alloc::budget::enforce::Guard as core::ops::drop::Drop>::drop::h0123456789abcdef
        22 drop @ MANIFEST/src/budget/enforce.rs:90
        22 drop_in_place<mod_alloc::budget::enforce::Guard> @ /rustc/5/library/core/src/ptr/mod.rs:8
        22 parses @ /p/tests/t.rs:13:9
        22 {closure#0} @ /p/tests/t.rs:10:1
        22 call_once<t::parses::{closure_env#0}> @ /rustc/5/library/core/src/ops/function.rs:250
    ";
    let check = |program: Program<'_>, end: &[usize], stack: &[usize]| {
        let stacks = &[(stack, counts(1, 0, 8))];
        let at_start = chains(&Program { stacks, ..program });
        let places = format!("{}{DROPS}", program.places);
        let openings = &[end];
        let at_end = chains(&Program { places: &places, openings, stacks, ..program });
        assert_eq!(at_end, at_start);
    };
    check(HARNESS, &[1, 2, 19, 20, 21], &[1, 2, 5, 6, 7, 8, 9]);
    check(INLINED, &[1, 22], &[1, 3, 4]);
    check(INLINED, &[1, 22], &[1, 5, 4]);
}

#[test]
fn a_stack_that_is_the_opening_keeps_its_last_frame() {
    let check = |opening: &[usize], stack: &[usize], expected: &str| {
        let (openings, stacks) = (&[opening], &[(stack, counts(1, 0, 8))]);
        assert_eq!(chains(&Program { openings, stacks, ..HARNESS }), [[expected]]);
    };
    check(&[1, 2, 3], &[1, 2, 3], "t::parses at tests/t.rs:12:5");
    check(&[1, 2, 3, 4], &[1, 2, 3], "t::parses at tests/t.rs:12:5");
    check(&[1, 2, 3, 4], &[1, 2], "t::parses::{closure} at tests/t.rs:10:1");
}

#[test]
fn frames_above_the_opener_go_even_where_they_share_its_address() {
    let stacks = &[(&[1, 3, 4][..], counts(1, 0, 8))];
    let expected = [
        "finish_grow at /rustc/5/library/alloc/src/raw_vec.rs:5",
        "push<u8> at /rustc/5/library/alloc/src/vec/mod.rs:9",
        "parse at tests/t.rs:30:9",
        "parses at tests/t.rs:13:9",
    ];
    assert_eq!(chains(&Program { stacks, ..INLINED }), [expected]);
}

#[test]
fn the_opener_stays_where_the_library_calls_back() {
    let not_inlined = Program {
        places: "
            1 t::parses::{{closure}} @ /p/tests/t.rs:10:1
            2 t::parses @ /p/tests/t.rs:12:5
            3 mod_alloc::budget::Budget::check @ /m/src/budget/mod.rs:79
            4 mod_alloc::budget::Budget::check @ /m/src/budget/mod.rs:80
            5 t::parses::{{closure}} @ /p/tests/t.rs:12:30
        ",
        openings: &[&[1, 2, 3]],
        stacks: &[(&[1, 2, 4, 5], counts(1, 0, 8))],
        ..HARNESS
    };
    let inlined = Program { stacks: &[(&[1, 5], counts(1, 0, 8))], ..INLINED };
    for program in [inlined, not_inlined] {
        let data = program.data();
        let columns: Vec<_> = data.listed()[0].user_frames().map(|frame| frame.column()).collect();
        assert_eq!(columns, [Some(30), Some(5)]);
    }
}

const THREADS: Program<'_> = Program {
    places: "
        1 t::main @ /p/src/main.rs:1
        2 t::poll @ /p/src/main.rs:2
        3 t::again @ /p/src/main.rs:3
        4 t::future @ /p/src/main.rs:4
        5 t::future @ /p/src/main.rs:5
        6 t::deep @ /p/src/main.rs:6
        7 std::thread::start @ /rustc/5/library/std/src/thread/mod.rs:2
        8 t::main::{{closure}} @ /p/src/main.rs:3
    ",
    location: "src/main.rs",
    ..Program::NONE
};

#[test]
fn the_opening_that_a_stack_shares_most_with_decides() {
    let data = Program {
        openings: &[&[1, 2, 4], &[1, 3, 4]],
        stacks: &[(&[1, 2, 5], counts(2, 0, 8)), (&[1, 3, 5], counts(1, 0, 8))],
        ..THREADS
    }
    .data();
    assert_eq!(data.sites.len(), 1, "both read the same");
    assert_eq!((data.listed()[0].frames.len(), data.listed()[0].counts.events()), (1, 3));
}

#[test]
fn a_stack_too_deep_for_its_outer_end_is_laid_against_the_opening() {
    let opened = Program {
        stop: Stop::TooDeep,
        openings: &[&[1, 2, 4]],
        stacks: &[(&[2, 5, 6], counts(1, 0, 8))],
        ..THREADS
    };
    let expected = ["t::deep at src/main.rs:6", "t::future at src/main.rs:5"];
    assert_eq!(chains(&opened), [expected]);
    assert_eq!(opened.data().listed()[0].cut_off, None);

    let data = Program { stacks: &[(&[6, 6, 6], counts(1, 0, 8))], ..opened }.data();
    assert_eq!(data.listed()[0].cut_off, Some(Stop::TooDeep.reason()));
    assert_eq!(data.listed()[0].frames.len(), 3);
}

#[test]
fn another_thread_keeps_its_whole_stack() {
    let data =
        Program { openings: &[&[1]], stacks: &[(&[7, 8], counts(1, 0, 8))], ..THREADS }.data();
    assert_eq!((data.listed()[0].frames.len(), data.listed()[0].cut_off), (2, None));
}

const LINES: Program<'_> = Program {
    places: "
        1 t::main @ /p/src/main.rs:1:1
        2 t::main @ /p/src/main.rs:1:9
        3 t::main @ /p/src/main.rs:2
        4 t::main @ /p/src/main.rs:3
        5 t::main @ /p/src/main.rs:4
        6 t::f @ /p/src/main.rs:5:3
        7 t::f @ /p/src/main.rs:5:7
    ",
    location: "src/main.rs",
    ..Program::NONE
};

#[test]
fn sites_that_read_the_same_are_one_and_the_order_is_total() {
    let mut stacks = [
        (&[2, 6][..], counts(1, 1, 10)),
        (&[5], counts(1, 0, 7)),
        (&[1, 6], counts(0, 1, 10)),
        (&[3], counts(1, 0, 8)),
        (&[1, 7], counts(1, 0, 8)),
    ];
    for _ in 0..2 {
        stacks.reverse();
        let data = Program { stacks: &stacks, ..LINES }.data();
        let place = |frame: &Frame| (frame.line().unwrap_or(0), frame.column().unwrap_or(0));
        let numbers =
            |site: &Site| (place(&site.frames[0]), site.counts.events(), site.counts.bytes);
        let numbers: Vec<_> = data.listed().iter().map(numbers).collect();
        assert_eq!(numbers, [((5, 3), 3, 20), ((5, 7), 1, 8), ((2, 0), 1, 8), ((4, 0), 1, 7)]);
        let merged = &data.listed()[0];
        assert_eq!((merged.counts.reallocs, place(&merged.frames[1])), (2, (1, 1)));
    }
}

#[test]
fn of_merged_sites_the_longest_growth_stays() {
    let growth = |steps| Growth { sizes: [8, 16, 32, 0], last: 32, steps, ..Growth::NONE };
    let grown = |steps| SiteCounts { growth: growth(steps), ..counts(0, steps, 48) };
    for steps in [[1, 2], [2, 1]] {
        let stacks = &[(&[1, 6][..], grown(steps[0])), (&[2, 6], grown(steps[1]))];
        assert_eq!(Program { stacks, ..LINES }.data().listed()[0].counts.growth.steps, 2);
    }
}

#[test]
fn a_stack_without_frames_is_not_attributed() {
    let stacks = &[(&[][..], counts(1, 1, 8))];
    let data =
        Program { stacks, unattributed: counts(3, 0, 5), stop: Stop::TooDeep, ..Program::NONE }
            .data();
    assert!(data.sites.is_empty());
    assert_eq!(
        (data.unattributed.events(), data.unattributed.reallocs, data.unattributed.bytes),
        (5, 1, 13)
    );
    assert_eq!(data.unwalked, Some(Stop::TooDeep.reason()));
}

#[test]
fn the_user_leads_else_the_innermost_that_says_something() {
    let check = |places: &str, expected: &str| {
        let places = &format!("9 t::main @ /p/src/main.rs:1\n{places}");
        let stacks = &[(&[1, 2, 3][..], counts(1, 0, 8))];
        let data = Program { places, openings: &[&[9]], stacks, ..LINES }.data();
        let frames = data.frames(&data.sites[0]);
        assert_eq!(frames[leading(&frames).expect("a frame")].to_string(), expected);
    };
    let push = "3 alloc::vec::push @ /rustc/5/library/alloc/src/vec/mod.rs:1";
    let dependency = "2 x::run @ /c/registry/src/i/x-1.0.0/src/lib.rs:1";
    check(&format!("1 t::run @ /p/src/a.rs:5\n{dependency}\n{push}"), "t::run at src/a.rs:5");
    check(
        &format!("1 start\n{dependency}\n{push}"),
        "x::run at /c/registry/src/i/x-1.0.0/src/lib.rs:1",
    );
    check(&format!("1 start\n2 ?libx.so+16\n{push}"), "start");
    check("1 ?libx.so+16\n2 ?libx.so+32\n3 ?libx.so+48", "libx.so+0x30");
}

#[test]
fn the_code_has_debug_information_if_the_user_has_files() {
    let check = |places: &str, expected| {
        let std = "4 alloc::vec::push @ /rustc/5/library/alloc/src/vec/mod.rs:1";
        let places = &format!("1 start\n{places}\n{std}");
        let stacks = &[(&[1, 3, 4][..], counts(1, 0, 8))];
        let data = Program { places, openings: &[&[1, 2]], stacks, ..LINES }.data();
        assert_eq!(data.has_debug_info, expected, "{places}");
    };
    check("2 t::main @ /p/src/main.rs:1\n3 x::f", true);
    check("2 t::main\n3 t::main @ /p/src/main.rs:1", true);
    check("2 t::main\n3 t::main", false);
}

/// Whose middle was left out: `main` calls `outer`, which calls itself, and after the gap `inner`
/// calls itself.
#[test]
fn a_deep_stack_has_both_ends() {
    let places = "
        1 p::main @ /p/src/main.rs:1
        2 p::main @ /p/src/main.rs:2
        3 p::outer @ /p/src/main.rs:3
        4 p::inner @ /p/src/main.rs:4
        5 p::opener @ /p/src/main.rs:5
        6 p::opener @ /p/src/main.rs:6
    ";
    let repeated = |address: usize, count| std::iter::repeat(address).take(count);
    let site = |opening: &[usize], inner: &[usize]| {
        let half = crate::walk::MAX_FRAMES / 2;
        let outer = std::iter::once(2).chain(repeated(3, half - 1));
        let stack: Vec<usize> =
            outer.chain(repeated(4, half - inner.len())).chain(inner.iter().copied()).collect();
        let program = Program {
            places,
            location: "src/main.rs",
            openings: &[opening],
            stacks: &[(&stack, counts(1, 0, 8))],
            stop: Stop::MiddleLeftOut,
            ..Program::NONE
        };
        let data = program.data();
        (data.listed()[0].clone(), super::super::snapshot::text(&program.data()).expect("a text"))
    };
    let text = |chain: &str| format!("1 allocation at 1 site\n   1  {chain}\n");

    let (deep, snapshot) = site(&[1], &[]);
    assert_eq!((deep.frames.len(), deep.gap, deep.cut_off), (512, Some(256), None));
    assert_eq!(snapshot, text("src/main.rs inner < .. < src/main.rs outer < src/main.rs main"));
    let (_, snapshot) = site(&[1], &[3]);
    assert_eq!(snapshot, text("src/main.rs outer < src/main.rs main"), "one recursion");

    let opening: Vec<usize> = std::iter::once(2).chain(repeated(3, 300)).chain([4, 4, 5]).collect();
    let inner: Vec<usize> = [4, 4, 6].into_iter().chain(repeated(3, 253)).collect();
    let (found, snapshot) = site(&opening, &inner);
    assert_eq!((found.frames.len(), found.gap, found.cut_off), (254, None, None));
    assert_eq!(snapshot, text("src/main.rs outer < src/main.rs opener"));

    let opening: Vec<usize> = std::iter::once(2).chain(repeated(3, 300)).chain([5]).collect();
    let (lost, snapshot) = site(&opening, &[6, 3]);
    assert_eq!((lost.frames.len(), lost.gap), (256, None));
    assert_eq!(lost.cut_off, Some(Stop::MiddleLeftOut.reason()));
    assert!(snapshot.ends_with(" < ..\n"), "{snapshot}");
}
