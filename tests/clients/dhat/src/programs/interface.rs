//! What programs may do with the types. All of it compiles.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::dhat::{self, ad_hoc_event, AdHocStats, Alloc, HeapStats, Profiler, ProfilerBuilder};

pub(super) fn run() {
    is_like_others::<Alloc>();
    is_like_others::<Profiler>();
    is_like_others::<ProfilerBuilder>();
    is_like_others::<HeapStats>();
    is_like_others::<AdHocStats>();
    compares::<HeapStats>();
    compares::<AdHocStats>();

    let builder: fn() -> ProfilerBuilder = Profiler::builder;
    let build: fn(ProfilerBuilder) -> Profiler = ProfilerBuilder::build;
    let profiler = build(builder().testing());
    let HeapStats { total_blocks, total_bytes, curr_blocks, .. } = HeapStats::get();
    let HeapStats { curr_bytes, max_blocks, max_bytes, .. } = HeapStats::get();
    let _: [u64; 2] = [total_blocks, total_bytes];
    let _: [usize; 4] = [curr_blocks, curr_bytes, max_blocks, max_bytes];
    drop(profiler);

    let profiler = builder().testing().ad_hoc().trim_backtraces(None).build();
    let event: fn(usize) = ad_hoc_event;
    event(1);
    let AdHocStats { total_events, total_units, .. } = AdHocStats::get();
    let _: [u64; 2] = [total_events, total_units];
    // Another macro calls the macros, and they are the value of a block.
    macro_rules! check {
        ($left:expr, $($right:tt)*) => {
            dhat::assert_eq!($left, $($right)*)
        };
    }
    check!(total_events, 1);
    check!(total_units, 1, "with {}", "text");
    let _: () = match total_events {
        0 => dhat::assert!(false),
        _ => dhat::assert_ne!(total_units, 0),
    };
    drop(profiler);
}

fn is_like_others<T: Debug + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}

fn compares<T: Clone + Eq>() {}
