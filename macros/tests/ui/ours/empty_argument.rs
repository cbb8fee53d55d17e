use mod_alloc::alloc_budget;

#[alloc_budget(max = 1,, min = 0)]
fn between() {}

#[alloc_budget(, max = 1)]
fn first() {}

fn main() {}
