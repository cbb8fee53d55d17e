use mod_alloc::alloc_budget;

#[alloc_budget(max = 1)]
unsafe trait Trait {}

#[alloc_budget(max = 1)]
unsafe impl Trait for u8 {}

fn main() {}
