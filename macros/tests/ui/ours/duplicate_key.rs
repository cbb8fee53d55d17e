use mod_alloc::alloc_budget;

#[alloc_budget(max = 1, max_bytes = 10, max = 2)]
fn limit() {}

#[alloc_budget(max = 1, runs = 2, runs = 2)]
fn repeat() {}

#[alloc_budget(max = 1, crate = mod_alloc, crate = mod_alloc)]
fn path() {}

fn main() {}
