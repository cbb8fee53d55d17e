//! itoa and ryu: numbers are formatted into buffers on the stack, without any allocation.

use mod_alloc::{assert_no_alloc, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const INTEGERS: [i64; 6] = [0, -1, 42, 1_000_000, i64::MIN, i64::MAX];
const FLOATS: [f64; 6] = [0.0, -0.5, 1.0 / 3.0, 6.02e23, f64::MIN_POSITIVE, f64::MAX];

fn longest_integer() -> usize {
    INTEGERS.iter().map(|&n| itoa::Buffer::new().format(n).len()).max().unwrap()
}

fn longest_float() -> usize {
    FLOATS.iter().map(|&x| ryu::Buffer::new().format(x).len()).max().unwrap()
}

#[test]
fn itoa_formats_without_allocating() {
    let longest = assert_no_alloc!(longest_integer());
    assert_eq!(longest, i64::MIN.to_string().len());
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn itoa_with_a_planted_copy_breaks_the_budget() {
    assert_no_alloc! {
        let mut buffer = itoa::Buffer::new();
        std::hint::black_box(buffer.format(7).to_owned());
    }
}

#[test]
fn ryu_formats_without_allocating() {
    let longest = assert_no_alloc!({ longest_float() }, "of {} numbers", FLOATS.len());
    assert_eq!(longest, "2.2250738585072014e-308".len());
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn ryu_with_a_planted_copy_breaks_the_budget() {
    assert_no_alloc!({
        let mut buffer = ryu::Buffer::new();
        std::hint::black_box(buffer.format(7.5).to_owned())
    });
}

/// This is what the two crates are there to avoid. `to_string` of an integer allocates once, as
/// many bytes as its type can have digits.
#[test]
fn the_standard_way_costs_an_allocation_a_number() {
    let exceeded = Budget::new()
        .max(0)
        .check(|| INTEGERS.iter().map(|n| std::hint::black_box(n.to_string()).len()).max())
        .unwrap_err();
    assert_eq!(exceeded.stats().alloc_count, INTEGERS.len() as u64);
}
