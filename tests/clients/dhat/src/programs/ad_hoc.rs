//! Ad-hoc profiles, with events before, within and after them, from several places and from another
//! thread.

use std::hint::black_box;
use std::thread;

use crate::dhat;

pub(super) fn run() {
    dhat::ad_hoc_event(3);
    for (file, max_frames) in
        [("all.json", None), ("most.json", Some(usize::MAX)), ("few_5.json", Some(5))]
    {
        let profiler = dhat::Profiler::builder().ad_hoc().file_name(file);
        profile(profiler.trim_backtraces(max_frames));
    }
    profile(dhat::Profiler::builder().ad_hoc().file_name(String::from("few_by_default.json")));
    dhat::ad_hoc_event(5);

    let profiler = dhat::Profiler::builder().ad_hoc().testing().build();
    twice(1);
    let stats = dhat::AdHocStats::get();
    dhat::assert_eq!(stats.total_events, 2);
    dhat::assert_eq!(stats.total_units, 3);
    drop(profiler);

    // This profile has no event at all.
    drop(dhat::Profiler::builder().ad_hoc().file_name("none.json").build());
    drop(dhat::Profiler::new_ad_hoc());
}

fn profile(profiler: dhat::ProfilerBuilder) {
    let profiler = profiler.build();
    println!("at the start: {:?}", dhat::AdHocStats::get());
    dhat::ad_hoc_event(100);
    for weight in 0..4 {
        twice(weight);
    }
    deep(12);
    drop(black_box(vec![black_box(1)]));
    thread::spawn(|| twice(7)).join().unwrap();
    dhat::ad_hoc_event(1_000_000);
    println!("at the end: {:?}", dhat::AdHocStats::get());
    drop(profiler);
}

#[inline(never)]
fn twice(weight: usize) {
    dhat::ad_hoc_event(weight);
    once(weight + 1);
    black_box(());
}

#[inline(never)]
fn once(weight: usize) {
    dhat::ad_hoc_event(weight);
    black_box(());
}

#[inline(never)]
fn deep(levels: usize) {
    if levels > 0 {
        dhat::ad_hoc_event(levels);
        deep(levels - 1);
    }
    black_box(());
}
