use mod_alloc::alloc_budget;

#[alloc_budget(max = 99_999_999_999_999_999_999)]
fn too_large() {}

fn main() {}
