//! mod-alloc under dhat's interface, with its profiler running as in a test. Two things are
//! measured once in a process: how long a profile takes to write, and how much memory it takes.

use std::env;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use mod_alloc::dhat;
use workloads::resident;

#[global_allocator]
static GLOBAL: dhat::Alloc = dhat::Alloc;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["time", "output"] => output(),
        ["time", "memory"] => memory(),
        _ => {
            let _profiler = dhat::Profiler::builder().testing().build();
            workloads::main(&[]);
        }
    }
}

/// Prints the nanoseconds that it takes to write a profile of 10,000 program points, each with an
/// address of its own.
fn output() {
    let path = env::temp_dir().join(format!("mod-alloc-bench-{}.json", std::process::id()));
    let mut blocks = Vec::with_capacity(10_000);
    let profiler = dhat::Profiler::builder().file_name(&path).build();
    ten_thousand(&mut blocks);
    let start = Instant::now();
    drop(profiler);
    let nanos = start.elapsed().as_nanos();
    let json = fs::read_to_string(&path).expect("it was written");
    fs::remove_file(&path).expect("removable");
    assert_eq!(json.matches("\"tbk\":1,").count(), 10_000);
    println!("{nanos}");
}

/// Prints the bytes of memory that a profile of 1,000,000 live blocks takes: how much more memory
/// becomes resident with them than with the same blocks outside a profile.
fn memory() {
    let blocks = || {
        let before = resident();
        let mut blocks = Vec::with_capacity(1_000_000);
        blocks.extend((0..1_000_000_u64).map(|n| black_box(Box::new(n))));
        (resident() - before, blocks)
    };
    let without = blocks();
    let _profiler = dhat::Profiler::builder().testing().build();
    let with = blocks();
    assert_eq!(dhat::HeapStats::get().curr_blocks, 1_000_001);
    println!("{}", with.0 - without.0);
}

macro_rules! ten {
    ($($work:tt)*) => {
        $($work)* $($work)* $($work)* $($work)* $($work)*
        $($work)* $($work)* $($work)* $($work)* $($work)*
    };
}

/// Allocates at a hundred places. Each `N` makes another function of it.
#[inline(never)]
#[allow(clippy::vec_box)] // Each is a block of its own.
fn hundred<const N: usize>(blocks: &mut Vec<Box<usize>>) {
    ten! { ten! { blocks.push(black_box(Box::new(black_box(N)))); } }
    black_box(N);
}

macro_rules! hundreds {
    ($blocks:ident: $($tens:literal)*) => {
        $(
            hundred::<{ $tens + 1 }>($blocks);
            hundred::<{ $tens + 2 }>($blocks);
            hundred::<{ $tens + 3 }>($blocks);
            hundred::<{ $tens + 4 }>($blocks);
            hundred::<{ $tens + 5 }>($blocks);
            hundred::<{ $tens + 6 }>($blocks);
            hundred::<{ $tens + 7 }>($blocks);
            hundred::<{ $tens + 8 }>($blocks);
            hundred::<{ $tens + 9 }>($blocks);
            hundred::<{ $tens + 10 }>($blocks);
        )*
    };
}

#[allow(clippy::vec_box)] // As above.
fn ten_thousand(blocks: &mut Vec<Box<usize>>) {
    hundreds!(blocks: 0 10 20 30 40 50 60 70 80 90);
}
