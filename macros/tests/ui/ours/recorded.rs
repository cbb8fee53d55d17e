use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(recorded = true)]
fn with_a_value() {}

#[alloc_budget(recorded = "parses", max_bytes = 10)]
fn with_a_name() {}

#[alloc_budget(recorded, max = 10)]
fn with_a_number() {}

#[alloc_budget(min = 1, exact = 10, recorded)]
fn with_numbers() {}

#[alloc_budget(recorded, max_bytes = 10, recorded)]
fn twice() {}

#[alloc_budget(record)]
fn misspelt() {}

fn main() {
    assert_allocs!(recorded, exact = 3, { () });
    assert_allocs!(recorded);
}
