use mod_alloc::assert_allocs;

fn main() {
    assert_allocs!();
    assert_allocs!(max = 1);
    assert_allocs!(max = 1, max_bytes = 10, "message");
    assert_allocs!(max = 1 { () });
}
