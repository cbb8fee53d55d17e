use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = 1.0 + 0.5)]
fn float() {}

#[alloc_budget(max = nowhere + 1)]
fn unknown_name() {}

fn main() {
    assert_allocs!(max = Some(3), { () });
}
