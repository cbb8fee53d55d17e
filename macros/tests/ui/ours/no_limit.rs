use mod_alloc::alloc_budget;

#[alloc_budget]
fn no_arguments() {}

#[alloc_budget()]
fn empty_arguments() {}

#[alloc_budget(crate = mod_alloc)]
fn only_a_path() {}

#[alloc_budget(warmup = 1, runs = 3)]
fn only_repeats() {}

fn main() {}
