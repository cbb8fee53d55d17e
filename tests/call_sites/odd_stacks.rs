//! Stacks with C code in them, and deep ones.

use std::ffi::{c_int, c_void};
use std::hint::black_box;

use mod_alloc::AllocScope;

use crate::lines::{assert_same_sum, at, check, done, note, noted, user_lines};
use crate::needs_call_sites::needs_call_sites;

extern "C" {
    fn qsort(
        base: *mut c_void,
        count: usize,
        size: usize,
        compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
    );
}

fn compare(a: u32, b: u32) -> c_int {
    let copies = at!(vec![a, b]);
    black_box(&copies)[0].cmp(&copies[1]) as c_int
}

extern "C" fn compare_for_c(a: *const c_void, b: *const c_void) -> c_int {
    // SAFETY: `qsort` passes elements of the array that it was given, of `u32`.
    let a = unsafe { *a.cast::<u32>() };
    // SAFETY: as before.
    let b = unsafe { *b.cast::<u32>() };
    let order = at!(compare(a, b));
    black_box(order)
}

/// Two elements are compared once, so that the lines are noted once. Musl has no unwind tables.
/// There, the stack ends in `qsort`, and the report says so.
#[cfg_attr(target_env = "musl", ignore = "no unwind tables")]
#[test]
fn a_callback_of_c_has_the_lines_on_both_sides() {
    needs_call_sites!();
    check(|| {
        let mut numbers = black_box([2_u32, 1]);
        note(file!(), line!() + 2);
        // SAFETY: the array has two elements of four bytes, which `compare_for_c` can compare.
        unsafe { qsort(numbers.as_mut_ptr().cast(), 2, 4, compare_for_c) };
        assert_eq!(numbers, [1, 2]);
    });
}

fn deep(depth: u32) {
    match depth {
        0 => done(at!(vec![1_u8; black_box(3)])),
        _ => {
            at!(deep(depth - 1));
            black_box(());
        }
    }
}

#[test]
fn two_hundred_and_fifty_frames_deep() {
    needs_call_sites!();
    check(|| done(at!(deep(black_box(250)))));
    noted();
    let scope = AllocScope::with_call_sites();
    deep(black_box(250));
    let (sites, stats) = (scope.call_sites(), scope.exit());
    assert_same_sum(&sites, stats);
    let (innermost, recursion) = (noted()[0], user_lines(&sites.sites()[0])[1]);
    let site = &sites.sites()[0];
    let count =
        |(_, line): (&str, u32)| site.user_frames().filter(|f| f.line() == Some(line)).count();
    assert_eq!((count(innermost), count(recursion)), (1, 250));
}

/// Of a stack, 512 addresses are kept. With inlined functions, these may be more frames.
#[test]
fn deeper_stacks_keep_both_ends_and_say_so() {
    needs_call_sites!();
    noted();
    let scope = AllocScope::with_call_sites();
    at!(called_by_another(black_box(5_000)));
    let sites = scope.call_sites();
    assert_same_sum(&sites, scope.exit());
    let [innermost, recursion, caller, outermost] = noted()[..] else { panic!("lines") };
    let [site] = sites.sites() else { panic!("one line allocates: {sites:#}") };
    assert_eq!(user_lines(site), [innermost, recursion, caller, outermost], "{sites:#}");
    assert!(site.user_frames().count() >= 450);
    assert!(format!("{sites:#}").contains(".. the middle of the stack is left out: "), "{sites:#}");
    let text = sites.to_string();
    assert!(text.ends_with(" deeper_stacks_keep_both_ends_and_say_so\n"), "{text}");
    assert_eq!(text.matches(" < ").count(), 2, "{text}");
}

fn called_by_another(depth: u32) {
    at!(deep(depth));
    black_box(());
}

/// Such stacks are not walked to their end.
#[test]
fn the_deepest_stacks_keep_their_inner_end_and_say_so() {
    needs_call_sites!();
    let work = || {
        let scope = AllocScope::with_call_sites();
        deep(black_box(20_000));
        let sites = scope.call_sites();
        assert!(format!("{sites:#}").contains(".. the stack is not complete: "), "{sites:#}");
        assert!(sites.to_string().ends_with("deep < ..\n"), "{sites}");
        noted();
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work);
    thread.expect("a thread").join().expect("it ends well");
}
