use mod_alloc::alloc_budget;

#[alloc_budget(max = 3 3)]
fn two_values() {}

fn main() {}
