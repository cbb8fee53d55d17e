//! The text of every panic of the interface. The profiler that was running at the time goes on.

use super::print_panic;
use crate::dhat;

pub(super) fn run() {
    without_a_profiler("before");
    let profiler = dhat::Profiler::builder().file_name("heap.json").build();
    while_one_runs("heap");
    print_panic("ad-hoc stats of a heap profile", dhat::AdHocStats::get);
    drop(profiler);
    without_a_profiler("between");
    let profiler = dhat::Profiler::builder().ad_hoc().file_name("ad_hoc.json").build();
    while_one_runs("ad hoc");
    print_panic("heap stats of an ad-hoc profile", dhat::HeapStats::get);
    drop(profiler);

    for testing in
        [dhat::Profiler::builder().testing(), dhat::Profiler::builder().testing().ad_hoc()]
    {
        let profiler = testing.file_name("asserted.json").build();
        print_panic("a failing assertion", || dhat::assert!(false));
        print_panic("heap stats after it", dhat::HeapStats::get);
        print_panic("ad-hoc stats after it", dhat::AdHocStats::get);
        print_panic("an assertion after it", || dhat::assert!(true));
        print_panic("another profiler after it", dhat::Profiler::new_heap);
        dhat::ad_hoc_event(1);
        drop(profiler);
    }
    without_a_profiler("after");
}

fn without_a_profiler(when: &str) {
    println!("without a profiler, {when}:");
    print_panic("heap stats", dhat::HeapStats::get);
    print_panic("ad-hoc stats", dhat::AdHocStats::get);
    print_panic("assert!", || dhat::assert!(true));
    print_panic("assert_eq!", || dhat::assert_eq!(1, 1));
    print_panic("assert_ne!", || dhat::assert_ne!(1, 2));
    dhat::ad_hoc_event(1);
}

fn while_one_runs(what: &str) {
    println!("while a profiler runs, {what}:");
    print_panic("another heap profiler", dhat::Profiler::new_heap);
    print_panic("another ad-hoc profiler", dhat::Profiler::new_ad_hoc);
    print_panic("another that tests", || dhat::Profiler::builder().testing().build());
    print_panic("assert!", || dhat::assert!(true));
    print_panic("assert_eq!", || dhat::assert_eq!(1, 1));
    print_panic("assert_ne!", || dhat::assert_ne!(1, 2));
}
