use mod_alloc::alloc_budget;

#[alloc_budget(maxx = 10)]
fn typo() {}

#[alloc_budget(max_byte = 10)]
fn singular() {}

#[alloc_budget(max_allocs = 10)]
fn another_word() {}

#[alloc_budget(max_alloc = 10)]
fn its_singular() {}

#[alloc_budget(ceiling = 10)]
fn no_key_at_all() {}

fn main() {}
