use mod_alloc::alloc_budget;

macro_rules! opaque {
    ($($tokens:tt)*) => { $($tokens)* };
}

#[alloc_budget(max = 1, runs = 2)]
fn returns() -> u32 {
    opaque!(return 3)
}

fn main() {}
