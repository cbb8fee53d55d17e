use mod_alloc::alloc_budget;

#[alloc_budget(max)]
fn nothing() {}

#[alloc_budget(max = )]
fn after_the_sign() {}

#[alloc_budget(max = 1, max_bytes =, min = 0)]
fn between_commas() {}

#[alloc_budget(max(3))]
fn in_parentheses() {}

#[alloc_budget(max: 3)]
fn colon() {}

fn main() {}
