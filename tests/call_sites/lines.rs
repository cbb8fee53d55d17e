//! `at!` and `check`: by them, the other files say which lines they expect.

use std::cell::Cell;
use std::hint::black_box;

use mod_alloc::{uncounted, AllocScope, AllocStats, CallSites, Frame, Site};

/// Notes the line that it stands on, and then runs the code on it. Nested calls note their lines
/// later, so that the noted lines are a chain of calls, of which the outermost is the first.
macro_rules! at {
    ($($work:tt)*) => {{
        $crate::lines::note(file!(), line!());
        $($work)*
    }};
}
pub(crate) use at;

/// A file and a line in it.
pub(crate) type Line = (&'static str, u32);

const MOST: usize = 12;

thread_local! {
    /// How many lines are noted, and which.
    static NOTED: Cell<(usize, [Line; MOST])> = const { Cell::new((0, [("", 0); MOST])) };
}

/// Notes a line. If it was noted before, as in a loop or in recursion, the program has returned to
/// it, and the lines that were noted since are forgotten.
pub(crate) fn note(file: &'static str, line: u32) {
    let (count, mut lines) = NOTED.get();
    let known = lines[..count].iter().position(|known| *known == (file, line));
    let index = known.unwrap_or(count);
    lines[index] = (file, line);
    NOTED.set((index + 1, lines));
}

/// What was noted since the last call, innermost first.
pub(crate) fn noted() -> Vec<Line> {
    let (count, lines) = NOTED.replace((0, [("", 0); MOST]));
    uncounted(|| lines[..count].iter().rev().copied().collect())
}

/// The lines of the user's frames, innermost first. A line that follows itself, as in recursion or
/// in a closure on the line that calls it, is there once.
pub(crate) fn user_lines(site: &Site) -> Vec<(&str, u32)> {
    let line = |frame: &Frame| frame.line().expect("the user's frames have lines");
    let mut lines: Vec<(&str, u32)> = site
        .user_frames()
        .map(|frame| (frame.file().expect("the user's frames have files"), line(frame)))
        .collect();
    lines.dedup();
    lines
}

/// Ends a function, so that what comes before is not its last call.
pub(crate) fn done<T>(value: T) {
    uncounted(|| drop(black_box(value)));
}

/// Checks that `work` allocates at the line that it notes last, called from the lines that it noted
/// before, and nowhere else. It is called by a function that is not inlined, by one that is, and
/// through a pointer.
#[track_caller]
pub(crate) fn check(work: impl Fn()) {
    check_once(|| at!(called(&work)));
    check_once(|| at!(called_by_inlined(&work)));
    check_once(|| at!(called_by_pointer(&work)));
}

#[track_caller]
pub(crate) fn check_once(work: impl FnOnce()) {
    noted();
    let scope = AllocScope::with_call_sites();
    at!(work());
    let sites = scope.call_sites();
    let stats = scope.exit();
    let expected = noted();
    assert!(sites.alloc_count() > 0, "nothing was allocated");
    assert_same_sum(&sites, stats);
    for site in sites.sites() {
        assert_eq!(user_lines(site), expected, "{sites:#}");
    }
}

/// Checks that the sites together are what the scope has counted.
#[track_caller]
pub(crate) fn assert_same_sum(sites: &CallSites, stats: AllocStats) {
    let sum = |number: fn(&Site) -> u64| sites.sites().iter().map(number).sum::<u64>();
    assert_eq!(sites.unattributed_count(), 0, "{sites:#}");
    assert_eq!(sum(Site::alloc_count), stats.alloc_count, "{sites:#}");
    assert_eq!(sum(Site::realloc_count), stats.realloc_count, "{sites:#}");
    assert_eq!(sum(Site::total_bytes), stats.total_bytes, "{sites:#}");
    let total = (sites.alloc_count(), sites.realloc_count(), sites.total_bytes());
    assert_eq!(total, (stats.alloc_count, stats.realloc_count, stats.total_bytes));
}

#[inline(never)]
fn called(work: &dyn Fn()) {
    at!(work());
    black_box(());
}

#[inline(always)]
fn called_by_inlined(work: &impl Fn()) {
    at!(work());
    black_box(());
}

#[inline(never)]
fn called_by_pointer<F: Fn()>(work: &F) {
    let pointer: fn(&F) = |work| {
        at!(work());
        black_box(());
    };
    at!(black_box(pointer)(work));
    black_box(());
}
