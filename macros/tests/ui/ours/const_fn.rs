use mod_alloc::alloc_budget;

#[alloc_budget(max = 1)]
pub const fn constant() {}

fn main() {}
