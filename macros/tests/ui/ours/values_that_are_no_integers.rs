use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = "1")]
fn quoted() {}

#[alloc_budget(max_bytes = 1.5, runs = "many")]
fn float() {}

fn main() {
    assert_allocs!(max = true, { () });
    assert_allocs!(max = 1, warmup = 1f64, { () });
}
