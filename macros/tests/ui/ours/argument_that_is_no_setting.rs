use mod_alloc::alloc_budget;

#[alloc_budget(10)]
fn literal() {}

#[alloc_budget(10 + 2)]
fn expression() {}

#[alloc_budget("max" = 3)]
fn quoted() {}

fn main() {}
