//! Profilers one after the other, and every way in which a profiler ends.

use std::fs;
use std::hint::black_box;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use super::{print_panic, print_stats};
use crate::dhat;

pub(super) fn run() {
    // The files have their default name, so the second takes the place of the first.
    for blocks in 1..=2 {
        let _profiler = dhat::Profiler::new_heap();
        allocate(blocks);
    }
    drop(dhat::Profiler::new_ad_hoc());

    println!("names");
    drop(dhat::Profiler::builder().file_name("by_str.json").build());
    drop(dhat::Profiler::builder().file_name(Path::new("./by_path.json")).build());
    drop(dhat::Profiler::builder().file_name(PathBuf::from("by_path_buf.json")).build());
    drop(
        dhat::Profiler::builder()
            .file_name("earlier.json")
            .file_name("later \"name\".json")
            .build(),
    );
    drop(dhat::Profiler::builder().file_name("no/such/folder.json").build());
    drop(dhat::Profiler::builder().file_name("").ad_hoc().build());

    println!("what is there already");
    fs::write("longer.json", "[1]".repeat(100_000)).unwrap();
    drop(dhat::Profiler::builder().file_name("longer.json").build());
    symlink("linked.json", "link.json").unwrap();
    for _ in ["a link to nothing", "a link to a file"] {
        drop(dhat::Profiler::builder().file_name("link.json").build());
    }
    drop(dhat::Profiler::builder().file_name("/dev/null").build());
    fs::create_dir("folder").unwrap();
    drop(dhat::Profiler::builder().file_name("folder").build());
    println!("{:?}", fs::read_link("link.json"));

    println!("a panic of the user");
    print_panic("caught outside", || {
        let _profiler = dhat::Profiler::builder().file_name("unwound.json").build();
        allocate(3);
        panic!("the user's");
    });
    let profiler = dhat::Profiler::builder()
        .file_name("caught.json")
        .trim_backtraces(Some(usize::MAX))
        .build();
    print_panic("caught inside", || panic!("the user's {}", black_box("own")));
    print_stats("afterwards");
    drop(profiler);

    println!("of another thread");
    let profiler = dhat::Profiler::builder().file_name("dropped_elsewhere.json").build();
    allocate(4);
    let dropping = thread::spawn(|| drop(profiler));
    dropping.join().unwrap();
    let building =
        thread::spawn(|| dhat::Profiler::builder().file_name("built_elsewhere.json").build());
    let profiler = building.join().unwrap();
    allocate(5);
    print_stats("here");
    drop(profiler);

    println!("testing");
    let profiler = dhat::Profiler::builder().testing().file_name("never.json").build();
    allocate(6);
    drop(profiler);

    println!("never dropped");
    static PROFILER: OnceLock<dhat::Profiler> = OnceLock::new();
    PROFILER.get_or_init(|| dhat::Profiler::builder().file_name("not_dropped.json").build());
    allocate(7);
    print_stats("of the first one");
    print_panic("another one", dhat::Profiler::new_heap);
}

#[inline(never)]
fn allocate(blocks: usize) {
    for _ in 0..blocks {
        black_box(Box::new(black_box(1_u64)));
    }
}
