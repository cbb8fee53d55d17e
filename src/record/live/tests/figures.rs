//! Hot: what the table of live blocks costs. `cargo test --release --lib figures -- --ignored --nocapture`

use std::time::Instant;

use super::*;

const HEAP: usize = 0x7000_0000;
const EVENTS: usize = 10_000;

/// Nanoseconds an event: the best of many short tries, for the machine may be busy.
fn nanoseconds(mut event: impl FnMut(usize)) -> f64 {
    let mut best = f64::MAX;
    for try_ in 0..1_000 {
        let start = Instant::now();
        for n in 0..EVENTS {
            event(try_ * EVENTS + n);
        }
        best = best.min(start.elapsed().as_nanos() as f64 / EVENTS as f64);
    }
    best
}

/// Resident memory in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[test]
#[ignore = "prints figures"]
fn figures() {
    let scope = begun();
    let stack = Some(made_up_stack(&[1]));
    let one_block = |n: usize| {
        let address = HEAP + 8 + (n & 63) * 48;
        forget(address);
        scope.insert(scope.serial(), address, 48, stack);
        forget(address);
    };
    println!("forget, insert, forget of a block: {:.1} ns", nanoseconds(one_block));
    let moved = |_| {
        let taken = take(HEAP);
        put_back(&taken, HEAP, 48);
    };
    println!("take, put back of a block of none: {:.1} ns", nanoseconds(moved));
    scope.insert(scope.serial(), HEAP, 48, stack);
    println!("take, put back of a block of one:  {:.1} ns", nanoseconds(moved));
    forget(HEAP);

    let before = resident();
    let address = |n: usize| HEAP + n * 80;
    let start = Instant::now();
    for n in 0..1_000_000 {
        scope.insert(scope.serial(), address(n), 72, stack);
    }
    let each = start.elapsed().as_nanos() as f64 / 1e6;
    println!("\n1,000,000 blocks: {:.1} MB, {each:.1} ns each", (resident() - before) as f64 / 1e6);
    println!("forget, insert, forget of a block: {:.1} ns", nanoseconds(one_block));
    let mut random = Random(1);
    let any = |_| {
        let address = address(random.below(1_000_000));
        forget(address);
        scope.insert(scope.serial(), address, 72, stack);
    };
    println!("forget, insert of any of them:     {:.1} ns", nanoseconds(any));
    let start = Instant::now();
    println!("bytes: {}, {:.1} ms", scope.bytes(), start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let mut blocks = 0;
    scope.visit(&mut |_, _| blocks += 1);
    println!("visit of {blocks}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for n in 0..1_000_000 {
        forget(address(n));
    }
    assert_eq!(counts(scope), (0, 0, 0));
    scope.end();
    let cycle = |_| {
        assert!(scope.begin());
        scope.end();
    };
    println!("begin and end of a scope: {:.1} ns", nanoseconds(cycle));
}
