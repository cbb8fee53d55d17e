use mod_alloc::assert_allocs;

fn main() {
    // There is no second error: the value of the block is still a `u32`.
    let _three: u32 = assert_allocs!(maxx = 1, { 3 });
}
