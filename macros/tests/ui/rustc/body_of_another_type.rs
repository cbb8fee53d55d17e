use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc};

#[alloc_budget(max = 1)]
fn sync() -> u32 {
    "x"
}

#[alloc_budget(max = 1)]
async fn future() -> u32 {
    "x"
}

#[alloc_budget(max = 1, runs = 2)]
fn repeated() -> u32 {
    "x"
}

fn main() {
    let _: u8 = assert_no_alloc! { "x" };
    let _: u8 = assert_allocs!(max = 1, { "x" }, "message");
}
