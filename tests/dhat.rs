//! `mod_alloc::dhat` in a process of its own, without the harness, since nobody else may allocate.
//! The files are read by their layout, which has a point or a frame on each line. `tests/clients`
//! reads them as JSON, beside those of dhat.

use std::env;
use std::fs;
use std::hint::black_box;
use std::panic::{self, catch_unwind, resume_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use mod_alloc::{dhat, AllocScope, Profiler};

#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/panics.rs"]
mod panics;

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

/// Where this process writes.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("dhat-{}", std::process::id()))
}

fn main() {
    if let Some(name) = env::args().nth(1).filter(|name| name.starts_with("child-")) {
        return child(&name);
    }
    needs_call_sites::needs_call_sites!(); // Without them, all blocks are at one program point.
    fs::create_dir_all(folder()).expect("a folder");
    numbers_of_a_heap();
    points_of_a_heap();
    equal_peaks();
    threads();
    depth();
    misuse();
    events();
    assertions();
    call_sites();
    summaries();
    fs::remove_dir_all(folder()).expect("removable");
    println!("dhat: all checks hold");
}

/// A point of a file: its numbers in the order of the file, and its frames, innermost first.
#[derive(Debug, PartialEq)]
struct Point {
    numbers: Vec<(String, u64)>,
    frames: Vec<String>,
}

impl Point {
    fn get(&self, key: &str) -> u64 {
        let found = self.numbers.iter().find(|(name, _)| name == key);
        found.unwrap_or_else(|| panic!("no {key} in {self:?}")).1
    }

    fn get_all<const N: usize>(&self, keys: [&str; N]) -> [u64; N] {
        keys.map(|key| self.get(key))
    }

    /// Whether a function of this file is among its frames. If only lines are known, an inlined
    /// function has no path.
    fn is_from(&self, function: &str) -> bool {
        let is_it = |frame: &String| {
            let (_, rest) = frame.split_once(": ").expect("an address");
            let (name, place) = rest.rsplit_once(" (").expect("a place");
            name.rsplit("::").next() == Some(function) && place.contains("/tests/dhat.rs:")
        };
        self.frames.iter().any(is_it)
    }
}

const SIZES: [&str; 8] = ["tb", "tbk", "mb", "mbk", "gb", "gbk", "eb", "ebk"];

/// Reads a file by its layout.
fn points(json: &str) -> Vec<Point> {
    let (points, frames) = json.split_once("\n,\"ftbl\":\n").expect("frames");
    let (_, points) = points.split_once("\n,\"pps\":\n").expect("points");
    let frames: Vec<&str> = frames.lines().map(|line| line.trim_matches([' ', '[', ','])).collect();
    let frame = |index: &str| {
        let text = frames[index.parse::<usize>().expect("an index")];
        text.trim_matches('"').to_owned()
    };
    let point = |line: &str| {
        let (numbers, shown) = line.split_once(",\"fs\":[").expect("frames");
        let numbers = numbers.trim_start_matches([' ', '[', ',', '{']).split(',').map(|pair| {
            let (key, number) = pair.split_once(':').expect("a number");
            (key.trim_matches('"').to_owned(), number.parse().expect("a number"))
        });
        let shown = shown.strip_suffix("]}").expect("an end");
        Point { numbers: numbers.collect(), frames: shown.split(',').map(frame).collect() }
    };
    points.lines().filter(|line| line.contains("\"tb\":")).map(point).collect()
}

/// The points of what `work` allocates, and the numbers at its end.
fn profiled(
    builder: dhat::ProfilerBuilder,
    work: impl FnOnce() -> dhat::HeapStats,
) -> (Vec<Point>, dhat::HeapStats) {
    let path = folder().join("heap.json");
    let profiler = builder.file_name(&path).build();
    let stats = work();
    drop(profiler);
    (points(&fs::read_to_string(path).expect("it was written")), stats)
}

#[inline(never)]
fn grown(bytes: usize, more: usize) -> Vec<u8> {
    let mut grown = black_box(vec![0_u8; bytes]);
    grown.reserve_exact(more);
    grown
}

#[inline(never)]
fn short_lived(count: usize) {
    for _ in 0..count {
        drop(black_box(vec![1_u8]));
    }
}

