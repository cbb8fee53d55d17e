use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = 1, runs = 2)]
fn attribute() -> u32 {
    return 3;
}

fn block() -> u32 {
    assert_allocs!(max = 1, runs = 2, { return 3 })
}

fn main() {}
