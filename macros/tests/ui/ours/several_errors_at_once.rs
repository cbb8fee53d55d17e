use mod_alloc::alloc_budget;

#[alloc_budget(maxx = 1, min, exact = -3)]
async fn arguments() {}

#[alloc_budget(maxx = 1)]
const fn argument_and_item() {}

fn main() {}
