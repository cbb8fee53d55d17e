use mod_alloc::alloc_budget;

#[alloc_budget(maxx = 10)]
fn typo() {}

#[alloc_budget(max_byte = 10)]
fn singular() {}

#[alloc_budget(allocations = 10)]
fn another_word() {}

fn main() {}
