use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = 1, runs = 2)]
fn attribute() -> Result<u32, std::num::ParseIntError> {
    Ok("3".parse()?)
}

fn block() -> Option<u32> {
    Some(assert_allocs!(max = 1, runs = 2, { None? }))
}

fn main() {}
