use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = 1, call_sites = 0)]
fn a_number() {}

#[alloc_budget(call_sites = false)]
fn no_limit() {}

#[alloc_budget(max = 1, call_site = false)]
fn misspelt() {}

fn main() {
    assert_allocs!(max = 0, call_sites = "off", {});
}
