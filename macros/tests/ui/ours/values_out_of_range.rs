use mod_alloc::alloc_budget;

#[alloc_budget(max = -1)]
fn negative() {}

#[alloc_budget(max = 1, runs = 0)]
fn no_run() {}

fn main() {}
