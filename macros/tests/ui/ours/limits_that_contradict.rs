use mod_alloc::alloc_budget;

#[alloc_budget(exact = 1, max = 2)]
fn exact_and_max() {}

#[alloc_budget(max = 1, min = 1, exact = 1)]
fn exact_and_both() {}

#[alloc_budget(min = 5, max = 0x2)]
fn empty_range() {}

fn main() {}
