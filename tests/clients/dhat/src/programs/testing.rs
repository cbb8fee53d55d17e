//! Heap usage testing as documented. A profiler that only serves assertions, all of which hold,
//! leaves no file.

use std::hint::black_box;

use crate::dhat;

pub(super) fn run() {
    let _profiler = dhat::Profiler::builder().testing().build();

    let kept = black_box(vec!['a', 'b', 'c', 'd']);
    drop(black_box(vec!['e', 'f', 'g', 'h']));
    drop(black_box(vec!['i', 'j', 'k', 'l']));

    let stats = dhat::HeapStats::get();
    println!("{stats:?}");
    dhat::assert_eq!(stats.total_blocks, 3);
    dhat::assert_eq!(stats.total_bytes, 48, "{} vectors", 3);
    dhat::assert_eq!((stats.max_blocks, stats.max_bytes), (2, 32));
    dhat::assert_eq!(stats.curr_blocks, 1,);
    dhat::assert!(stats.curr_bytes == 16);
    dhat::assert!(kept.len() == 4, "{kept:?}");
    let mut others = stats.clone();
    others.total_blocks += 1;
    dhat::assert_ne!(stats, others);
    dhat::assert_ne!(stats.curr_blocks, 0, "{stats:?}");
    drop(kept);
}
