use mod_alloc::alloc_budget;

#[alloc_budget(max = 1, crate = "mod_alloc")]
fn quoted() {}

fn main() {}
