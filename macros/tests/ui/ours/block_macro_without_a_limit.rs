use mod_alloc::assert_allocs;

fn main() {
    assert_allocs!({ () });
    assert_allocs!(runs = 3, { () });
    let _three: u32 = assert_allocs!(1 + 2, "the value is {}", 3);
}
