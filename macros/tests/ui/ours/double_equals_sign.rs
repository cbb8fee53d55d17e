use mod_alloc::alloc_budget;

#[alloc_budget(max == 3)]
fn comparison() {}

fn main() {}