#[inline(never)]
fn held(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

fn numbers_of_a_heap() {
    let from_before = black_box(vec![1_u32, 2, 3, 4]);
    let mut grows = black_box(vec![1_u32, 2, 3, 4]);
    let (points, stats) = profiled(dhat::Profiler::builder(), || {
        drop(from_before);
        grows.push(5); // It is from before, so it counts as a fresh block of 32 bytes.
        let large = held(1_000);
        let grown = grown(200, 200);
        drop(large);
        short_lived(10);
        let stats = dhat::HeapStats::get();
        drop(grown);
        stats
    });
    assert_eq!((stats.total_blocks, stats.total_bytes), (14, 1_642));
    assert_eq!((stats.curr_blocks, stats.curr_bytes), (2, 432));
    assert_eq!((stats.max_blocks, stats.max_bytes), (3, 1_432));
    let numbers: Vec<[u64; 8]> = points.iter().map(|point| point.get_all(SIZES)).collect();
    let expected = [
        [1_000, 1, 1_000, 1, 1_000, 1, 0, 0],
        [600, 2, 400, 1, 400, 1, 0, 0],
        [32, 1, 32, 1, 32, 1, 32, 1],
        [10, 10, 1, 1, 0, 0, 0, 0],
    ];
    assert_eq!(numbers, expected);
    let lifetimes: u64 = points.iter().map(|point| point.get("tl")).sum();
    assert!(lifetimes > 0);
}

fn points_of_a_heap() {
    let (points, _) = profiled(dhat::Profiler::builder().trim_backtraces(Some(usize::MAX)), || {
        drop((held(10), held(20)));
        dhat::HeapStats::get()
    });
    assert_eq!(points.len(), 2, "two lines: {points:?}");
    for point in &points {
        assert!(point.frames.len() > 2 && point.is_from("held"), "{point:?}");
        assert!(
            point.frames[1..].iter().any(|frame| frame.contains("/tests/dhat.rs:")),
            "{point:?}"
        );
        let is_outside =
            |frame: &String| frame.contains("lang_start") || frame.contains("mod_alloc::");
        assert!(!point.frames[1..].iter().any(is_outside), "{point:?}");
        let is_allocator =
            |frame: &&String| frame.contains("__rust") || frame.contains(" (alloc/src/alloc.rs:");
        // Optimised, it jumps to what notes the event, and is no frame then.
        let allocators = point.frames.iter().filter(is_allocator).count();
        assert!(allocators == 1 || !cfg!(debug_assertions) && allocators == 0, "{point:?}");
    }
    let (all, _) = profiled(dhat::Profiler::builder().trim_backtraces(None), || {
        drop(held(10));
        dhat::HeapStats::get()
    });
    assert!(all[0].frames.iter().any(|frame| frame.contains("lang_start")), "{all:?}");
}

/// Of several equal peaks, the latest counts.
fn equal_peaks() {
    let (points, stats) = profiled(dhat::Profiler::builder(), || {
        drop(held(100));
        let small = short_held(1);
        drop(small);
        let parts = [short_held(60), short_held(40)];
        let stats = dhat::HeapStats::get();
        drop(parts);
        stats
    });
    assert_eq!((stats.max_blocks, stats.max_bytes), (2, 100));
    let at_peak = |function| {
        let of_it = points.iter().filter(|point| point.is_from(function));
        of_it.map(|point| point.get("gb")).sum::<u64>()
    };
    assert_eq!((at_peak("held"), at_peak("short_held")), (0, 100));
}

#[inline(never)]
fn short_held(bytes: usize) -> Vec<u8> {
    let mut held = Vec::new();
    held.reserve_exact(black_box(bytes));
    held
}

/// All threads are in the profile, and so is a block that another thread frees.
fn threads() {
    let (points, stats) = profiled(dhat::Profiler::builder(), || {
        let block = thread::spawn(|| held(5_000)).join().expect("it ends well");
        let freed = held(7_000);
        thread::spawn(move || drop(freed)).join().expect("it ends well");
        let stats = dhat::HeapStats::get();
        drop(block);
        stats
    });
    assert!(stats.curr_bytes >= 5_000 && stats.curr_bytes < 6_000, "{stats:?}");
    let held: Vec<_> = points.iter().filter(|point| point.is_from("held")).collect();
    let numbers: Vec<[u64; 8]> = held.iter().map(|point| point.get_all(SIZES)).collect();
    let expected = [[7_000, 1, 7_000, 1, 7_000, 1, 0, 0], [5_000, 1, 5_000, 1, 5_000, 1, 0, 0]];
    assert_eq!(numbers, expected);
    let [freed, kept] = [held[0], held[1]].map(|point| point.get("tl"));
    assert!(freed > 0 && kept > freed, "{freed} and {kept} microseconds");
}

#[inline(never)]
fn deep(depth: usize, blocks: &mut Vec<Vec<u8>>) {
    blocks.push(held(10));
    if depth > 0 {
        deep(depth - 1, blocks);
    }
    black_box(depth);
}

/// Stacks that are the same as far as the depth goes are one point, which has its own maximum.
fn depth() {
    let points_at = |max_frames| {
        let (points, _) = profiled(dhat::Profiler::builder().trim_backtraces(max_frames), || {
            let mut blocks = Vec::with_capacity(100);
            deep(49, &mut blocks);
            blocks.truncate(30);
            deep(9, &mut blocks);
            dhat::HeapStats::get()
        });
        points.into_iter().filter(|point| point.is_from("deep")).collect::<Vec<_>>()
    };
    let all = points_at(Some(usize::MAX));
    assert!(all.len() >= 50, "{}", all.len());
    assert_eq!(all.iter().map(|point| point.get("tb")).sum::<u64>(), 600);
    let deepest = |points: &[Point]| {
        points.iter().max_by_key(|point| point.get("tb")).map(|point| point.get_all(SIZES))
    };
    let few = points_at(Some(20));
    assert!(few.len() < 30, "{}", few.len());
    assert_eq!(few.iter().map(|point| point.get("tb")).sum::<u64>(), 600);
    let [bytes, blocks, max, ..] = deepest(&few).expect("there are points");
    assert!(blocks > 25 && bytes == 10 * blocks && max == bytes, "{few:?}");
}

/// What `work` panics with. It is meant to happen, so nothing is printed.
fn panic_of(work: impl FnOnce()) -> String {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    panics::panic_of(|| result.map_err(|panic| resume_unwind(panic)))
}

fn misuse() {
    let check = |work: fn(), expected: &str| assert_eq!(panic_of(work), expected);
    let no_profiler = || {
        check(
            || drop(dhat::HeapStats::get()),
            "dhat: getting heap stats when no profiler is running",
        );
        check(
            || drop(dhat::AdHocStats::get()),
            "dhat: getting ad hoc stats when no profiler is running",
        );
        check(|| dhat::assert!(true), "dhat: asserting when no profiler is running");
        dhat::ad_hoc_event(1);
    };
    let second = "dhat: creating a profiler while a profiler is already running";
    no_profiler();
    let heap = dhat::Profiler::builder().file_name(folder().join("misuse.json")).build();
    check(|| drop(dhat::Profiler::new_heap()), second);
    check(|| drop(dhat::Profiler::new_ad_hoc()), second);
    check(
        || drop(dhat::AdHocStats::get()),
        "dhat: getting ad hoc stats while doing heap profiling",
    );
    check(|| dhat::assert!(true), "dhat: asserting while not in testing mode");
    dhat::ad_hoc_event(1);
    drop(heap);
    no_profiler();
    let ad_hoc = dhat::Profiler::builder().ad_hoc().file_name(folder().join("misuse.json")).build();
    check(|| drop(dhat::Profiler::new_heap()), second);
    check(|| drop(dhat::HeapStats::get()), "dhat: getting heap stats while doing ad hoc profiling");
    drop(ad_hoc);
    no_profiler();
}

#[inline(never)]
fn twice() {
    dhat::ad_hoc_event(1);
    dhat::ad_hoc_event(2);
    black_box(()); // It keeps the call from being a jump.
}

fn events() {
    let path = folder().join("events.json");
    let profiler = dhat::Profiler::builder().ad_hoc().file_name(&path).build();
    dhat::ad_hoc_event(100);
    for _ in 0..3 {
        twice();
    }
    drop(held(1_000));
    let stats = dhat::AdHocStats::get();
    assert_eq!((stats.total_events, stats.total_units), (7, 109));
    drop(profiler);
    let json = fs::read_to_string(path).expect("it was written");
    let points = points(&json);
    let numbers: Vec<_> = points.iter().map(|point| point.get_all(["tb", "tbk"])).collect();
    assert_eq!(numbers, [[100, 1], [6, 3], [3, 3]]);
    assert!(points.iter().all(|point| point.frames[0].contains("ad_hoc_event (")), "{points:?}");
    assert!(points[1].is_from("twice") && !points[0].is_from("twice"), "{points:?}");
    assert!(json.contains("\"rust-ad-hoc\"") && !json.contains("lang_start"), "{json}");
}

fn assertions() {
    let path = folder().join("assertion.json");
    let testing = || dhat::Profiler::builder().testing().file_name(&path).build();
    let profiler = testing();
    let held = held(100);
    let stats = dhat::HeapStats::get();
    dhat::assert!(stats.curr_blocks == 1, "a message {}", 1);
    dhat::assert_eq!(stats.curr_bytes, 100);
    dhat::assert_ne!(dhat::HeapStats::get().total_blocks, 2, "another");
    drop(profiler);
    assert!(!path.exists(), "all held");

    let check = |work: fn(), expected: &str| {
        let profiler = testing();
        let before = fs::remove_file(&path);
        assert_eq!(panic_of(work), expected);
        let json = fs::read_to_string(&path).unwrap_or_else(|_| panic!("not saved: {before:?}"));
        assert!(json.contains("rust-heap"));
        let after = "dhat: asserting after the profiler has asserted";
        assert_eq!(panic_of(|| dhat::assert!(true)), after);
        let after = "dhat: getting heap stats after the profiler has asserted";
        assert_eq!(panic_of(|| drop(dhat::HeapStats::get())), after);
        drop(profiler);
    };
    check(|| dhat::assert!(1 > 2), "dhat: assertion failed: 1 > 2");
    check(|| dhat::assert!(1 > 2, "{} {}", 3, 4), "dhat: assertion failed: 1 > 2: 3 4");
    let different = "dhat: assertion failed: `(left == right)`\n  left: `1`,\n right: `2`";
    check(|| dhat::assert_eq!(1, 2), different);
    check(|| dhat::assert_eq!(1, 2, "oh {}", 3), &format!("{different}: oh 3"));
    let equal = "dhat: assertion failed: `(left != right)`\n  left: `\"a\"`,\n right: `\"a\"`";
    check(|| dhat::assert_ne!("a", "a",), equal);
    check(|| dhat::assert_ne!("a", "a", "oh"), &format!("{equal}: oh"));
    drop(held);
}

/// A scope and a profiler say the same in their profiles, each about its own blocks.
fn call_sites() {
    let before = black_box(vec![1_u8; 50]);
    let profiler = Profiler::with_call_sites();
    let scope = AllocScope::with_heap_profile();
    let allocations = AllocScope::with_call_sites();
    drop(before);
    let grown = grown(200, 200);
    short_lived(3);
    let both = [scope.call_sites(), profiler.call_sites()];
    let allocations = allocations.call_sites();
    let expected = [[600, 2, 400, 1, 400, 1, 400, 1], [3, 3, 1, 1, 1, 1, 0, 0]];
    for sites in both {
        let points = points(&sites.to_dhat_json());
        assert_eq!(points.iter().map(|point| point.get_all(SIZES)).collect::<Vec<_>>(), expected);
        assert!(points[0].is_from("grown") && points[0].get("tl") > 0, "{points:?}");
        assert!(points[1].is_from("short_lived"), "{points:?}");
    }
    // If no heap profile is asked for, each stack that allocates is a point of its own.
    let json = allocations.to_dhat_json();
    let points = points(&json);
    let numbers = |point: &Point| point.numbers.iter().map(|(_, number)| *number).collect();
    assert_eq!(points.iter().map(numbers).collect::<Vec<Vec<_>>>(), [[400, 1], [200, 1], [3, 3]]);
    assert_eq!(points[0].get_all(["tb", "tbk"]), [400, 1]);
    assert!(json.contains("\"bklt\":false"), "{json}");
    drop(grown);
}

/// What users see by default: a file in the current folder, and lines on stderr.
fn summaries() {
    let run = |name: &str, folder: &PathBuf| -> Output {
        let mut child = Command::new(env::current_exe().expect("a path"));
        child.arg(name).current_dir(folder).output().expect("it runs")
    };
    let stderr = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let output = run("child-heap", &folder());
    let expected = "dhat: Total:     1,234,577 bytes in 3 blocks\n\
                    dhat: At t-gmax: 1,234,567 bytes in 1 blocks\n\
                    dhat: At t-end:  5 bytes in 1 blocks\n\
                    dhat: The data has been saved to dhat-heap.json, and is viewable with \
                    dhat/dh_view.html\n";
    assert_eq!(stderr(&output), expected);
    assert!(output.status.success());
    let json = fs::read_to_string(folder().join("dhat-heap.json")).expect("it was written");
    assert_eq!(points(&json).len(), 3, "{json}");

    let output = run("child-ad-hoc", &folder());
    let expected = "dhat: Total:     2,000 units in 2 events\n\
                    dhat: The data has been saved to dhat-ad-hoc.json, and is viewable with \
                    dhat/dh_view.html\n";
    assert_eq!(stderr(&output), expected);

    let output = run("child-no-folder", &folder());
    let start = "dhat: error: Writing to none/heap.json failed: ";
    let last = stderr(&output).lines().last().expect("lines").to_owned();
    assert!(last.starts_with(start) && last.len() > start.len(), "{last}");
    assert!(output.status.success(), "a profile that cannot be written ends no program");
    assert!(!folder().join("none").exists());
}

fn child(name: &str) {
    let builder = dhat::Profiler::builder();
    match name {
        "child-heap" => {
            let _profiler = dhat::Profiler::new_heap();
            drop(held(1_234_567));
            drop(held(5));
            std::mem::forget(held(5));
        }
        "child-ad-hoc" => {
            let _profiler = dhat::Profiler::new_ad_hoc();
            dhat::ad_hoc_event(1_999);
            dhat::ad_hoc_event(1);
        }
        _ => {
            let _profiler = builder.file_name("none/heap.json").build();
            drop(held(5));
        }
    }
}
